/** Pulling events: page by page, waiting for the next one, or as a stream without end. */
import type { Clock } from '../clock.ts';
import type { Vault } from '../storage/vault.ts';
import type { EventName } from './catalogue/names.ts';
import type { EventEnvelope, StoredEvent } from './envelope.ts';
import type { EventStore } from './event-store.ts';
import type { EventFeed } from './feed.ts';
import type { MediaUrls } from './media-urls.ts';
import { SealedEvents } from './sealed-events.ts';

/** Whose events are read: the tenant's, or only those of one user's devices or of the named ones. */
export interface EventScope {
  tenantId: string;
  userId?: string | undefined;
  deviceIds?: readonly string[] | undefined;
  names?: readonly EventName[] | undefined;
}

/** A place in the order of recording: `latest` is behind everything there is. */
export type Position = number | 'latest';

export interface EventPage {
  events: EventEnvelope[];
  /** Where the next page begins. */
  next: number;
  /** The next page has something by now. */
  hasMore: boolean;
}

export type StreamItem =
  | { type: 'event'; position: number; event: EventEnvelope }
  /** Time for a sign of life. */
  | { type: 'beat' };

/** Of data in one page, and in memory per stream: a page ends earlier, and says that there is more. */
export const PAGE_BYTES = 4 * 1024 ** 2;
/** Rows in memory per stream. */
const STREAM_PAGE = 100;
/** A stream says something at least this often: proxies close what is silent for a minute. */
export const BEAT_MS = 15_000;

export class EventReader {
  readonly #store: EventStore;
  readonly #feed: EventFeed;
  readonly #clock: Clock;
  readonly #sealed: SealedEvents;

  constructor(parts: {
    store: EventStore;
    feed: EventFeed;
    clock: Clock;
    vault: Vault;
    mediaUrls?: MediaUrls;
  }) {
    this.#store = parts.store;
    this.#feed = parts.feed;
    this.#clock = parts.clock;
    this.#sealed = new SealedEvents(parts);
  }

  /**
   * The events after `after`, oldest first; when there are none, waits so long for one, or until `signal`. Throws
   * CURSOR_UNKNOWN for a place that no event has had, as `stream` does.
   */
  async page(
    scope: EventScope,
    options: { after: Position; limit: number; waitMs: number; signal: AbortSignal },
  ): Promise<EventPage> {
    const { limit, signal } = options;
    const until = this.#clock.monotonic() + options.waitMs;
    const waiting = this.#listen(scope.tenantId, signal);
    try {
      let position = await this.#position(scope.tenantId, options.after);
      for (;;) {
        const { rows, more: hasMore, upTo } = await this.#read(scope, position, limit);
        const next = hasMore ? (rows.at(-1)?.seq ?? position) : upTo;
        const left = until - this.#clock.monotonic();
        if (rows.length > 0 || left <= 0 || signal.aborted) {
          return { events: rows.map((row) => this.#sealed.envelope(row)), next, hasMore };
        }
        position = next;
        await waiting.next(left);
      }
    } finally {
      waiting.stop();
    }
  }

  /**
   * Events after `after` as they come, until `signal`. What is recorded once this has resolved is not missed,
   * whenever it is taken. What is not taken is not read: a slow reader waits.
   */
  async stream(
    scope: EventScope,
    options: { after: Position; signal: AbortSignal },
  ): Promise<AsyncGenerator<StreamItem>> {
    return this.#items(scope, await this.#position(scope.tenantId, options.after), options.signal);
  }

  async *#items(scope: EventScope, begin: number, signal: AbortSignal): AsyncGenerator<StreamItem> {
    const waiting = this.#listen(scope.tenantId, signal);
    try {
      let position = begin;
      let beatAt = this.#clock.monotonic() + BEAT_MS;
      while (!signal.aborted) {
        const read = await this.#read(scope, position, STREAM_PAGE);
        for (const row of read.rows) {
          if (signal.aborted) return;
          yield { type: 'event', position: row.seq, event: this.#sealed.envelope(row) };
        }
        position = read.more ? (read.rows.at(-1)?.seq ?? position) : read.upTo;
        if (this.#clock.monotonic() >= beatAt) {
          beatAt = this.#clock.monotonic() + BEAT_MS;
          yield { type: 'beat' };
        }
        if (!read.more) await waiting.next(beatAt - this.#clock.monotonic());
      }
    } finally {
      waiting.stop();
    }
  }

  /**
   * What there is between `position` and now; `upTo` is now. The upper end comes first, so that the next read
   * can go on from there, past all that the filters left out.
   */
  async #read(
    scope: EventScope,
    position: number,
    limit: number,
  ): Promise<{ rows: StoredEvent[]; more: boolean; upTo: number }> {
    const { tenantId, ...filters } = scope;
    const upTo = Math.max(await this.#store.latest(tenantId), position);
    const selection = { ...filters, after: position, upTo, limit };
    return { ...(await this.#store.eventPage(tenantId, selection, PAGE_BYTES)), upTo };
  }

  async #position(tenantId: string, after: Position): Promise<number> {
    if (after === 'latest') return this.#store.latest(tenantId);
    await this.#store.checkPlace(after);
    return after;
  }

  /** Listens from now on, so that nothing slips in between reading and waiting. */
  #listen(tenantId: string, signal: AbortSignal): { next(ms: number): Promise<void>; stop(): void } {
    let news = false;
    let wake: () => void = () => undefined;
    const told = (): void => {
      news = true;
      wake();
    };
    const stopListening = this.#feed.listen(tenantId, told);
    signal.addEventListener('abort', told);
    return {
      next: async (ms) => {
        if (!news && !signal.aborted && ms > 0) {
          await new Promise<void>((resolve) => {
            const cancel = this.#clock.after(ms, resolve);
            wake = () => {
              cancel();
              resolve();
            };
          });
        }
        news = false;
      },
      stop: () => {
        stopListening();
        signal.removeEventListener('abort', told);
      },
    };
  }
}
