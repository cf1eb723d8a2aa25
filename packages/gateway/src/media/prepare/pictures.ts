/** Pictures read and made fit, in processes of their own: bounded in time, shared between tenants. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../clock.ts';
import type { Work } from '../../quotas/fair-slots.ts';
import type { Scratch } from '../../storage/scratch.ts';
import type { OpenedSource } from '../outgoing/fetch-source.ts';
import type { PictureFacts, PictureReply, PictureResult, PictureTask } from './picture-tasks.ts';
import { HelperFailed, ProcessPool } from './process-pool.ts';

export type { PictureFacts } from './picture-tasks.ts';

export interface PictureSettings {
  /** Milliseconds for one picture, from when its turn comes. */
  timeoutMs: number;
  /** Pictures at a time. */
  concurrency: number;
}

/** The picture cannot be used. The message completes "the picture …". */
export class UnusablePicture extends Error {}

/** For tests and tools that set nothing. */
export const DEFAULT_PICTURES: PictureSettings = { timeoutMs: 30_000, concurrency: 2 };

/** As the first bytes say. Whatever else a decoder might take is not shown to one. */
const TYPES = ['image/jpeg', 'image/png', 'image/apng', 'image/webp', 'image/gif'];

/** A task before its file lies anywhere. */
type Asked = PictureTask extends infer T ? (T extends PictureTask ? Omit<T, 'path'> : never) : never;
type Run = (task: Asked, file: OpenedSource) => Promise<PictureResult>;

export class Pictures {
  readonly #pool: ProcessPool<PictureTask, PictureReply>;
  readonly #scratch: Scratch;

  constructor(settings: PictureSettings, scratch: Scratch, clock: Clock = systemClock) {
    this.#scratch = scratch;
    this.#pool = new ProcessPool({ ...settings, clock, program: 'picture-process', what: 'pictures' });
  }

  /** The same, on behalf of somebody. */
  for(work: Work): PictureReader {
    return new PictureReader((task, file) => this.#run(task, file, work));
  }

  /** Ends the processes and what they are at. */
  close(): void {
    this.#pool.close();
  }

  async #run(task: Asked, file: OpenedSource, work: Work): Promise<PictureResult> {
    const type = file.detectedType;
    if (!type || !TYPES.includes(type)) {
      throw new UnusablePicture(`must be JPEG, PNG, WebP or GIF, not ${type ?? 'of an unknown format'}`);
    }
    const reply = await onDisk(file, this.#scratch, (path) =>
      this.#pool.run({ ...task, path } as PictureTask, work).catch((error: unknown) => {
        if (!(error instanceof HelperFailed)) throw error;
        throw new UnusablePicture(error.late ? 'takes too long to read' : 'cannot be read', { cause: error });
      }),
    );
    if ('result' in reply) return reply.result;
    throw new UnusablePicture(reply.problem);
  }
}

/** Pictures on behalf of one tenant. All throw UnusablePicture, QUOTA_EXCEEDED, or the signal's reason. */
export class PictureReader {
  readonly #run: Run;

  constructor(run: Run) {
    this.#run = run;
  }

  /** What the picture's header says. */
  async facts(file: OpenedSource): Promise<PictureFacts> {
    return (await this.#run({ kind: 'facts' }, file)).facts;
  }

  /** A JPEG whose longer side has `side` pixels at most. */
  preview(file: OpenedSource, side: number): Promise<PictureResult> {
    return this.#run({ kind: 'preview', side }, file);
  }

  /** A square JPEG out of its middle, of `side` pixels, or as many as it has: what profiles and groups show. */
  square(file: OpenedSource, side: number): Promise<PictureResult> {
    return this.#run({ kind: 'square', side }, file);
  }

  /** WebP of 512 × 512 with a clear background, animated if the picture is, of at most `maxBytes`. */
  sticker(file: OpenedSource, maxBytes: number): Promise<PictureResult> {
    return this.#run({ kind: 'sticker', maxBytes }, file);
  }
}

async function onDisk<T>(
  file: OpenedSource,
  scratch: Scratch,
  work: (path: string) => Promise<T>,
): Promise<T> {
  if ('path' in file.content) return work(file.content.path);
  const { bytes } = file.content;
  return scratch.during(async (folder) => {
    const path = join(folder, 'in');
    await writeFile(path, bytes, { mode: 0o600 });
    return await work(path);
  });
}
