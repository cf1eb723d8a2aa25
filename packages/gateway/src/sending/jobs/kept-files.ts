/** Files of sends that happen later: out of the request, onto the disk, until their last message has left. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../errors.ts';
import type { TenantId } from '../../ids.ts';
import type { OpenedSource } from '../../media/outgoing/fetch-source.ts';
import { openBase64 } from '../../media/outgoing/fetch-source.ts';
import type { Uploads } from '../../media/outgoing/uploads.ts';
import { syncFolder } from '../../storage/sync-folder.ts';
import { Turns } from '../../storage/turns.ts';
import { valueAt, withValue } from './body-places.ts';
import type { KeptFile, KeptRequest } from './job.ts';
import type { JobStore } from './job-store.ts';
import type { SendOperation } from './operations.ts';

/** Shorter ones stay in the sealed request, … */
const INLINE_CHARACTERS = 64 * 1024;
/** … unless several of a request are the same: then it is kept once. */
const INLINE_CHARACTERS_EACH = 1024;

/** What a job would keep of its request: read, and not on the disk yet. */
export interface RequestToKeep {
  request: KeptRequest;
  /** Of `request.files`, by hash. */
  contents: ReadonlyMap<string, OpenedSource['content']>;
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
  readonly #storing = new Map<string, number>();
  /** Writing and deleting one name, one after the other. */
  readonly #turns = new Turns();

  constructor(parts: KeptFilesParts) {
    this.#parts = parts;
  }

  /** What the jobs of one request would keep; nothing is written. Throws INVALID_MEDIA, PAYLOAD_TOO_LARGE. */
  async read(sends: readonly { operation: SendOperation; body: Record<string, unknown> }[]) {
    const places = sends.map(({ operation, body }) => textsOf(operation, body));
    const several = places.flat().length > 1;
    const read: { place: string; text: string; file: ReadFile | null }[][] = [];
    const times = new Map<string, number>();
    // Those of a bulk mostly are one text, which is compared by its address.
    let [lastText, last]: [string | null, ReadFile | null] = [null, null];
    for (const ofSend of places) {
      const files: (typeof read)[number] = [];
      for (const { place, text } of ofSend) {
        if (text !== lastText) last = await this.#find(text, place, several);
        lastText = text;
        files.push({ place, text, file: last });
        if (last) times.set(last.file.sha256, (times.get(last.file.sha256) ?? 0) + 1);
      }
      read.push(files);
    }
    return sends.map(({ body }, at): RequestToKeep => {
      const found = read[at] ?? [];
      const request: KeptRequest = { body, files: [] };
      const contents = new Map<string, OpenedSource['content']>();
      for (const { place, text, file } of found) {
        if (!file) continue;
        const single = times.get(file.file.sha256) === 1 && !this.#parts.uploads.find(text);
        if (single && text.length * found.length <= INLINE_CHARACTERS) continue;
        request.body = withValue(request.body, place, undefined);
        request.files.push({ member: place, ...file.file });
        contents.set(file.file.sha256, file.content);
      }
      return { request, contents };
    });
  }

  async #find(value: string, member: string, several: boolean): Promise<ReadFile | null> {
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
  async keep<T>(tenantId: TenantId, read: readonly RequestToKeep[], store: () => Promise<T>): Promise<T> {
    const contents = new Map<string, { content: OpenedSource['content']; size: number }>();
    for (const each of read) {
      for (const { sha256 = '', size } of each.request.files) {
        const content = each.contents.get(sha256);
        if (content) contents.set(sha256, { content, size });
      }
    }
    const names = [...contents.keys()].map((sha256) => nameOf(tenantId, sha256));
    for (const name of names) this.#storing.set(name, (this.#storing.get(name) ?? 0) + 1);
    try {
      for (const [sha256, { content, size }] of contents) {
        await this.#write(nameOf(tenantId, sha256), content, size);
      }
      return await store();
    } finally {
      for (const name of names) {
        const left = (this.#storing.get(name) ?? 1) - 1;
        if (left > 0) this.#storing.set(name, left);
        else this.#storing.delete(name);
      }
      await this.drop(tenantId, [...contents.keys()]);
    }
  }

  /**
   * The body as it came, its files in place, and what to call once it was used. Throws INVALID_MEDIA when a file
   * is not the one that was accepted any more: better nothing than something else.
   */
  async restore(
    tenantId: TenantId,
    { body, files }: KeptRequest,
  ): Promise<{ body: Record<string, unknown>; release(): void }> {
    const releases: (() => void)[] = [];
    const release = () => {
      for (const each of releases) each();
    };
    let restored = body;
    try {
      for (const file of files) {
        const path = file.path ?? this.#place(nameOf(tenantId, file.sha256 ?? ''));
        await assertUnchanged(file, path);
        const { size, declaredType, detectedType } = file;
        const adopted = this.#parts.uploads.adopt({ content: { path }, size, declaredType, detectedType });
        releases.push(adopted.release);
        restored = withValue(restored, file.member, adopted.token);
      }
    } catch (error) {
      release();
      throw error;
    }
    return { body: restored, release };
  }

  /**
   * Deletes those of the tenant's files that no job which is still to be sent has. What cannot be deleted, or
   * asked for, now is at the next start. Never throws.
   */
  async drop(tenantId: TenantId, files: readonly string[]): Promise<void> {
    for (const sha256 of new Set(files)) {
      const name = nameOf(tenantId, sha256);
      await this.#turns
        .run(name, async () => {
          if (this.#storing.has(name) || (await this.#parts.store.keepsFile(tenantId, sha256))) return;
          await rm(this.#place(name), { force: true });
        })
        .catch(() => undefined);
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
    await this.#turns.run(name, async () => {
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
}

const NAME = /^([0-9a-f-]{36})-([0-9a-f]{64})$/;

function nameOf(tenantId: TenantId, sha256: string): string {
  return `${tenantId}-${sha256}`;
}

/** The texts of a body that may be files. */
function textsOf(operation: SendOperation, body: Record<string, unknown>): { place: string; text: string }[] {
  return operation.files(body).flatMap((place) => {
    const text = valueAt(body, place);
    return typeof text === 'string' ? [{ place, text }] : [];
  });
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
