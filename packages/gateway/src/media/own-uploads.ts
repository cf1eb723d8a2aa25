/**
 * Which file a media key that we made stands for. The proof that a message of ours may be served from the
 * cache is the key object itself: only the upload that encrypted the file can have handed it out. A descriptor
 * read from a message, even one with the same bytes in it, proves nothing here.
 */
const filesByKey = new WeakMap<Uint8Array, string>();

/** Notes that `mediaKey` (this very object) was made for the file `sha256` (hex, computed). */
export function rememberOwnUpload(mediaKey: Uint8Array, sha256: string): void {
  filesByKey.set(mediaKey, sha256);
}

/** The file that an upload of this process encrypted with `mediaKey`, hex, or null. */
export function ownUpload(mediaKey: Uint8Array): string | null {
  return filesByKey.get(mediaKey) ?? null;
}
