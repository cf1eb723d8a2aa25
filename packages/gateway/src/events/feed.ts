/** Waiting for events instead of asking again and again: what long polls and streams share. */
import type { Log } from '../observability/log.ts';
import type { EventStore } from './event-store.ts';

type FeedStore = Pick<EventStore, 'tenantsAfter' | 'newest'>;

/**
 * Wakes those who wait for a tenant's events. However many commits and waiters there are, at most one query
 * at a time finds out which tenants have something new, and none runs while nobody waits.
 */
export class EventFeed {
  readonly #store: FeedStore;
  readonly #log: Log;
  readonly #waiting = new Map<string, Set<() => void>>();
  /** Nothing up to here is news; null: not known, everybody is woken. */
  #told: number | null = null;
  #looking = false;
  #lookAgain = false;

  constructor(parts: { store: FeedStore; log: Log }) {
    this.#store = parts.store;
    this.#log = parts.log;
  }

  /** How many wait. */
  get waiting(): number {
    let count = 0;
    for (const listeners of this.#waiting.values()) count += listeners.size;
    return count;
  }

  /** Events were committed. Never throws and does not wait. */
  wake(): void {
    if (this.#waiting.size === 0) return;
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = true;
    void this.#look();
  }

  /**
   * Calls `wake` whenever the tenant may have new events, until the returned function is called. For what
   * was committed before, it is not called: begin to listen, then read, then wait.
   */
  listen(tenantId: string, wake: () => void): () => void {
    const listeners = this.#waiting.get(tenantId) ?? new Set();
    this.#waiting.set(tenantId, listeners.add(wake));
    return () => {
      listeners.delete(wake);
      if (listeners.size === 0 && this.#waiting.get(tenantId) === listeners) this.#waiting.delete(tenantId);
      // Or the next look would go through all that happened while nobody waited.
      if (this.#waiting.size === 0) this.#told = null;
    };
  }

  async #look(): Promise<void> {
    do {
      this.#lookAgain = false;
      try {
        const told = this.#told;
        const news =
          told === null
            ? { newest: await this.#store.newest(), tenantIds: [...this.#waiting.keys()] }
            : await this.#store.tenantsAfter(told);
        this.#told = news.newest;
        for (const tenantId of news.tenantIds) {
          for (const wake of [...(this.#waiting.get(tenantId) ?? [])]) wake();
        }
      } catch (err) {
        // Waiters read again by themselves before long; the next commit tries again.
        this.#log.warn({ err }, 'could not look for new events');
      }
    } while (this.#lookAgain);
    this.#looking = false;
  }
}
