/** Requests that hold a connection for long: how many a user may have at a time, and when they end. */
import { setMaxListeners } from 'node:events';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../../errors.ts';
import type { Caller } from '../../tenancy/caller.ts';

/** Streams and waiting polls of one user. */
const MOST_OPEN = 20;

/** The long requests of one server. */
export class LongRequests {
  readonly #counts = new Map<string, number>();
  readonly #stop = new AbortController();

  constructor() {
    // Each waiting client listens.
    setMaxListeners(0, this.#stop.signal);
  }

  /** Ends all of them. */
  stop(): void {
    this.#stop.abort();
  }

  get stopping(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Counts one more of the caller's; throws RATE_LIMITED at the bound. The returned function gives it back. */
  take({ userId }: Caller): () => void {
    const count = this.#counts.get(userId) ?? 0;
    if (count >= MOST_OPEN) {
      throw new AppError('RATE_LIMITED', {
        message: `at most ${MOST_OPEN} streams and waiting requests at a time`,
        retryAfterSeconds: 5,
      });
    }
    this.#counts.set(userId, count + 1);
    return () => {
      const left = (this.#counts.get(userId) ?? 1) - 1;
      if (left > 0) this.#counts.set(userId, left);
      else this.#counts.delete(userId);
    };
  }

  /** Aborts when the client goes or the server stops. `done` must be called. */
  watch(request: FastifyRequest): { signal: AbortSignal; done(): void } {
    const gone = new AbortController();
    const { socket } = request.raw;
    const leave = (): void => gone.abort();
    const { signal } = this.#stop;
    socket.once('close', leave);
    signal.addEventListener('abort', leave);
    if (signal.aborted) leave();
    return {
      signal: gone.signal,
      done: () => {
        socket.off('close', leave);
        signal.removeEventListener('abort', leave);
      },
    };
  }
}
