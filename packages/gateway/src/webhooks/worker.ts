/**
 * Delivers. Several lanes at a time (a lane: one endpoint, one chat), one delivery of a lane after the
 * other. Which lanes are being served is known to this process alone; what is due is in the database, so a
 * new process simply begins where the old one ended, and an attempt whose result was lost is made again.
 */

import type { Kysely } from 'kysely';
import { type Clock, SetBacks } from '../clock.ts';
import type { MediaUrls } from '../events/media-urls.ts';
import type { GuardedClient } from '../net/guarded-client.ts';
import type { Log } from '../observability/log.ts';
import { HotQuery } from '../storage/hot-query.ts';
import type { Database } from '../storage/schema.ts';
import type { Vault } from '../storage/vault.ts';
import { type AttemptResult, Attempts } from './attempt.ts';
import { type EndpointRow, headersOf, secretOf } from './endpoint.ts';
import type { JoinedLanes } from './lanes.ts';
import type { WebhookMetrics } from './metrics.ts';
import type { Verdict } from './outcome.ts';
import {
  dueLanes,
  followSetBack,
  type Lane,
  nextDue,
  type OpenDelivery,
  openDeliveries,
  PARKED,
  parkLane,
  releaseStuckLanes,
} from './queue.ts';
import { Results, type ResultsParts } from './results.ts';
import { waitAfter } from './schedule.ts';
import { Slots } from './slots.ts';

export interface WorkerParts extends ResultsParts {
  db: Kysely<Database>;
  vault: Vault;
  mediaUrls?: MediaUrls;
  clock: Clock;
  log: Log;
  client: GuardedClient;
  metrics: WebhookMetrics;
  /** Attempts at a time, all endpoints together. */
  concurrency: number;
  /** From 0 to 1, for the jitter of the schedule. */
  random?: () => number;
}

/** Deliveries of a lane that are made before its turn is over and the database is asked again. */
const LANE_TURN = 32;
/** A receiver that could not be read from the database, or a failing database, is left alone for so long. */
const PAUSE_AFTER_ERROR_MS = 5000;
const LOOK_FOR_STUCK_MS = 15 * 60_000;
/** What is under way may end within this; then it is broken off and made again after the next start. */
const STOP_GRACE_MS = 2500;

export class DeliveryWorker {
  readonly #parts: WorkerParts;
  readonly #attempts: Attempts;
  readonly #results: Results;
  readonly #slots: Slots;
  readonly #lanes = new Set<Promise<void>>();
  #running = false;
  #pumping: Promise<void> | null = null;
  #again = false;
  #cancelTimer: () => void = () => undefined;
  readonly #setBacks: SetBacks;
  #cancelSearch: () => void = () => undefined;
  #searching: Promise<void> = Promise.resolve();

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#setBacks = new SetBacks(parts.clock);
    this.#attempts = new Attempts(parts);
    this.#results = new Results(parts);
    this.#slots = new Slots(parts.concurrency);
  }

  /** Takes up what an earlier process left open. */
  start(): void {
    this.#running = true;
    this.#lookForStuckLanes();
  }

  /** Ends within `STOP_GRACE_MS`; what was not answered by then stays pending. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#cancelTimer();
    this.#cancelSearch();
    const cancel = this.#parts.clock.after(STOP_GRACE_MS, () => {
      this.#attempts.breakOff();
      this.#results.giveUp();
    });
    await Promise.all([this.#pumping, this.#searching]);
    await Promise.allSettled(this.#lanes);
    cancel();
  }

  /** Something may be due: an event was committed. Returns at once. */
  wake(): void {
    if (!this.#running) return;
    if (this.#pumping) {
      this.#again = true;
      return;
    }
    this.#again = false;
    this.#pumping = this.#pump().finally(() => {
      this.#pumping = null;
      if (this.#again) this.wake();
    });
  }

  /** Call within the transaction that joins them, before anything else can read them. */
  lanesJoined({ tenantId, endpointId, from, into }: JoinedLanes): void {
    const lane = { tenantId, endpointId };
    this.#slots.join({ ...lane, orderKey: from }, { ...lane, orderKey: into });
  }

  /** An endpoint was changed: what is under way for it ends its turn, and the rest goes by the new settings. */
  endpointChanged(endpointId: string): void {
    this.#slots.forget(endpointId);
    this.wake();
  }

  async #pump(): Promise<void> {
    const { db, clock, log } = this.#parts;
    let now = clock.now();
    try {
      await this.#setBacks.follow((ms) => followSetBack(db, now, ms));
      while (this.#running && this.#slots.free > 0) {
        const lanes = await dueLanes(db, {
          now,
          withoutEndpoints: this.#slots.closed(clock.monotonic()),
          // The heads of the lanes being served are still due in the database, and come first; where two lanes
          // were joined, twice.
          limit: this.#slots.free + 2 * this.#slots.taken,
        });
        const begun = this.#running ? lanes.filter((lane) => this.#begin(lane)).length : 0;
        if (begun === 0) break;
        now = clock.now();
      }
      await this.#setTimer(now);
    } catch (err) {
      log.error({ err }, 'due webhook deliveries could not be read');
      this.#wakeAfter(PAUSE_AFTER_ERROR_MS);
    }
  }

  /**
   * For the first that is due after the moment of the last look: what became due while the database was
   * being asked would otherwise be neither found nor waited for.
   */
  async #setTimer(lookedAt: number): Promise<void> {
    const { clock, db } = this.#parts;
    const due = await nextDue(db, lookedAt);
    const opening = this.#slots.nextOpening(clock.monotonic());
    const waits = [
      ...(due === null ? [] : [due - clock.now()]),
      ...(opening === null ? [] : [opening - clock.monotonic()]),
    ];
    if (waits.length === 0) this.#cancelTimer();
    else this.#wakeAfter(Math.max(0, Math.min(...waits)));
  }

  #wakeAfter(ms: number): void {
    this.#cancelTimer();
    if (this.#running) this.#cancelTimer = this.#parts.clock.after(ms, () => this.wake());
  }

  #lookForStuckLanes(): void {
    const { db, clock, log } = this.#parts;
    this.#cancelSearch = clock.after(LOOK_FOR_STUCK_MS, () => this.#lookForStuckLanes());
    this.#searching = releaseStuckLanes(db, clock.now())
      .then(() => undefined)
      .catch((err) => log.error({ err }, 'webhook deliveries could not be looked through'))
      .finally(() => this.wake());
  }

  #begin(lane: Lane): boolean {
    if (!this.#slots.take(lane, this.#parts.clock.monotonic())) return false;
    const serving = this.#serve(lane).finally(() => {
      this.#lanes.delete(serving);
      this.#slots.give(lane);
      this.wake();
    });
    this.#lanes.add(serving);
    return true;
  }

  async #serve(lane: Lane): Promise<void> {
    const { db, log, clock } = this.#parts;
    try {
      const endpoint = await this.#endpoint(lane);
      if (endpoint) await this.#deliver(lane, endpoint, await openDeliveries(db, lane, LANE_TURN));
      // A retry that was decided on while the endpoint was being stopped.
      else await parkLane(db, lane, null);
    } catch (err) {
      log.error({ err, endpoint_id: lane.endpointId }, 'a webhook delivery could not be made');
      this.#slots.hold(lane.endpointId, clock.monotonic() + PAUSE_AFTER_ERROR_MS);
    }
    await this.#results.release(lane);
    const into = this.#slots.joinedInto(lane);
    if (into) await this.#results.release(into);
  }

  /** Null when it takes no deliveries; those that wait for it were parked when it stopped. */
  async #endpoint(lane: Lane): Promise<EndpointRow | null> {
    const [row] = await TAKING.rows(this.#parts.db, lane);
    if (row) this.#slots.learn(row.id, row.failing_since !== null);
    return row ?? null;
  }

  /** Goes on while the receiver takes what it gets. */
  async #deliver(lane: Lane, endpoint: EndpointRow, open: OpenDelivery[]): Promise<void> {
    const { vault, clock, metrics } = this.#parts;
    const target = {
      url: endpoint.url,
      timeoutMs: endpoint.timeout_s * 1000,
      secret: secretOf(endpoint, vault),
      headers: headersOf(endpoint, vault),
    };
    for (const [index, delivery] of open.entries()) {
      if (!this.#running || this.#slots.overtaken(lane)) return;
      if (delivery.nextAttemptAt !== PARKED && delivery.nextAttemptAt > clock.now()) {
        if (index === 0) await parkLane(this.#parts.db, lane, delivery.id);
        return;
      }
      const call = { id: delivery.id, attempt: delivery.attempts + 1 };
      const result = await this.#attempts.make(target, delivery.event, call);
      if (result === null) return;
      const verdict = this.#judge(endpoint, delivery, result);
      this.#results.add({ lane, endpoint, delivery, result, verdict });
      metrics.attempted(result);
      // Configured anew meanwhile: what this receiver said, its Retry-After as well, may be another one's word.
      if (this.#slots.overtaken(lane)) return;
      this.#slots.learn(endpoint.id, result.error !== null);
      if (result.error === null) continue;
      if (result.retryAfterMs) this.#slots.hold(endpoint.id, clock.monotonic() + result.retryAfterMs);
      return;
    }
  }

  /** Neither earlier than the schedule says nor than the receiver asks. */
  #judge(endpoint: EndpointRow, delivery: OpenDelivery, result: AttemptResult): Verdict {
    const attempts = delivery.attempts - delivery.attemptsBefore + 1;
    if (result.error === null) return { state: 'delivered' };
    if (result.error === 'gone' || attempts > endpoint.retry_attempts) return { state: 'failed' };
    const wait = waitAfter(attempts, this.#parts.random ?? Math.random);
    return {
      state: 'pending',
      nextAttemptAt: this.#parts.clock.now() + Math.max(wait, result.retryAfterMs ?? 0),
    };
  }
}

const TAKING = new HotQuery<Pick<Lane, 'tenantId' | 'endpointId'>, EndpointRow>(
  (db, { tenantId, endpointId }) =>
    db
      .selectFrom('webhook_endpoints')
      .selectAll()
      .where('tenant_id', '=', tenantId)
      .where('id', '=', endpointId)
      .where('enabled', '=', 1)
      .where('state', '=', 'active'),
);
