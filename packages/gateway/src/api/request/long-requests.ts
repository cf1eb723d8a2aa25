/** Requests that hold a connection for long: how many a user may have at a time, and when they end. */
import { setMaxListeners } from 'node:events';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../../errors.ts';
import type { Caller } from '../../tenancy/caller.ts';
import { seesTheSame } from '../../tenancy/visibility.ts';
import { type Authenticator, tokenOf } from '../auth.ts';

/** Streams and waiting polls of one user. */
const MOST_OPEN = 20;

/** Knows callers, and says of which tenant the callers have changed and must be looked up again. */
export interface WatchedAuthenticator extends Pick<Authenticator, 'authenticate'> {
  onChange(listener: (tenantId: string) => void): void;
}

/** A request that is watched: `signal` aborts when the client goes, may no longer ask, or the server stops. */
export interface LongRequest {
  signal: AbortSignal;
  /** Throws UNAUTHORIZED or FORBIDDEN when the token would not get this answer any more. */
  authorize(): Promise<void>;
  /** Must be called at the end. */
  done(): void;
}

/** The long requests of one server. */
export class LongRequests {
  readonly #authenticator: WatchedAuthenticator;
  readonly #counts = new Map<string, number>();
  readonly #stop = new AbortController();
  /** What to do for each watched request of a tenant when one of its users has changed. */
  readonly #watched = new Map<string, Set<() => void>>();

  constructor(authenticator: WatchedAuthenticator) {
    this.#authenticator = authenticator;
    // Each waiting client listens.
    setMaxListeners(0, this.#stop.signal);
    authenticator.onChange((tenantId) => {
      for (const check of this.#watched.get(tenantId) ?? []) check();
    });
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

  /** Watches a request from now on. */
  watch(request: FastifyRequest): LongRequest {
    const gone = new AbortController();
    const { socket } = request.raw;
    const { tenantId } = request.caller;
    const leave = (): void => gone.abort();
    const authorize = () => this.#authorize(request);
    const check = (): void => void authorize().catch(leave);
    const { signal } = this.#stop;
    socket.once('close', leave);
    signal.addEventListener('abort', leave);
    if (signal.aborted) leave();
    const watched = this.#watched.get(tenantId) ?? new Set();
    this.#watched.set(tenantId, watched.add(check));
    // If the user changed after the request came in, nobody was told yet.
    check();
    return {
      signal: gone.signal,
      authorize,
      done: () => {
        socket.off('close', leave);
        signal.removeEventListener('abort', leave);
        watched.delete(check);
        if (watched.size === 0 && this.#watched.get(tenantId) === watched) this.#watched.delete(tenantId);
      },
    };
  }

  async #authorize(request: FastifyRequest): Promise<void> {
    const { userId } = request.caller;
    const token = tokenOf(request);
    const caller = token === null ? null : await this.#authenticator.authenticate(token);
    if (caller?.userId !== userId) throw new AppError('UNAUTHORIZED', { message: 'Invalid token' });
    if (!seesTheSame(caller, request.caller)) {
      throw new AppError('FORBIDDEN', { message: 'your role has changed: ask again' });
    }
  }
}
