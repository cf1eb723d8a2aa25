import { randomBytes, randomInt } from 'node:crypto';

/** How an object is served once a test has broken it; each field is one independent fault. */
export interface ObjectFault {
  /** Answer with this status and no bytes (an expired path: the real CDN says 403, 404 or 410). */
  status?: number;
  /** Flip a byte in the middle of the ciphertext. */
  corrupt?: boolean;
  /** Serve only the first so many bytes, with a matching `Content-Length`. */
  truncate?: number;
  /** Bytes per second. */
  bytesPerSecond?: number;
  /** Close the connection after so many bytes of a body, once. */
  dropAfter?: number;
}

export interface CdnObject {
  /** Path without the query, `/v/t62.7118-24/…_n.enc`. */
  readonly path: string;
  /** What the upload answered as `direct_path`: the path with its signature parameters. */
  readonly directPath: string;
  /** The encrypted bytes as they were uploaded. */
  readonly bytes: Buffer;
  readonly fault: ObjectFault;
}

/** Bucket names seen in public captures of direct paths, per upload type. */
const BUCKETS: Record<string, string> = {
  image: 't62.7118-24',
  video: 't62.7161-24',
  audio: 't62.7117-24',
  document: 't62.7119-24',
  sticker: 't62.15575-24',
  'md-app-state': 't62.36147-24',
};
const DEFAULT_BUCKET = 't62.7118-24';
/** Life of a signed direct path: about a month on the real CDN. */
const PATH_LIFETIME_S = 30 * 24 * 60 * 60;

function digits(length: number): string {
  let text = String(randomInt(1, 10));
  while (text.length < length) text += String(randomInt(0, 10));
  return text;
}

/** Drops the query from a direct path or URL path: the part that names an object. */
export function objectPath(directPath: string): string {
  const end = directPath.search(/[?#]/);
  return end < 0 ? directPath : directPath.slice(0, end);
}

/** The CDN's shelf: uploaded ciphertexts by path. */
export class ObjectShelf {
  readonly #objects = new Map<string, CdnObject>();

  /** Stores a ciphertext under a new path. The same bytes uploaded again get another path. */
  put(mediaType: string, bytes: Buffer): CdnObject {
    const bucket = BUCKETS[mediaType] ?? DEFAULT_BUCKET;
    const path = `/v/${bucket}/${digits(8)}_${digits(15)}_${digits(19)}_n.enc`;
    const expiry = (Math.floor(Date.now() / 1000) + PATH_LIFETIME_S).toString(16).toUpperCase();
    const signature = `01_Q5Aa${randomBytes(36).toString('base64url')}`;
    const directPath = `${path}?ccb=11-4&oh=${signature}&oe=${expiry}&_nc_sid=5e03e0`;
    const object: CdnObject = { path, directPath, bytes, fault: {} };
    this.#objects.set(path, object);
    return object;
  }

  get(directPath: string): CdnObject | undefined {
    return this.#objects.get(objectPath(directPath));
  }

  /** Throws when nothing is stored there, so that a misspelt path does not pass as a fault. */
  require(directPath: string): CdnObject {
    const object = this.get(directPath);
    if (!object) throw new Error(`the CDN has no object at ${objectPath(directPath)}`);
    return object;
  }

  remove(directPath: string): void {
    this.#objects.delete(objectPath(directPath));
  }

  /** Takes what was there before. */
  putBack(objects: readonly CdnObject[]): void {
    for (const object of objects) this.#objects.set(object.path, object);
  }

  all(): CdnObject[] {
    return [...this.#objects.values()];
  }
}

/** The bytes an object is served as, after its `corrupt` and `truncate` faults. */
export function servedBytes(object: CdnObject): Buffer {
  let bytes = object.bytes;
  if (object.fault.truncate !== undefined) bytes = bytes.subarray(0, object.fault.truncate);
  if (object.fault.corrupt && bytes.length > 0) {
    bytes = Buffer.from(bytes);
    const middle = Math.floor(bytes.length / 2);
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 0xff, middle);
  }
  return bytes;
}
