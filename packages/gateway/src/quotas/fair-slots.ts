/** Work of which only so much can run at a time, shared between tenants. */
import { AppError } from '../errors.ts';

export interface SlotLimits {
  /** Runs at a time. */
  capacity: number;
  /** Runs of one tenant that wait; a further one is refused. */
  waitingPerTenant: number;
  /** What the tasks wait for, as the refusal names it: "pictures". */
  what: string;
}

/** Whose work it is. `signal` ends the waiting; the code that runs the work ends the work. */
export interface Work {
  tenantId: string;
  signal?: AbortSignal | undefined;
}

interface Waiting {
  start(): void;
}

const RETRY_S = 5;

/**
 * Slots that no tenant can hold all of: one of several stays for the others, and those that become free go
 * round the tenants that wait, not round their requests. What one tenant piles up waits behind its own.
 */
export class FairSlots {
  readonly #limits: SlotLimits;
  readonly #running = new Map<string, number>();
  /** In the order in which the tenants are served next. */
  readonly #waiting = new Map<string, Waiting[]>();
  #taken = 0;

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  /** Runs `work` in its turn. Throws QUOTA_EXCEEDED when too much of the tenant waits, or the signal's reason. */
  async run<T>({ tenantId, signal }: Work, work: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    if (!this.#mayStart(tenantId)) await this.#turn(tenantId, signal);
    else this.#take(tenantId);
    try {
      return await work();
    } finally {
      this.#give(tenantId);
    }
  }

  /** Resolves once the slot is taken. */
  #turn(tenantId: string, signal: AbortSignal | undefined): Promise<void> {
    const { waitingPerTenant, what } = this.#limits;
    const queue = this.#waiting.get(tenantId) ?? [];
    if (queue.length >= waitingPerTenant) {
      throw new AppError('QUOTA_EXCEEDED', {
        message: `too many ${what} of this tenant wait already: ${waitingPerTenant}`,
        retryAfterSeconds: RETRY_S,
      });
    }
    this.#waiting.set(tenantId, queue);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        queue.splice(queue.indexOf(waiting), 1);
        if (queue.length === 0) this.#waiting.delete(tenantId);
        reject(signal?.reason);
      };
      const waiting: Waiting = {
        start: () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
      };
      queue.push(waiting);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  #mayStart(tenantId: string): boolean {
    const { capacity } = this.#limits;
    if (this.#taken >= capacity) return false;
    return (this.#running.get(tenantId) ?? 0) < Math.max(1, capacity - 1);
  }

  #take(tenantId: string): void {
    this.#taken += 1;
    this.#running.set(tenantId, (this.#running.get(tenantId) ?? 0) + 1);
  }

  #give(tenantId: string): void {
    this.#taken -= 1;
    const left = (this.#running.get(tenantId) ?? 1) - 1;
    if (left === 0) this.#running.delete(tenantId);
    else this.#running.set(tenantId, left);
    this.#startNext();
  }

  #startNext(): void {
    for (const [tenantId, queue] of this.#waiting) {
      if (!this.#mayStart(tenantId)) continue;
      const next = queue.shift();
      // Behind the others, when more of it waits.
      this.#waiting.delete(tenantId);
      if (queue.length > 0) this.#waiting.set(tenantId, queue);
      this.#take(tenantId);
      next?.start();
      return;
    }
  }
}
