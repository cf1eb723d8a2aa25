/** Albums as jobs: several messages with one end, of which each attempt sends what has not arrived. */
import type { Clock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import type { Caller } from '../../tenancy/caller.ts';
import type { AlbumProgress, AlbumRequest, Albums, SentAlbum, SentItem } from '../albums.ts';
import type { SendJob } from './job.ts';
import type { JobStore } from './job-store.ts';
import type { LongAnswer, LongSends } from './long-sends.ts';
import { afterFailure, type NextStep, retryPause } from './retry-policy.ts';
import type { LaterSend } from './send-jobs.ts';

type Request = Omit<AlbumRequest, 'attempt' | 'progress'>;

export class AlbumSends {
  readonly #albums: Albums;
  readonly #longSends: LongSends;
  readonly #store: Pick<JobStore, 'rememberItems'>;
  readonly #clock: Clock;
  readonly #lateMs: number;

  constructor(parts: {
    albums: Albums;
    longSends: LongSends;
    store: Pick<JobStore, 'rememberItems'>;
    clock: Clock;
    lateMs: number;
  }) {
    this.#albums = parts.albums;
    this.#longSends = parts.longSends;
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#lateMs = parts.lateMs;
  }

  /** Sends it within its request, in which each item is tried once; or becomes a job when that takes long. */
  now(caller: Caller, later: LaterSend, request: Request): Promise<LongAnswer<SentAlbum>> {
    return this.#longSends.run(caller, later, {
      send: (attempt, job) => {
        const progress: AlbumProgress = {
          known: [],
          hindrance: (failure) => (failure && job() && passes(failure) ? failure : null),
          remember: async (items) => {
            const adopted = await job()?.catch(() => null);
            if (adopted) await this.#store.rememberItems(adopted, items);
          },
        };
        return this.#albums.send(caller, { ...request, attempt, progress });
      },
      next: (job, sent) => this.#after(job, sent),
    });
  }

  /** An attempt of a job. `stop` ends it between two items; `late`: what has not left by now is not sent any more. */
  async attempt(
    caller: Caller,
    job: SendJob,
    { request, stop, late }: { request: AlbumRequest; stop: AbortSignal; late: AppError | null },
  ): Promise<NextStep> {
    const sent = await this.#albums.send(caller, {
      ...request,
      progress: {
        known: job.items ?? [],
        hindrance: (failure) => {
          if (stop.aborted) return new AppError('SHUTTING_DOWN');
          return failure && !passes(failure) ? null : (failure ?? late);
        },
        remember: (items) => this.#store.rememberItems(job, items),
      },
    });
    return this.#after(job, sent);
  }

  /** A job of which anything has arrived is no failed one: whoever sends it anew would send that twice. */
  #after(job: SendJob, { album, items, heldUp }: SentAlbum): NextStep {
    const next = heldUp && afterFailure(job, heldUp, this.#clock.now(), this.#lateMs);
    if (next && 'again' in next) return next;
    const given = next?.over.state === 'failed' ? next.over : null;
    const ended = given ? items.map((item) => givenUp(item, given.error)) : items;
    const ends = { items: ended, restOfBulk: given?.restOfBulk ?? null };
    const failure = ended.find(({ error }) => error)?.error;
    if (!failure || ended.some(({ status }) => status !== 'failed')) {
      return { over: { state: 'sent', messageId: album.messageId, ...ends } };
    }
    return { over: { state: 'failed', error: failure, ...ends } };
  }
}

function passes(failure: AppError): boolean {
  return retryPause(failure, 0) !== null;
}

function givenUp(item: SentItem, error: SentItem['error']): SentItem {
  return item.status === 'waiting' ? { ...item, status: 'failed', error } : item;
}
