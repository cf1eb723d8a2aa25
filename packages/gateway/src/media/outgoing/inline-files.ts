/** Files that stand in a JSON body as base64: decoded and looked at by a thread, while others are served. */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AppError } from '../../errors.ts';
import { MOST_INLINE_BYTES } from './base64.ts';
import type { Decoded, InlineAnswer, InlineOrder, InlineText } from './inline-thread.ts';
import type { Upload, Uploads } from './uploads.ts';

interface Waiting {
  resolve(files: Decoded[]): void;
  reject(error: unknown): void;
}

/** One thread, started by the first large body; orders are done in their order. */
export class InlineFiles {
  readonly #uploads: Uploads;
  readonly #maxBytes: number;
  readonly #waiting = new Map<number, Waiting>();
  #thread: Worker | null = null;
  #orders = 0;

  /** `maxBytes` of one file. */
  constructor(parts: { uploads: Uploads; maxBytes: number }) {
    this.#uploads = parts.uploads;
    this.#maxBytes = Math.min(parts.maxBytes, MOST_INLINE_BYTES);
  }

  /**
   * Decodes the texts that lie in these bytes, in their order. The bytes are given away: they cannot be read
   * afterwards. Throws INVALID_MEDIA, PAYLOAD_TOO_LARGE, INVALID_JSON.
   */
  async decode(bytes: Buffer<ArrayBuffer>, texts: readonly InlineText[]): Promise<Upload[]> {
    const files = await new Promise<Decoded[]>((resolve, reject) => {
      const thread = this.#running();
      const id = this.#orders++;
      this.#waiting.set(id, { resolve, reject });
      // Small ones lie in a pool that others share.
      const own = bytes.length === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
      const order: InlineOrder = { id, bytes: own, texts, maxBytes: this.#maxBytes };
      thread.postMessage(order, [own.buffer]);
    });
    return files.map((file) => this.#uploads.hold(file));
  }

  /** Ends the thread; what it was decoding is refused. */
  async stop(): Promise<void> {
    await this.#thread?.terminate();
  }

  #running(): Worker {
    if (this.#thread) return this.#thread;
    // The published package is JavaScript: the thread's file ends as this one does.
    const thread = new Worker(new URL(`inline-thread${extname(import.meta.url)}`, import.meta.url));
    thread.unref();
    thread.on('message', (answer: InlineAnswer) => this.#answered(answer));
    thread.once('error', (error) => this.#ended(thread, error));
    thread.once('exit', () => this.#ended(thread, new AppError('SHUTTING_DOWN')));
    this.#thread = thread;
    return thread;
  }

  #answered(answer: InlineAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('files' in answer) waiting?.resolve(answer.files);
    else waiting?.reject(new AppError(answer.refused.code, answer.refused.detail));
  }

  #ended(thread: Worker, reason: unknown): void {
    if (this.#thread !== thread) return;
    this.#thread = null;
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }
}
