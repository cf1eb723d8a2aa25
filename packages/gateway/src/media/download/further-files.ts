/** The files of a message beside its first: a carousel has one for each card. */
import { LRUCache } from 'lru-cache';
import type { MediaDescriptor } from '../../whatsapp/port/media.ts';
import type { MediaCopy } from '../copies.ts';
import { hexOfHash } from '../descriptor-row.ts';

/** Of the files that were fetched lately, so that asking again costs no download. */
const MOST_REMEMBERED = 1_000;

/** Reads the descriptor from the message itself; null when it has no file at that place. */
export type FurtherDescriptor = (
  message: Pick<MediaCopy, 'tenantId' | 'rowId'>,
  index: number,
) => Promise<MediaDescriptor | null>;

/**
 * They have no row of their own: their descriptors are read from the message, where they are encrypted at rest. So
 * that one is served from the cache only after this process has fetched and verified it for this very message
 * (the rule of `MediaCopies`, case 1) is kept in memory. A phone uploads again what the message as such names,
 * never one of these.
 */
export class FurtherFiles {
  readonly #descriptor: FurtherDescriptor;
  readonly #proven = new LRUCache<string, string>({ max: MOST_REMEMBERED });

  constructor(descriptor: FurtherDescriptor) {
    this.#descriptor = descriptor;
  }

  /** The copies' files at that place, which is 1 or more; those that have none are left out. */
  async at(copies: readonly MediaCopy[], index: number): Promise<MediaCopy[]> {
    const found: MediaCopy[] = [];
    for (const copy of copies) {
      const file = await this.#descriptor(copy, index);
      if (file) found.push(this.#copy(copy, file, index));
    }
    return found;
  }

  #copy(first: MediaCopy, file: MediaDescriptor, index: number): MediaCopy {
    const key = `${first.rowId} ${index}`;
    return {
      ...first,
      kind: file.kind,
      mimeType: file.mimeType,
      fileName: file.fileName,
      fileLength: file.fileLength,
      mediaKey: file.mediaKey,
      directPath: file.directPath,
      sha256: hexOfHash(file.fileSha256),
      encSha256: hexOfHash(file.fileEncSha256),
      blobSha256: this.#proven.get(key) ?? null,
      gone: false,
      proved: async (sha256) => {
        this.#proven.set(key, sha256);
      },
    };
  }
}
