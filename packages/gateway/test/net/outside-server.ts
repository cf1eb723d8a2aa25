import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** A server in a thread of its own: it goes on while the loop of the test stands still. */
export class OutsideServer {
  readonly url: string;
  readonly #thread: Worker;
  readonly #answered: Int32Array;

  private constructor(thread: Worker, port: number, answered: Int32Array) {
    this.#thread = thread;
    this.url = `http://127.0.0.1:${port}/hook`;
    this.#answered = answered;
  }

  static async start(): Promise<OutsideServer> {
    const answered = number();
    const thread = new Worker(new URL('./outside-thread.ts', import.meta.url), { workerData: answered });
    const [port] = await once(thread, 'message');
    return new OutsideServer(thread, port, answered);
  }

  /** Resolves when a request has come in; its answer is held back. Ask before the request is made. */
  async asked(): Promise<void> {
    await once(this.#thread, 'message');
  }

  /** The answer leaves while this thread does nothing, and goes on doing nothing until `ms` are over. */
  answerMeanwhile(ms: number): void {
    const begun = performance.now();
    this.#thread.postMessage('answer');
    if (Atomics.wait(this.#answered, 0, 0, 10_000) === 'timed-out') throw new Error('nothing was answered');
    standStill(ms - (performance.now() - begun));
  }

  async stop(): Promise<void> {
    await this.#thread.terminate();
  }
}

/** Blocks the loop of this thread for so long, as a large answer that is parsed would. */
export function standStill(ms: number): void {
  if (ms > 0) Atomics.wait(number(), 0, 0, ms);
}

function number(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4));
}
