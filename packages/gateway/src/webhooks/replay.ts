/** Sends stored events again: after an outage longer than the schedule, or to a receiver that is new. */
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { EventName } from '../events/catalogue/names.ts';
import type { EventStore } from '../events/event-store.ts';
import { checked, checkedTenant } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import type { Endpoint } from './endpoint.ts';
import { enqueue } from './queue.ts';

export interface ReplayRange {
  /** Recorded at this time or later, milliseconds. */
  fromMs?: number | undefined;
  /** Recorded before this time, milliseconds. */
  toMs?: number | undefined;
  /** Recorded after this place in the order of events. */
  afterSeq?: number | undefined;
  /** Up to and including this place. */
  upToSeq?: number | undefined;
  /** Default: those that the endpoint is configured for. */
  events?: readonly EventName[] | undefined;
  /** Only what the endpoint has not received: no successful delivery of it is known. */
  missingOnly?: boolean | undefined;
  /** How many events are looked at, at most. */
  limit: number;
}

export interface ReplayAnswer {
  enqueued: number;
  /** Events that the endpoint is waiting for already, or (`missingOnly`) has received. */
  skipped: number;
  /** Where to go on with `afterSeq`; null when the range was gone through. */
  nextSeq: number | null;
}

/** Small enough that a commit in between lets inbound messages through. */
const BATCH = 200;

export class Replay {
  readonly #parts: { db: Kysely<Database>; clock: Clock; store: EventStore; wake(): void };

  constructor(parts: { db: Kysely<Database>; clock: Clock; store: EventStore; wake(): void }) {
    this.#parts = parts;
  }

  /**
   * In batches; deliveries begin with the first. Events that are never pushed are left out. Throws CURSOR_UNKNOWN
   * for an `afterSeq` that no event has had.
   */
  async run(endpoint: Endpoint, range: ReplayRange): Promise<ReplayAnswer> {
    const { store, wake } = this.#parts;
    const names = range.events ?? endpoint.events;
    const answer: ReplayAnswer = { enqueued: 0, skipped: 0, nextSeq: null };
    let after = range.afterSeq ?? 0;
    await store.checkPlace(after);
    // Without an end, what is recorded meanwhile would be sent twice.
    const upTo = range.upToSeq ?? (await store.latest(endpoint.tenantId));
    for (let seen = 0; seen < range.limit; ) {
      const limit = Math.min(BATCH, range.limit - seen);
      const found = await store.eventsAfter(endpoint.tenantId, {
        after,
        upTo,
        limit,
        deviceIds: [endpoint.deviceId],
        names,
        fromMs: range.fromMs,
        toMs: range.toMs,
      });
      const last = found.at(-1);
      if (!last) return answer;
      const pushed = found.filter((event) => Number(event.quiet) === 0);
      const enqueued = await this.#enqueue(endpoint, pushed, range.missingOnly === true);
      answer.enqueued += enqueued;
      answer.skipped += pushed.length - enqueued;
      if (enqueued > 0) wake();
      if (found.length < limit) return answer;
      seen += found.length;
      after = Number(last.seq);
    }
    return { ...answer, nextSeq: after };
  }

  async #enqueue(
    endpoint: Endpoint,
    events: { id: string; seq: number; name: string; order_key: string }[],
    missingOnly: boolean,
  ): Promise<number> {
    if (events.length === 0) return 0;
    const { db, clock } = this.#parts;
    const now = clock.now();
    const known = missingOnly ? (['pending', 'delivered'] as const) : (['pending'] as const);
    return db.transaction().execute(async (trx) => {
      const there = await trx
        .selectFrom('webhook_deliveries')
        .select('event_id')
        .where(checkedTenant(endpoint.tenantId))
        .where(checked('endpoint_id', endpoint.id))
        .where('state', 'in', known)
        .where(
          'event_id',
          'in',
          events.map((event) => event.id),
        )
        .execute();
      const skip = new Set(there.map((row) => row.event_id));
      let enqueued = 0;
      for (const { id, seq, name, order_key: orderKey } of events) {
        if (skip.has(id)) continue;
        const device = { id: endpoint.deviceId, tenantId: endpoint.tenantId };
        const event = { id, seq: Number(seq), name, orderKey };
        if (await enqueue(trx, { endpointId: endpoint.id, device }, event, { now, onlyEnabled: false }))
          enqueued += 1;
      }
      return enqueued;
    });
  }
}
