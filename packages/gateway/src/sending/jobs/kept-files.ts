/** Files of sends that happen later: out of the request, onto the disk, until their message has left. */
import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenedSource } from '../../media/fetch-source.ts';
import { openBase64 } from '../../media/fetch-source.ts';
import type { Uploads } from '../../media/uploads.ts';
import type { KeptFile, KeptRequest } from './job.ts';
import type { SendOperation } from './operations.ts';

/** Shorter ones stay in the sealed request. */
const INLINE_CHARACTERS = 64 * 1024;

export class KeptFiles {
  readonly #folder: string;
  readonly #uploads: Uploads;
  readonly #maxBytes: number;

  constructor(options: { folder: string; uploads: Uploads; maxBytes: number }) {
    this.#folder = options.folder;
    this.#uploads = options.uploads;
    this.#maxBytes = options.maxBytes;
  }

  /** What a job keeps of a body: a large file is written to the disk. Throws INVALID_MEDIA, PAYLOAD_TOO_LARGE. */
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

  /** The body as it came, its file in place, and what to call once it was used. */
  restore(request: KeptRequest): { body: Record<string, unknown>; release(): void } {
    const { body, file } = request;
    if (!file) return { body, release: () => undefined };
    const { token, release } = this.#uploads.adopt({
      content: { path: file.path },
      size: file.size,
      declaredType: file.declaredType,
      detectedType: file.detectedType,
    });
    return { body: { ...body, [file.member]: token }, release };
  }

  /** Forgets the file of a job, if it had one. */
  async drop(jobId: string): Promise<void> {
    await rm(join(this.#folder, jobId), { force: true });
  }

  /** Deletes files whose job is over or was never stored: left by a process that was killed. */
  async sweep(isLive: (jobId: string) => Promise<boolean>): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    for (const name of names) if (!(await isLive(name))) await this.drop(name);
  }

  async #write(jobId: string, member: string, opened: OpenedSource): Promise<KeptFile> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const path = join(this.#folder, jobId);
    if ('path' in opened.content) await copyFile(opened.content.path, path);
    else await writeFile(path, opened.content.bytes, { mode: 0o600 });
    const { size, declaredType, detectedType } = opened;
    return { member, path, size, declaredType, detectedType };
  }
}
