import { systemClock } from '../../../clock.ts';
import { mayPass } from './may-pass.ts';

/** One piece of inbound work. */
export interface InboundItem {
  /** Rejects as long as it could not be stored. */
  store(): Promise<void>;
  /** Called when another try would end the same way; what is behind it goes on. */
  setAside(error: unknown): Promise<void>;
}

const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 30_000;

/**
 * Hands decrypted messages to the archive, one after the other and in their order.
 * An item stays at the head while the store cannot take it (a locked database, a full disk), so nothing
 * overtakes it; one that fails because of what it is, is set aside.
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
        await item.store();
        this.#items.shift();
        retryMs = FIRST_RETRY_MS;
      } catch (error) {
        if (!mayPass(error)) {
          this.#items[0] = this.#settingAside(item, error);
          continue;
        }
        this.#onFailure(error);
        if (this.#stopped) break;
        await this.#pause(retryMs);
        retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
      }
    }
    this.#running = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Takes the item's place, and waits for the store like any other. */
  #settingAside(item: InboundItem, error: unknown): InboundItem {
    return {
      store: () => item.setAside(error),
      // Its row stays, and the next start tries again: that is the most that can be done with it.
      setAside: async (again) => this.#onFailure(again),
    };
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
