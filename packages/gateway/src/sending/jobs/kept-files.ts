/** Files of sends that happen later: out of the request, onto the disk, until their last message has left. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../errors.ts';
import type { OpenedSource } from '../../media/fetch-source.ts';
import { openBase64 } from '../../media/fetch-source.ts';
import type { Uploads } from '../../media/uploads.ts';
import { syncFolder } from '../../storage/disk.ts';
import type { KeptFile, KeptRequest } from './job.ts';
import type { JobStore } from './job-store.ts';
import type { SendOperation } from './operations.ts';

/** Shorter ones stay in the sealed request, … */
const INLINE_CHARACTERS = 64 * 1024;
/** … unless several requests of a bulk have the same: then it is kept once. */
const INLINE_CHARACTERS_EACH = 1024;

/** What a job would keep of its request: read, and not on the disk yet. */
export interface RequestToKeep {
  request: KeptRequest;
  /** Of `request.file`. */
  content: OpenedSource['content'] | null;
}

interface ReadFile {
  file: Omit<KeptFile, 'member'> & { sha256: string };
  content: OpenedSource['content'];
}

export interface KeptFilesParts {
  folder: string;
  uploads: Uploads;
  /** Bytes: the largest file. */
  maxBytes: number;
  store: Pick<JobStore, 'keepsFile' | 'isLive'>;
}

/**
 * A file lies in the outbox once for each tenant, under its content's name, however many jobs have it: their rows
 * are the references. It is on the disk before the first row that names it, and goes when no job that is still to
 * be sent names it.
 */
export class KeptFiles {
  readonly #parts: KeptFilesParts;
  /** Names of files whose rows are about to be stored, and by how many requests. */
  readonly #held = new Map<string, number>();
  /** Writing and deleting one name, one after the other. */
  readonly #busy = new Map<string, Promise<unknown>>();

  constructor(parts: KeptFilesParts) {
    this.#parts = parts;
  }

  /** What the jobs of one request would keep; nothing is written. Throws INVALID_MEDIA, PAYLOAD_TOO_LARGE. */
  async read(sends: readonly { operation: SendOperation; body: Record<string, unknown> }[]) {
    const read: (ReadFile | null)[] = [];
    // Those of a bulk mostly are one text, which is compared by its address.
    let [lastValue, last]: [string | null, ReadFile | null] = [null, null];
    for (const { operation, body } of sends) {
      const value = operation.file === undefined ? undefined : body[operation.file];
      if (typeof value !== 'string') read.push(null);
      else {
        if (value !== lastValue) last = await this.#find(value, operation, sends.length > 1);
        lastValue = value;
        read.push(last);
      }
    }
    const times = new Map<string, number>();
    for (const each of read) if (each) times.set(each.file.sha256, (times.get(each.file.sha256) ?? 0) + 1);
    return sends.map(({ operation: { file: member }, body }, at): RequestToKeep => {
      const found = read[at];
      const value = member === undefined ? undefined : body[member];
      if (!found || member === undefined || typeof value !== 'string') return inline(body);
      const single = times.get(found.file.sha256) === 1 && !this.#parts.uploads.find(value);
      if (single && value.length <= INLINE_CHARACTERS) return inline(body);
      const { [member]: _file, ...rest } = body;
      return { request: { body: rest, file: { member, ...found.file } }, content: found.content };
    });
  }

  async #find(
    value: string,
    { file: member = '' }: SendOperation,
    several: boolean,
  ): Promise<ReadFile | null> {
    const { uploads, maxBytes } = this.#parts;
    const upload = uploads.find(value);
    if (!upload && value.length <= (several ? INLINE_CHARACTERS_EACH : INLINE_CHARACTERS)) return null;
    const opened = upload ?? (await openBase64(value, member, { maxBytes, timeoutMs: 0 }));
    const { content, size, declaredType, detectedType } = opened;
    const sha256 = opened.sha256 ?? (await hashOf(content));
    return { file: { size, sha256, declaredType, detectedType }, content };
  }

  /**
   * Puts the files on the disk and runs `store`, which stores the rows that name them. What no row names after
   * that is deleted again.
   */
  async keep<T>(tenantId: string, read: readonly RequestToKeep[], store: () => Promise<T>): Promise<T> {
    const contents = new Map<string, { content: OpenedSource['content']; size: number }>();
    for (const { request, content } of read) {
      const { sha256, size = 0 } = request.file ?? {};
      if (sha256 !== undefined && content) contents.set(sha256, { content, size });
    }
    const names = [...contents.keys()].map((sha256) => nameOf(tenantId, sha256));
    for (const name of names) this.#held.set(name, (this.#held.get(name) ?? 0) + 1);
    try {
      for (const [sha256, { content, size }] of contents) {
        await this.#write(nameOf(tenantId, sha256), content, size);
      }
      return await store();
    } finally {
      for (const name of names) {
        const left = (this.#held.get(name) ?? 1) - 1;
        if (left > 0) this.#held.set(name, left);
        else this.#held.delete(name);
      }
      await this.drop(tenantId, [...contents.keys()]);
    }
  }

  /**
   * The body as it came, its file in place, and what to call once it was used. Throws INVALID_MEDIA when the file
   * is not the one that was accepted any more: better nothing than something else.
   */
  async restore(
    tenantId: string,
    request: KeptRequest,
  ): Promise<{ body: Record<string, unknown>; release(): void }> {
    const { body, file } = request;
    if (!file) return { body, release: () => undefined };
    const path = file.path ?? this.#place(nameOf(tenantId, file.sha256 ?? ''));
    await assertUnchanged(file, path);
    const { size, declaredType, detectedType } = file;
    const { token, release } = this.#parts.uploads.adopt({
      content: { path },
      size,
      declaredType,
      detectedType,
    });
    return { body: { ...body, [file.member]: token }, release };
  }

  /**
   * Deletes those of the tenant's files that no job which is still to be sent has. What cannot be deleted, or
   * asked for, now is at the next start. Never throws.
   */
  async drop(tenantId: string, files: readonly string[]): Promise<void> {
    for (const sha256 of new Set(files)) {
      const name = nameOf(tenantId, sha256);
      await this.#exclusively(name, async () => {
        if (this.#held.has(name) || (await this.#parts.store.keepsFile(tenantId, sha256))) return;
        await rm(this.#place(name), { force: true });
      }).catch(() => undefined);
    }
  }

  /** Deletes what no job has: left by a process that was killed. Only before the first `keep`. */
  async sweep(): Promise<void> {
    const { folder, store } = this.#parts;
    const names = await readdir(folder).catch(() => []);
    for (const name of names) {
      const [, tenantId, sha256] = NAME.exec(name) ?? [];
      if (tenantId !== undefined && sha256 !== undefined) await this.drop(tenantId, [sha256]);
      // A file by the name of its job is from before they were shared.
      else if (!(await store.isLive(name)))
        await rm(join(folder, name), { force: true }).catch(() => undefined);
    }
  }

  async #write(name: string, content: OpenedSource['content'], size: number): Promise<void> {
    const { folder } = this.#parts;
    await this.#exclusively(name, async () => {
      if ((await sizeOf(this.#place(name))) === size) return;
      const made = await mkdir(folder, { recursive: true, mode: 0o700 });
      if (made !== undefined) await syncFolder(dirname(made));
      const half = join(folder, randomUUID());
      try {
        await pipeline(streamOf(content), createWriteStream(half, { mode: 0o600, flush: true }));
        await rename(half, this.#place(name));
      } catch (error) {
        await rm(half, { force: true }).catch(() => undefined);
        throw error;
      }
      await syncFolder(folder);
    });
  }

  #place(name: string): string {
    // A name becomes a path: nothing but an id and a hash may.
    if (!NAME.test(name)) throw new Error('not the name of a kept file');
    return join(this.#parts.folder, name);
  }

  async #exclusively(name: string, action: () => Promise<void>): Promise<void> {
    const before = this.#busy.get(name) ?? Promise.resolve();
    const mine = before.then(action, action);
    const settled = mine.catch(() => undefined);
    this.#busy.set(name, settled);
    await mine.finally(() => {
      if (this.#busy.get(name) === settled) this.#busy.delete(name);
    });
  }
}

const NAME = /^([0-9a-f-]{36})-([0-9a-f]{64})$/;

function nameOf(tenantId: string, sha256: string): string {
  return `${tenantId}-${sha256}`;
}

function inline(body: Record<string, unknown>): RequestToKeep {
  return { request: { body, file: null }, content: null };
}

function streamOf(content: OpenedSource['content']): Readable {
  return 'path' in content ? createReadStream(content.path) : Readable.from([content.bytes]);
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
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

async function hashOf(content: OpenedSource['content']): Promise<string> {
  const measured = measure();
  for await (const _chunk of measured.passing(streamOf(content)));
  return measured.result().sha256;
}

async function assertUnchanged(file: KeptFile, path: string): Promise<void> {
  const measured = measure();
  try {
    for await (const _chunk of measured.passing(createReadStream(path)));
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
