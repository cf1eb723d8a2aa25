/** Files of sends that happen later: out of the request, onto the disk, until their message has left. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../errors.ts';
import type { OpenedSource } from '../../media/fetch-source.ts';
import { openBase64 } from '../../media/fetch-source.ts';
import type { Uploads } from '../../media/uploads.ts';
import { syncFolder } from '../../storage/disk.ts';
import { isStorageFailure } from '../../storage/failure.ts';
import type { KeptFile, KeptRequest } from './job.ts';
import type { SendOperation } from './operations.ts';

/** Shorter ones stay in the sealed request. */
const INLINE_CHARACTERS = 64 * 1024;

export class KeptFiles {
  readonly #folder: string;
  readonly #uploads: Uploads;
  readonly #maxBytes: number;

  constructor(parts: { folder: string; uploads: Uploads; maxBytes: number }) {
    this.#folder = parts.folder;
    this.#uploads = parts.uploads;
    this.#maxBytes = parts.maxBytes;
  }

  /**
   * What a job keeps of a body: a large file is written out, and is on the disk when this resolves, for the row
   * that promises it is stored next. Throws INVALID_MEDIA, PAYLOAD_TOO_LARGE.
   */
  async keep(jobId: string, operation: SendOperation, body: Record<string, unknown>): Promise<KeptRequest> {
    const member = operation.file;
    const value = member === undefined ? undefined : body[member];
    if (member === undefined || typeof value !== 'string') return { body, file: null };
    const upload = this.#uploads.find(value);
    if (!upload && value.length <= INLINE_CHARACTERS) return { body, file: null };
    const limits = { maxBytes: this.#maxBytes, timeoutMs: 0 };
    const opened = upload ?? (await openBase64(value, member, limits));
    const { [member]: _file, ...rest } = body;
    return { body: rest, file: await this.#write(jobId, member, opened) };
  }

  /**
   * The body as it came, its file in place, and what to call once it was used. Throws INVALID_MEDIA when the file
   * is not the one that was accepted any more: better nothing than something else.
   */
  async restore(request: KeptRequest): Promise<{ body: Record<string, unknown>; release(): void }> {
    const { body, file } = request;
    if (!file) return { body, release: () => undefined };
    await assertUnchanged(file);
    const { token, release } = this.#uploads.adopt({
      content: { path: file.path },
      size: file.size,
      declaredType: file.declaredType,
      detectedType: file.detectedType,
    });
    return { body: { ...body, [file.member]: token }, release };
  }

  /** Runs `store`, which keeps files of jobs; a refusal leaves none of them behind. */
  async undoing<T>(jobIds: readonly string[], store: () => Promise<T>): Promise<T> {
    try {
      return await store();
    } catch (error) {
      // After a failure of the store nobody knows whether it has the jobs: the next start does.
      if (!isStorageFailure(error)) await this.drop(jobIds);
      throw error;
    }
  }

  /** Forgets the files of jobs that had one. What cannot be deleted now is at the next start. Never throws. */
  async drop(jobIds: readonly string[]): Promise<void> {
    for (const jobId of jobIds) {
      await rm(join(this.#folder, jobId), { force: true }).catch(() => undefined);
    }
  }

  /** Deletes files whose job is over or was never stored: left by a process that was killed. */
  async sweep(isLive: (jobId: string) => Promise<boolean>): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    for (const name of names) if (!(await isLive(name))) await this.drop([name]);
  }

  async #write(jobId: string, member: string, opened: OpenedSource): Promise<KeptFile> {
    const made = await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    if (made !== undefined) await syncFolder(dirname(made));
    const path = join(this.#folder, jobId);
    const { content } = opened;
    const bytes = 'path' in content ? createReadStream(content.path) : Readable.from([content.bytes]);
    const measured = measure();
    await pipeline(bytes, measured.passing, createWriteStream(path, { mode: 0o600, flush: true }));
    await syncFolder(this.#folder);
    const { declaredType, detectedType } = opened;
    return { member, path, ...measured.result(), declaredType, detectedType };
  }
}

/** Size and hash of what passes. */
function measure() {
  const hash = createHash('sha256');
  let size = 0;
  return {
    async *passing(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const chunk of chunks) {
        size += chunk.length;
        hash.update(chunk);
        yield chunk;
      }
    },
    result: () => ({ size, sha256: hash.digest('hex') }),
  };
}

async function assertUnchanged(file: KeptFile): Promise<void> {
  const measured = measure();
  try {
    for await (const _chunk of measured.passing(createReadStream(file.path)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new AppError('STORAGE_UNAVAILABLE', { cause: error });
    }
  }
  const { size, sha256 } = measured.result();
  if (size === file.size && (file.sha256 === undefined || sha256 === file.sha256)) return;
  throw new AppError('INVALID_MEDIA', {
    message: 'the file that was kept for this job is not what was accepted any more: send it again',
  });
}
