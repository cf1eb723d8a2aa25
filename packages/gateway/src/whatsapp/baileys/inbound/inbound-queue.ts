import { systemClock } from '../../../clock.ts';
/** One piece of inbound work: rejects as long as it could not be stored. */
export type InboundItem = () => Promise<void>;

const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 30_000;

/**
 * Hands decrypted messages to the archive, one after the other and in their order.
 * An item stays at the head until it is stored (a locked database, a full disk), so nothing overtakes it.
 * What is left when the process dies is in the journal.
 */
export class InboundQueue {
  readonly #onFailure: (error: unknown) => void;
  #items: InboundItem[] = [];
  #running = false;
  #stopped = false;
  #wake: (() => void) | null = null;
  #idle: (() => void)[] = [];

  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  push(item: InboundItem): void {
    this.#items.push(item);
    if (!this.#running) void this.#run();
  }

  /** Resolves when nothing is waiting any more, or an item failed after `stopRetrying`. */
  async drained(): Promise<void> {
    if (!this.#running) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** From now on a failed item is given up instead of tried again: it stays in the journal for the next start. */
  stopRetrying(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  async #run(): Promise<void> {
    this.#running = true;
    let retryMs = FIRST_RETRY_MS;
    for (let item = this.#items[0]; item; item = this.#items[0]) {
      try {
        await item();
        this.#items.shift();
        retryMs = FIRST_RETRY_MS;
      } catch (error) {
        this.#onFailure(error);
        if (this.#stopped) break;
        await this.#pause(retryMs);
        retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
      }
    }
    this.#running = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #pause(ms: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.#wake = null;
        resolve();
      };
      const cancel = systemClock.after(ms, done);
      this.#wake = done;
    });
  }
}
