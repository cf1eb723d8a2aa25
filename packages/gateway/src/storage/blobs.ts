import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';

/** First and last byte, both inclusive, as in an HTTP `Content-Range`. */
export interface ByteRange {
  start: number;
  end: number;
}

/** Bytes on their way into the store: invisible until `commit`. */
export interface StagedBlob {
  /** Bytes written so far. */
  readonly size: number;
  write(chunk: Uint8Array): Promise<void>;
  /** Reads from the start what was written. */
  reread(): Promise<Readable>;
  /** Throws away what was written and starts anew. */
  restart(): Promise<void>;
  /** Makes the bytes readable under `sha256` (hex), which the caller has computed over them. */
  commit(sha256: string): Promise<void>;
  /** Harmless after `commit`. */
  discard(): Promise<void>;
}

/** Files addressed by the SHA-256 of their content, hex. */
export interface BlobStore {
  stage(): Promise<StagedBlob>;
  /** Bytes of a stored blob, null when there is none. */
  size(sha256: string): Promise<number | null>;
  /** Streams a blob; errors with ENOENT when there is none. */
  read(sha256: string, range?: ByteRange): Readable;
  /** Keeps a blob from being deleted until the returned function is called (once or more). */
  lease(sha256: string): () => void;
  isLeased(sha256: string): boolean;
  /** False when the blob is leased; true when it is gone now. */
  delete(sha256: string): Promise<boolean>;
  /** Every stored address, in no order. */
  list(): AsyncIterable<string>;
  /** Removes what a crash left half written. Only before the first `stage`. */
  clearStaging(): Promise<void>;
}

const ADDRESS = /^[0-9a-f]{64}$/;
/** TLS hands out 16 KiB records; one write per record would cost more in calls than in bytes. */
const WRITE_BUFFER_BYTES = 256 * 1024;
/** Larger reads than Node's 64 KiB: a 100 KB picture is one read, a 16 MB video 64. */
const READ_BUFFER_BYTES = 256 * 1024;

class StagedFile implements StagedBlob {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #place: (sha256: string) => string;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #size = 0;
  #position = 0;
  #done = false;

  constructor(path: string, handle: FileHandle, place: (sha256: string) => string) {
    this.#path = path;
    this.#handle = handle;
    this.#place = place;
  }

  get size(): number {
    return this.#size;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (chunk.length === 0) return;
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    this.#size += chunk.length;
    if (this.#pendingBytes >= WRITE_BUFFER_BYTES) await this.#flush();
  }

  async #flush(): Promise<void> {
    if (this.#pendingBytes === 0) return;
    const bytes = Buffer.concat(this.#pending, this.#pendingBytes);
    this.#pending = [];
    this.#pendingBytes = 0;
    let written = 0;
    // A full disk or a signal may take only a part.
    while (written < bytes.length) {
      const { bytesWritten } = await this.#handle.write(
        bytes,
        written,
        bytes.length - written,
        this.#position,
      );
      written += bytesWritten;
      this.#position += bytesWritten;
    }
  }

  async reread(): Promise<Readable> {
    await this.#flush();
    return createReadStream(this.#path, { highWaterMark: READ_BUFFER_BYTES });
  }

  async restart(): Promise<void> {
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#size = 0;
    this.#position = 0;
    await this.#handle.truncate(0);
  }

  async commit(sha256: string): Promise<void> {
    await this.#flush();
    await this.#handle.datasync();
    await this.#handle.close();
    const target = this.#place(sha256);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await rename(this.#path, target);
    this.#done = true;
  }

  async discard(): Promise<void> {
    if (this.#done) return;
    this.#done = true;
    await this.#handle.close().catch(() => undefined);
    await rm(this.#path, { force: true });
  }
}

/**
 * Blobs in a folder: `ab/cd/abcd…` under `root`, half-written ones under `root/tmp`.
 *
 * Durability: the bytes are fdatasync'ed before the rename, so a file that has its name has its content
 * also after a power cut. The folder entry is not synced: what a power cut may take is the whole file, and
 * a missing file is a cache miss, fetched again.
 */
export class FolderBlobStore implements BlobStore {
  readonly #root: string;
  readonly #leases = new Map<string, number>();

  constructor(root: string) {
    this.#root = root;
  }

  async stage(): Promise<StagedBlob> {
    const folder = join(this.#root, 'tmp');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, randomUUID());
    return new StagedFile(path, await open(path, 'wx', 0o600), (sha256) => this.#place(sha256));
  }

  async size(sha256: string): Promise<number | null> {
    try {
      return (await stat(this.#place(sha256))).size;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  read(sha256: string, range?: ByteRange): Readable {
    return createReadStream(this.#place(sha256), {
      highWaterMark: READ_BUFFER_BYTES,
      ...(range ? { start: range.start, end: range.end } : {}),
    });
  }

  lease(sha256: string): () => void {
    this.#leases.set(sha256, (this.#leases.get(sha256) ?? 0) + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const left = (this.#leases.get(sha256) ?? 1) - 1;
      if (left > 0) this.#leases.set(sha256, left);
      else this.#leases.delete(sha256);
    };
  }

  isLeased(sha256: string): boolean {
    return this.#leases.has(sha256);
  }

  async delete(sha256: string): Promise<boolean> {
    if (this.#leases.has(sha256)) return false;
    await rm(this.#place(sha256), { force: true });
    return true;
  }

  async *list(): AsyncIterable<string> {
    for (const outer of await this.#folders('')) {
      for (const inner of await this.#folders(outer)) {
        for (const name of await readdir(join(this.#root, outer, inner))) {
          if (ADDRESS.test(name)) yield name;
        }
      }
    }
  }

  async clearStaging(): Promise<void> {
    await rm(join(this.#root, 'tmp'), { recursive: true, force: true });
  }

  async #folders(under: string): Promise<string[]> {
    try {
      const names = await readdir(join(this.#root, under));
      return names.filter((name) => /^[0-9a-f]{2}$/.test(name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  #place(sha256: string): string {
    // The address becomes a path: nothing but 64 hex digits may.
    if (!ADDRESS.test(sha256)) throw new Error('not a blob address');
    return join(this.#root, sha256.slice(0, 2), sha256.slice(2, 4), sha256);
  }
}
