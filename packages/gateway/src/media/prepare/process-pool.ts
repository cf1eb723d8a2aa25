/** Helper processes: each takes one task at a time, in turns that are fair between tenants. */

import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../clock.ts';
import { FairSlots, type Work } from '../../quotas/fair-slots.ts';

export interface PoolOptions {
  /** Name of the program's file beside this one, without its ending. */
  program: string;
  /** What tasks are about, for refusals: "pictures". */
  what: string;
  /** Milliseconds for one task, from when its turn comes. */
  timeoutMs: number;
  /** Tasks at a time. */
  concurrency: number;
  clock: Clock;
}

/** What a helper process answers; `chunk` may come before it, any number of times. */
export type FromHelper<Reply> = { chunk: Uint8Array } | { reply: Reply };

/** There was no answer: it took too long, or the process ended. */
export class HelperFailed extends Error {
  readonly late: boolean;

  constructor(late: boolean) {
    super(late ? 'it took too long' : 'the process ended');
    this.late = late;
  }
}

/** Starting one costs a quarter of a second, keeping one some 60 MB. */
const IDLE_MS = 30_000;
const WAITING_PER_TENANT = 500;

/**
 * A helper ends itself, and whatever it has started, when its channel closes (`process.on('disconnect')`).
 * So it ends with the gateway, also one that is killed, and closing the channel is how a task is stopped.
 */
export class ProcessPool<Task extends object, Reply> {
  readonly #options: PoolOptions;
  readonly #slots: FairSlots;
  readonly #idle = new Set<IdleHelper>();
  readonly #all = new Set<ChildProcess>();

  constructor(options: PoolOptions) {
    this.#options = options;
    const { concurrency: capacity, what } = options;
    this.#slots = new FairSlots({ capacity, waitingPerTenant: WAITING_PER_TENANT, what });
  }

  /** Throws HelperFailed, QUOTA_EXCEEDED, or the signal's reason. */
  run(task: Task, work: Work, onChunk?: (chunk: Uint8Array) => void): Promise<Reply> {
    return this.#slots.run(work, () => this.#ask(task, work.signal, onChunk));
  }

  /** Ends the processes and what they are at. */
  close(): void {
    for (const child of this.#all) end(child);
  }

  #ask(task: Task, signal?: AbortSignal, onChunk?: (chunk: Uint8Array) => void): Promise<Reply> {
    signal?.throwIfAborted();
    const child = this.#waiting() ?? this.#start();
    return new Promise((resolve, reject) => {
      let late = false;
      const stop = (): void => end(child);
      const cancel = this.#options.clock.after(this.#options.timeoutMs, () => {
        late = true;
        stop();
      });
      const leave = (): void => {
        cancel();
        signal?.removeEventListener('abort', stop);
        child.off('message', heard).off('exit', ended).off('error', ended);
      };
      const heard = (message: FromHelper<Reply>): void => {
        if ('chunk' in message) {
          onChunk?.(message.chunk);
          return;
        }
        leave();
        this.#keep(child);
        resolve(message.reply);
      };
      const ended = (): void => {
        leave();
        reject(signal?.aborted ? signal.reason : new HelperFailed(late));
      };
      child.on('message', heard).on('exit', ended).on('error', ended);
      signal?.addEventListener('abort', stop);
      child.send(task);
    });
  }

  #waiting(): ChildProcess | null {
    for (const idle of this.#idle) {
      this.#idle.delete(idle);
      const child = idle.take();
      if (child.connected) return child;
    }
    return null;
  }

  #start(): ChildProcess {
    // No variable of ours is any of its business; PATH and the locale are.
    const { PATH, LANG } = process.env;
    // Compiled, the neighbour is JavaScript as this file is.
    const file = new URL(`./${this.#options.program}${extname(import.meta.filename)}`, import.meta.url);
    const child = fork(fileURLToPath(file), {
      execArgv: ['--max-old-space-size=64'],
      env: { PATH, LANG },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
    });
    this.#all.add(child);
    child.once('exit', () => this.#all.delete(child));
    child.on('error', () => end(child));
    return child;
  }

  #keep(child: ChildProcess): void {
    if (child.connected)
      this.#idle.add(new IdleHelper(child, this.#options.clock, (gone) => this.#idle.delete(gone)));
  }
}

function end(child: ChildProcess): void {
  if (child.connected) child.disconnect();
}

/** A helper that waits for its next task, keeps nobody alive meanwhile, and ends after a while. */
class IdleHelper {
  readonly #child: ChildProcess;
  readonly #cancel: () => void;
  readonly #ended: () => void;

  constructor(child: ChildProcess, clock: Clock, gone: (idle: IdleHelper) => void) {
    this.#child = child;
    this.#ended = () => {
      this.#cancel();
      gone(this);
    };
    child.once('exit', this.#ended);
    child.unref();
    child.channel?.unref();
    this.#cancel = clock.after(IDLE_MS, () => end(child));
  }

  take(): ChildProcess {
    this.#cancel();
    this.#child.off('exit', this.#ended);
    this.#child.ref();
    this.#child.channel?.ref();
    return this.#child;
  }
}
