/** Reads what was handed in by a thread: unpacking and parsing 64 MiB takes seconds, in which others are served. */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AppError } from '../errors.ts';
import {
  type ComingSession,
  type HeldKey,
  HeldSessionRefused,
  type NotTaken,
} from '../whatsapp/port/moving.ts';
import { tooLarge } from './archive/unpacking.ts';
import type { FoundInFile, ReadingAnswer, ReadingOrder } from './reading-thread.ts';

/** Of the thread's heap. The largest file that is taken, a JSON text of 64 MiB, needs some 400. */
const MOST_HEAP_MB = 1024;

export interface Read {
  found: FoundInFile;
  /** Its keys are read once, while the thread lives. */
  held: ComingSession;
}

/**
 * Calls `use` with the session that is meant; with its end the thread ends. Throws IMPORT_UNREADABLE, IMPORT_TOO_LARGE,
 * IMPORT_FORMAT_UNKNOWN, IMPORT_AMBIGUOUS, VALIDATION_ERROR and `HeldSessionRefused`, also while keys are read; and
 * SHUTTING_DOWN once `stopping` is aborted.
 */
export async function reading<T>(
  order: ReadingOrder,
  stopping: AbortSignal,
  use: (read: Read) => Promise<T>,
): Promise<T> {
  if (stopping.aborted) throw new AppError('SHUTTING_DOWN');
  // The published package is JavaScript: the thread's file ends as this one does.
  const thread = new Worker(new URL(`reading-thread${extname(import.meta.url)}`, import.meta.url), {
    workerData: order,
    // Nothing of the gateway's settings is there.
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: MOST_HEAP_MB },
  });
  const end = () => void thread.terminate();
  stopping.addEventListener('abort', end);
  try {
    const answers = new Answers(thread);
    const first = await answers.next();
    if (!('found' in first)) throw new Error('the thread answers with keys of nobody');
    const { found } = first;
    const notTaken: NotTaken[] = [];
    const { creds, place } = found;
    return await use({ found, held: { creds, place, keys: keysFrom(thread, answers, notTaken), notTaken } });
  } finally {
    stopping.removeEventListener('abort', end);
    await thread.terminate();
  }
}

async function* keysFrom(thread: Worker, answers: Answers, notTaken: NotTaken[]): AsyncIterable<HeldKey> {
  for (;;) {
    thread.postMessage('more');
    const answer = await answers.next();
    if ('keys' in answer) yield* answer.keys;
    else if ('over' in answer) {
      notTaken.push(...answer.over);
      return;
    }
  }
}

/** What the thread says, one after the other; its refusals are thrown. */
class Answers {
  readonly #said: ReadingAnswer[] = [];
  #failure: unknown = null;
  #wake: () => void = () => undefined;

  constructor(thread: Worker) {
    thread.on('message', (answer: ReadingAnswer) => {
      this.#said.push(answer);
      this.#wake();
    });
    thread.once('error', (error) =>
      this.#fail(outOfMemory(error) ? tooLarge('it needs too much memory') : error),
    );
    thread.once('exit', () => this.#fail(new AppError('SHUTTING_DOWN')));
  }

  async next(): Promise<Exclude<ReadingAnswer, { refused: unknown } | { held: unknown }>> {
    for (;;) {
      const answer = this.#said.shift();
      if (answer && 'refused' in answer) throw new AppError(answer.refused.code, answer.refused.detail);
      if (answer && 'held' in answer) {
        const { kind, field, place, message } = answer.held;
        throw new HeldSessionRefused(kind, field, place, message);
      }
      if (answer) return answer;
      if (this.#failure !== null) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #fail(reason: unknown): void {
    this.#failure ??= reason;
    this.#wake();
  }
}

function outOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}
