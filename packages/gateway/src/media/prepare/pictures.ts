/** Pictures read and made fit, in processes of their own: bounded in time, shared between tenants. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FairSlots, type Work } from '../../quotas/fair-slots.ts';
import type { OpenedSource } from '../fetch-source.ts';
import type { PictureFacts, PictureReply, PictureResult, PictureTask } from './picture-tasks.ts';

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

/** Compiled, the neighbour is JavaScript as this file is. */
const PROGRAM = fileURLToPath(new URL(`./picture-process${extname(import.meta.filename)}`, import.meta.url));
/** Starting one costs a quarter of a second, keeping one some 60 MB. */
const IDLE_MS = 30_000;
const WAITING_PER_TENANT = 500;

/** As the first bytes say. Whatever else a decoder might take is not shown to one. */
const TYPES = ['image/jpeg', 'image/png', 'image/apng', 'image/webp', 'image/gif'];

/** A task before its file lies anywhere. */
type Asked = PictureTask extends infer T ? (T extends PictureTask ? Omit<T, 'path'> : never) : never;
type Run = (task: Asked, file: OpenedSource) => Promise<PictureResult>;

export class Pictures {
  readonly #settings: PictureSettings;
  readonly #slots: FairSlots;
  readonly #idle: IdleProcess[] = [];
  readonly #all = new Set<ChildProcess>();

  constructor(settings: PictureSettings) {
    this.#settings = settings;
    this.#slots = new FairSlots({
      capacity: settings.concurrency,
      waitingPerTenant: WAITING_PER_TENANT,
      what: 'pictures',
    });
  }

  /** The same, on behalf of somebody. */
  for(work: Work): PictureReader {
    return new PictureReader((task, file) => this.#run(task, file, work));
  }

  /** Ends the processes and what they are at. */
  close(): void {
    for (const child of this.#all) child.kill('SIGKILL');
  }

  async #run(task: Asked, file: OpenedSource, work: Work): Promise<PictureResult> {
    const type = file.detectedType;
    if (!type || !TYPES.includes(type)) {
      throw new UnusablePicture(`must be JPEG, PNG, WebP or GIF, not ${type ?? 'of an unknown format'}`);
    }
    return this.#slots.run(work, () =>
      onDisk(file, (path) => this.#ask({ ...task, path } as PictureTask, work.signal)),
    );
  }

  /** A process that did not answer in time, or whose answer nobody waits for, is ended: nothing else stops a decoder. */
  #ask(task: PictureTask, signal: AbortSignal | undefined): Promise<PictureResult> {
    signal?.throwIfAborted();
    const child = this.#waiting() ?? this.#start();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', stop);
        child.off('message', answered).off('exit', ended).off('error', ended);
      };
      const stop = (): void => void child.kill('SIGKILL');
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        stop();
      }, this.#settings.timeoutMs);
      const answered = (reply: PictureReply): void => {
        leave();
        this.#keep(child);
        if ('result' in reply) resolve(reply.result);
        else reject(new UnusablePicture(reply.problem));
      };
      const ended = (): void => {
        leave();
        if (signal?.aborted) reject(signal.reason);
        else reject(new UnusablePicture(late ? 'takes too long to read' : 'cannot be read'));
      };
      child.on('message', answered).on('exit', ended).on('error', ended);
      signal?.addEventListener('abort', stop);
      child.send(task);
    });
  }

  #waiting(): ChildProcess | null {
    for (;;) {
      const child = this.#idle.pop()?.take() ?? null;
      if (child === null || child.connected) return child;
    }
  }

  #start(): ChildProcess {
    // No variable of ours is any of its business; PATH and the locale are.
    const { PATH, LANG } = process.env;
    const child = fork(PROGRAM, {
      execArgv: ['--max-old-space-size=64'],
      env: { PATH, LANG },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
    });
    this.#all.add(child);
    child.once('exit', () => this.#all.delete(child));
    child.on('error', () => child.kill('SIGKILL'));
    return child;
  }

  #keep(child: ChildProcess): void {
    this.#idle.push(new IdleProcess(child, (gone) => this.#idle.splice(this.#idle.indexOf(gone), 1)));
  }
}

/** A process that waits for its next picture, keeps nobody alive meanwhile, and ends after a while. */
class IdleProcess {
  readonly #child: ChildProcess;
  readonly #timer: NodeJS.Timeout;
  readonly #ended: () => void;

  constructor(child: ChildProcess, gone: (idle: IdleProcess) => void) {
    this.#child = child;
    this.#ended = () => {
      clearTimeout(this.#timer);
      gone(this);
    };
    child.once('exit', this.#ended);
    child.unref();
    child.channel?.unref();
    this.#timer = setTimeout(() => child.kill('SIGKILL'), IDLE_MS).unref();
  }

  take(): ChildProcess {
    clearTimeout(this.#timer);
    this.#child.off('exit', this.#ended);
    this.#child.ref();
    this.#child.channel?.ref();
    return this.#child;
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

  /** WebP of 512 × 512 with a clear background, animated if the picture is, of at most `maxBytes`. */
  sticker(file: OpenedSource, maxBytes: number): Promise<PictureResult> {
    return this.#run({ kind: 'sticker', maxBytes }, file);
  }
}

async function onDisk<T>(file: OpenedSource, work: (path: string) => Promise<T>): Promise<T> {
  if ('path' in file.content) return work(file.content.path);
  const folder = await mkdtemp(join(tmpdir(), 'wuts-picture-'));
  try {
    const path = join(folder, 'in');
    await writeFile(path, file.content.bytes, { mode: 0o600 });
    return await work(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
