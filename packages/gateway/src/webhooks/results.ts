/** Writes the results of attempts, those that end within a moment in one commit. */
import { type Kysely, sql, type Transaction } from 'kysely';
import { type Clock, rfc3339 } from '../clock.ts';
import type { EventRecorder } from '../events/recorder.ts';
import type { Log } from '../observability/log.ts';
import { deferred } from '../storage/database.ts';
import { HotQuery } from '../storage/hot-query.ts';
import type { Database } from '../storage/schema.ts';
import { type EndpointRow, urlWithoutQuery } from './endpoint.ts';
import type { WebhookMetrics } from './metrics.ts';
import { failAll, type Outcome, writeOutcome } from './outcome.ts';
import { type Lane, parkEndpoint, releaseHead } from './queue.ts';
import type { Subscriptions } from './subscriptions.ts';

/** When an endpoint that only fails is paused: both must be reached. */
export interface PauseRule {
  /** Milliseconds since the first failure without a success. */
  afterMs: number;
  failures: number;
}

export interface ResultsParts {
  db: Kysely<Database>;
  clock: Clock;
  log: Log;
  events: EventRecorder;
  subscriptions: Subscriptions;
  metrics: WebhookMetrics;
  pause: PauseRule;
}

type Entry = { outcome: Outcome } | { lane: Lane; released(): void };

/**
 * How long an outcome waits for others, unless its lane waits for it: what a killed process may have delivered without
 * having written it down. A commit for each was a fifth of what the database did for a received message.
 */
const GATHER_MS = 20;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;

export class Results {
  readonly #parts: ResultsParts;
  #waiting: Entry[] = [];
  #writing = false;
  #gathering: (() => void) | null = null;
  #givenUp = false;
  #wakeUp: () => void = () => undefined;

  constructor(parts: ResultsParts) {
    this.#parts = parts;
  }

  add(outcome: Outcome): void {
    this.#waiting.push({ outcome });
    this.#gather();
  }

  /** Gives a lane free: resolves when what was added for it is stored and its next delivery is due. */
  release(lane: Lane): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ lane, released: resolve });
      this.#start();
    });
  }

  /** What cannot be stored now is dropped: those deliveries are made again after the next start. */
  giveUp(): void {
    this.#givenUp = true;
    this.#wakeUp();
  }

  #gather(): void {
    if (!this.#writing) this.#gathering ??= this.#parts.clock.after(GATHER_MS, () => this.#start());
  }

  #start(): void {
    if (this.#writing) return;
    this.#gathering?.();
    this.#gathering = null;
    this.#writing = true;
    this.#write().finally(() => {
      this.#writing = false;
      if (this.#waiting.some((entry) => 'released' in entry)) this.#start();
      else if (this.#waiting.length > 0) this.#gather();
    });
  }

  async #write(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    for (let wait = FIRST_WAIT_MS; !(await this.#stored(batch)); wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      if (this.#givenUp) break;
      await this.#pause(wait);
    }
    for (const entry of batch) if ('released' in entry) entry.released();
  }

  /** A full or locked disk passes; until then nothing is forgotten and nothing sent twice. */
  async #stored(batch: Entry[]): Promise<boolean> {
    const { db, log, events } = this.#parts;
    try {
      // What a power cut takes back is delivered once more: nobody has to wait for the disk.
      const { stopped, ended } = await deferred(db)
        .transaction()
        .execute((trx) => this.#apply(trx, batch));
      for (const each of ended) this.#parts.metrics.finished(each.state, each.delayMs);
      for (const entry of batch) if ('outcome' in entry) this.#tell(entry.outcome);
      if (stopped.length > 0) events.committed();
      for (const { endpoint, reason } of stopped) {
        this.#parts.subscriptions.forget(endpoint.device_id);
        log.warn(
          { endpoint_id: endpoint.id, device_id: endpoint.device_id, reason },
          'webhook endpoint stopped',
        );
      }
      return true;
    } catch (err) {
      log.error({ err, count: batch.length }, 'webhook results could not be stored');
      return false;
    }
  }

  /** A failed attempt, and whether another follows. The address stands without its query, which may hold a secret. */
  #tell({ endpoint, delivery, result, verdict }: Outcome): void {
    if (result.error === null) return;
    const line = {
      tenant_id: endpoint.tenant_id,
      device_id: endpoint.device_id,
      endpoint_id: endpoint.id,
      delivery_id: delivery.id,
      event_id: delivery.event.id,
      url: urlWithoutQuery(endpoint.url),
      attempt: delivery.attempts + 1,
      status: result.status,
      error: result.error,
      took_ms: result.tookMs,
    };
    const { log } = this.#parts;
    if (verdict.state === 'pending') {
      log.info({ ...line, next_attempt_at: rfc3339(verdict.nextAttemptAt) }, 'a webhook has failed');
    } else log.warn(line, 'a webhook has failed for good');
  }

  async #apply(trx: Transaction<Database>, batch: Entry[]): Promise<Applied> {
    const stopped: Stopped[] = [];
    const ended: Ended[] = [];
    /** Endpoints, as they were then, whose latest outcome in this batch was a success. */
    const healthy = new Set<string>();
    for (const entry of batch) {
      if ('released' in entry) {
        await releaseHead(trx, entry.lane, this.#parts.clock.now());
        continue;
      }
      const outcome = await this.#asOfNow(trx, entry.outcome);
      if (!(await writeOutcome(trx, outcome))) continue;
      const { endpoint, result, delivery, verdict } = outcome;
      if (verdict.state !== 'pending') {
        ended.push({ state: verdict.state, delayMs: result.at + result.tookMs - delivery.event.created_at });
      }
      const asked = `${endpoint.id} ${endpoint.generation}`;
      if (outcome.late || (result.error === null && healthy.has(asked))) continue;
      if (result.error === null) healthy.add(asked);
      else healthy.delete(asked);
      const reason = await this.#health(trx, outcome);
      if (reason) stopped.push({ endpoint, reason });
    }
    return { stopped, ended };
  }

  /**
   * A failure whose endpoint got another receiver meanwhile, a 410 as well, says nothing about the present one,
   * which gets the delivery at once and with all its retries. What the former receiver took is delivered.
   */
  async #asOfNow(trx: Transaction<Database>, outcome: Outcome): Promise<Outcome & { late: boolean }> {
    if (outcome.result.error === null) return { ...outcome, late: false };
    const [now] = await GENERATION.rows(trx, outcome.endpoint);
    const late = now !== undefined && now.generation !== outcome.endpoint.generation;
    if (!late) return { ...outcome, late };
    const delivery = { ...outcome.delivery, attemptsBefore: outcome.delivery.attempts + 1 };
    const verdict = { state: 'pending', nextAttemptAt: this.#parts.clock.now() } as const;
    return { ...outcome, delivery, verdict, late };
  }

  /** Keeps count of an endpoint's failures; says why it was stopped, if it was. */
  async #health(trx: Transaction<Database>, outcome: Outcome): Promise<StopReason | null> {
    const { endpoint, result } = outcome;
    if (result.error === null) {
      await HEALTHY.run(trx, endpoint);
      return null;
    }
    const health = await trx
      .updateTable('webhook_endpoints')
      .set((eb) => ({
        failures: eb('failures', '+', 1),
        failing_since: eb.fn.coalesce('failing_since', sql<number>`cast(${result.at} as bigint)`),
      }))
      .where('tenant_id', '=', endpoint.tenant_id)
      .where('id', '=', endpoint.id)
      .where('state', '=', 'active')
      .returning(['failures', 'failing_since'])
      .executeTakeFirst();
    if (!health) return null;
    const { pause, clock } = this.#parts;
    const since = Number(health.failing_since ?? result.at);
    const failedForLong = clock.now() - since >= pause.afterMs && health.failures >= pause.failures;
    const reason = result.error === 'gone' ? 'gone' : failedForLong ? 'failing' : null;
    if (reason) await this.#stop(trx, outcome, reason, { since, failures: health.failures });
    return reason;
  }

  async #stop(
    trx: Transaction<Database>,
    { endpoint, result }: Outcome,
    reason: StopReason,
    { since, failures }: { since: number; failures: number },
  ): Promise<void> {
    const now = this.#parts.clock.now();
    const gone = reason === 'gone';
    const text = gone ? 'the receiver answered 410 Gone' : `no success since ${rfc3339(since)}`;
    await trx
      .updateTable('webhook_endpoints')
      .set({
        state: gone ? 'gone' : 'paused',
        state_reason: text,
        state_at: now,
        ...(gone && { enabled: 0 }),
      })
      .where('tenant_id', '=', endpoint.tenant_id)
      .where('id', '=', endpoint.id)
      .execute();
    if (gone) await failAll(trx, endpoint, now);
    else await parkEndpoint(trx, endpoint.tenant_id, endpoint.id);
    await this.#parts.events.record(
      trx,
      { id: endpoint.device_id, tenantId: endpoint.tenant_id, userId: endpoint.user_id },
      {
        name: 'webhook.paused',
        orderKey: 'webhook',
        data: {
          webhook_id: endpoint.id,
          url: urlWithoutQuery(endpoint.url),
          state: gone ? 'gone' : 'paused',
          reason: result.status === null ? (result.error ?? '') : `status ${result.status}`,
          failing_since: rfc3339(since),
          failures,
        },
      },
    );
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#parts.clock.after(ms, resolve);
      this.#wakeUp = () => {
        cancel();
        resolve();
      };
    });
  }
}

type StopReason = 'failing' | 'gone';

interface Stopped {
  endpoint: EndpointRow;
  reason: StopReason;
}

interface Ended {
  state: 'delivered' | 'failed';
  /** From the event to its end. */
  delayMs: number;
}

interface Applied {
  stopped: Stopped[];
  ended: Ended[];
}

/** Asked after every success, which seldom changes anything. */
const HEALTHY = new HotQuery<Pick<EndpointRow, 'tenant_id' | 'id' | 'generation'>, unknown>(
  (db, { tenant_id: tenantId, id, generation }) =>
    db
      .updateTable('webhook_endpoints')
      .set({ failing_since: null, failures: 0 })
      .where('tenant_id', '=', tenantId)
      .where('id', '=', id)
      .where('generation', '=', generation)
      .where('failures', '>', 0),
);

const GENERATION = new HotQuery<Pick<EndpointRow, 'tenant_id' | 'id'>, { generation: number }>(
  (db, { tenant_id: tenantId, id }) =>
    db
      .selectFrom('webhook_endpoints')
      .select('generation')
      .where('tenant_id', '=', tenantId)
      .where('id', '=', id),
);
