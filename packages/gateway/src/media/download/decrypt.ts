import {
  createDecipheriv,
  createHash,
  createHmac,
  type Decipher,
  type Hash,
  type Hmac,
  timingSafeEqual,
} from 'node:crypto';
import { AES_BLOCK_BYTES, expandMediaKey, type FileKind, MAC_BYTES } from '../keys.ts';

export type FailedCheck = 'too_short' | 'ciphertext_hash' | 'mac' | 'padding' | 'plaintext_hash' | 'length';

/** The bytes are not what the message promised. They must be neither served nor kept. */
export class MediaVerificationError extends Error {
  readonly check: FailedCheck;
  constructor(check: FailedCheck) {
    super(`the media failed verification: ${check}`);
    this.name = 'MediaVerificationError';
    this.check = check;
  }
}

/** What a message promised about its file; absent promises are not checked. */
export interface MediaPromise {
  kind: FileKind;
  /** 32 bytes; empty for channel media, which is not encrypted and then needs `fileSha256`. */
  mediaKey: Uint8Array;
  fileEncSha256: Uint8Array | null;
  fileSha256: Uint8Array | null;
  fileLength: number | null;
}

export interface VerifiedMedia {
  /** SHA-256 of the plaintext, hex: computed, never taken from the message. */
  sha256: string;
  size: number;
}

/** Takes a download piece by piece. */
export interface MediaOpener {
  /** Bytes received so far. */
  readonly received: number;
  /** Plaintext of what came in; not to be trusted before `finish` has returned. */
  push(chunk: Uint8Array): Uint8Array[];
  /** The last plaintext, and the verdict. Throws MediaVerificationError. */
  finish(): { rest: Uint8Array; media: VerifiedMedia };
}

function matches(actual: Buffer, promised: Uint8Array | null): boolean {
  if (!promised || promised.length === 0) return true;
  return promised.length === actual.length && timingSafeEqual(actual, promised);
}

/**
 * Which failures are fatal, and why:
 * - The ciphertext hash and the MAC prove that the file is what the sender encrypted: always fatal.
 * - A plaintext hash that does not match a ciphertext that does is the sender contradicting himself. Some
 *   bridges let it pass. We refuse: the hash is what the message event told our users, what they compare with
 *   and what names the file in the cache, and WhatsApp's own clients do not show such a file either.
 * - The length is checked when no plaintext hash vouches for the bytes. Senders are known to write a wrong
 *   length beside right hashes (whatsmeow dropped its length check); refusing those would withhold exact bytes.
 */
function judge(promise: MediaPromise, plainHash: Buffer, size: number): VerifiedMedia {
  const hashed = promise.fileSha256 !== null && promise.fileSha256.length > 0;
  if (!matches(plainHash, promise.fileSha256)) throw new MediaVerificationError('plaintext_hash');
  if (!hashed && promise.fileLength !== null && promise.fileLength !== size) {
    throw new MediaVerificationError('length');
  }
  return { sha256: plainHash.toString('hex'), size };
}

/** AES-256-CBC with PKCS#7, then HMAC-SHA256 over IV and ciphertext, cut to ten bytes (whatsmeow download.go). */
class EncryptedMediaOpener implements MediaOpener {
  readonly #promise: MediaPromise;
  readonly #decipher: Decipher;
  readonly #mac: Hmac;
  readonly #encHash: Hash = createHash('sha256');
  readonly #plainHash: Hash = createHash('sha256');
  /** The newest bytes: they may be the MAC. */
  #tail: Buffer = Buffer.alloc(0);
  #received = 0;
  #size = 0;

  constructor(promise: MediaPromise) {
    const keys = expandMediaKey(promise.kind, promise.mediaKey);
    this.#promise = promise;
    this.#decipher = createDecipheriv('aes-256-cbc', keys.cipherKey, keys.iv);
    this.#mac = createHmac('sha256', keys.macKey).update(keys.iv);
  }

  get received(): number {
    return this.#received;
  }

  push(chunk: Uint8Array): Uint8Array[] {
    this.#received += chunk.length;
    this.#encHash.update(chunk);
    if (chunk.length < MAC_BYTES) {
      const joined = Buffer.concat([this.#tail, chunk]);
      const cut = Math.max(joined.length - MAC_BYTES, 0);
      this.#tail = joined.subarray(cut);
      return [this.#decrypt(joined.subarray(0, cut))];
    }
    const cut = chunk.length - MAC_BYTES;
    const plain = [this.#decrypt(this.#tail), this.#decrypt(chunk.subarray(0, cut))];
    // A copy: the network may use the chunk's memory again.
    this.#tail = Buffer.from(chunk.subarray(cut));
    return plain;
  }

  #decrypt(ciphertext: Uint8Array): Buffer {
    if (ciphertext.length === 0) return Buffer.alloc(0);
    this.#mac.update(ciphertext);
    return this.#count(this.#decipher.update(ciphertext));
  }

  #count(plain: Buffer): Buffer {
    this.#plainHash.update(plain);
    this.#size += plain.length;
    return plain;
  }

  finish(): { rest: Uint8Array; media: VerifiedMedia } {
    if (!matches(this.#encHash.digest(), this.#promise.fileEncSha256)) {
      throw new MediaVerificationError('ciphertext_hash');
    }
    if (this.#received < AES_BLOCK_BYTES + MAC_BYTES) throw new MediaVerificationError('too_short');
    if (!timingSafeEqual(this.#mac.digest().subarray(0, MAC_BYTES), this.#tail)) {
      throw new MediaVerificationError('mac');
    }
    let rest: Buffer;
    try {
      rest = this.#count(this.#decipher.final());
    } catch {
      throw new MediaVerificationError('padding');
    }
    return { rest, media: judge(this.#promise, this.#plainHash.digest(), this.#size) };
  }
}

/** Channel (newsletter) media travels unencrypted; only its plaintext hash vouches for it. */
class PlainMediaOpener implements MediaOpener {
  readonly #promise: MediaPromise;
  readonly #hash: Hash = createHash('sha256');
  #received = 0;

  constructor(promise: MediaPromise) {
    this.#promise = promise;
  }

  get received(): number {
    return this.#received;
  }

  push(chunk: Uint8Array): Uint8Array[] {
    this.#received += chunk.length;
    this.#hash.update(chunk);
    return [chunk];
  }

  finish(): { rest: Uint8Array; media: VerifiedMedia } {
    if (!this.#promise.fileSha256 || this.#promise.fileSha256.length === 0) {
      throw new MediaVerificationError('plaintext_hash');
    }
    return {
      rest: new Uint8Array(0),
      media: judge(this.#promise, this.#hash.digest(), this.#received),
    };
  }
}

/** Starts the verified opening of one download. */
export function openMedia(promise: MediaPromise): MediaOpener {
  return promise.mediaKey.length === 0 ? new PlainMediaOpener(promise) : new EncryptedMediaOpener(promise);
}
