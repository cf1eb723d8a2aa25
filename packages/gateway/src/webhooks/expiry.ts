/** Nothing waits for ever: how long deliveries may, what waits now, and what becomes of those that waited longer. */
import { type Kysely, sql, type Transaction } from 'kysely';
import { type Clock, rfc3339 } from '../clock.ts';
import type { RetentionConfig } from '../config.ts';
import type { EventRecorder } from '../events/recorder.ts';
import { deliveryRetention } from '../events/retention.ts';
import type { Log } from '../observability/log.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import { type EndpointRow, urlWithoutQuery, type Waiting } from './endpoint.ts';
import type { WebhookMetrics } from './metrics.ts';
import { releaseHead } from './queue.ts';

const LOOK_EVERY_MS = 10 * 60_000;
const LONGEST_WARNING_MS = 3 * 24 * 3_600_000;
/** Small enough that a commit in between lets inbound messages through. */
const BATCH = 500;

/** How long a delivery may wait. */
export class Patience {
  readonly #waitMs: number;
  /** The owner is warned so long before the first one expires. */
  readonly warningMs: number;

  constructor(retention: RetentionConfig) {
    this.#waitMs = deliveryRetention(retention);
    this.warningMs = Math.min(LONGEST_WARNING_MS, this.#waitMs / 4);
  }

  /** When a delivery expires that was made at `since`: never before its owner was told for long enough. */
  expiresAt(since: number, toldAt: number): number {
    return Math.max(since + this.#waitMs, toldAt + this.warningMs);
  }

  /** Deliveries made then or earlier may have expired at `now`. */
  overdue(now: number): number {
    return now - this.#waitMs;
  }

  /** What is pending for each of these endpoints of a tenant; those for which nothing is are left out. */
  async waiting(
    db: Kysely<Database>,
    tenantId: string,
    rows: readonly EndpointRow[],
    now: number,
  ): Promise<Map<string, Waiting>> {
    if (rows.length === 0) return new Map();
    const found = await db
      .selectFrom('webhook_deliveries')
      .select((eb) => [
        'endpoint_id',
        eb.fn.countAll<number | string>().as('count'),
        eb.fn.min('created_at').as('oldest'),
      ])
      // The endpoints are of the tenant, so the index alone tells: their deliveries are not read.
      .where('endpoint_id', 'in', (endpoints) =>
        endpoints
          .selectFrom('webhook_endpoints')
          .select('id')
          .where('tenant_id', '=', tenantId)
          .where(
            'id',
            'in',
            rows.map((row) => row.id),
          ),
      )
      .where('state', '=', sql.lit('pending'))
      .groupBy('endpoint_id')
      .execute();
    const toldAt = new Map(rows.map((row) => [row.id, row.expiry_told_at]));
    return new Map(
      found.map(({ endpoint_id: id, count, oldest }) => {
        const since = Number(oldest);
        const expiresAt = this.expiresAt(since, toldAt.get(id) ?? now);
        return [id, { deliveries: Number(count), since, expiresAt }];
      }),
    );
  }
}

export interface ExpiryParts {
  db: Kysely<Database>;
  clock: Clock;
  log: Log;
  events: EventRecorder;
  metrics: WebhookMetrics;
  patience: Patience;
  /** Wakes the worker. */
  wake(): void;
}

interface Found {
  endpoint: EndpointRow;
  /** When its oldest pending delivery was made. */
  oldest: number | null;
}

export class Expiry {
  readonly #parts: ExpiryParts;
  #cancel: () => void = () => undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: ExpiryParts) {
    this.#parts = parts;
  }

  /** Looks at once, and then every ten minutes. */
  start(): void {
    if (this.#stopped) return;
    void this.look().finally(() => {
      if (!this.#stopped) this.#cancel = this.#parts.clock.after(LOOK_EVERY_MS, () => this.start());
    });
  }

  /** Tells and expires what is due, one look after the other. Never throws: the next one tries again. */
  look(): Promise<void> {
    this.#looking = this.#looking
      .then(() => this.#look())
      .catch((err) => {
        this.#parts.log.error({ err }, 'webhook deliveries that wait for too long could not be looked for');
      });
    return this.#looking;
  }

  /** Resolves once the batch under way is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { clock, patience } = this.#parts;
    const soon = patience.overdue(clock.now()) + patience.warningMs;
    for (const { endpoint, oldest } of await this.#waitingSince(soon)) {
      if (this.#stopped) return;
      if (oldest === null || oldest > soon) await this.#forgetWarning(endpoint);
      else if (endpoint.expiry_told_at === null) await this.#tell(endpoint);
      else if (patience.expiresAt(oldest, endpoint.expiry_told_at) <= clock.now())
        await this.#expire(endpoint);
    }
  }

  /** Endpoints that something waits for since then, and those whose owner was told that something does. */
  async #waitingSince(then: number): Promise<Found[]> {
    const oldest = sql<number | null>`(
      select min(created_at) from webhook_deliveries
      where endpoint_id = webhook_endpoints.id and state = ${sql.lit('pending')})`;
    const rows = await this.#parts.db
      .selectFrom('webhook_endpoints')
      .selectAll()
      .select(oldest.as('oldest'))
      .where((eb) => eb.or([eb('expiry_told_at', 'is not', null), eb(oldest, '<=', then)]))
      .execute();
    return rows.map(({ oldest: since, ...endpoint }) => ({
      endpoint,
      oldest: since === null ? null : Number(since),
    }));
  }

  /** Nothing is in danger any more: the next time, the owner is told again. */
  #forgetWarning(endpoint: EndpointRow): Promise<void> {
    return this.#noteWarning(this.#parts.db, endpoint, null);
  }

  async #tell(endpoint: EndpointRow): Promise<void> {
    const { db, clock, log, events, patience } = this.#parts;
    const now = clock.now();
    const told = await db.transaction().execute(async (trx) => {
      const waiting = await patience.waiting(trx, endpoint.tenant_id, [endpoint], now);
      const found = waiting.get(endpoint.id);
      if (!found) return null;
      await this.#noteWarning(trx, endpoint, now);
      const device = { id: endpoint.device_id, tenantId: endpoint.tenant_id, userId: endpoint.user_id };
      await events.record(trx, device, {
        name: 'webhook.expiring',
        orderKey: 'webhook',
        data: {
          webhook_id: endpoint.id,
          url: urlWithoutQuery(endpoint.url),
          enabled: endpoint.enabled === 1,
          state: endpoint.state,
          waiting: found.deliveries,
          waiting_since: rfc3339(found.since),
          expires_at: rfc3339(found.expiresAt),
        },
      });
      return found;
    });
    if (!told) return;
    events.committed();
    log.warn(
      {
        endpoint_id: endpoint.id,
        device_id: endpoint.device_id,
        count: told.deliveries,
        expires_at: rfc3339(told.expiresAt),
      },
      'webhook deliveries expire soon',
    );
  }

  /** In batches; the events stay as long as retention says, so that they can be delivered again. */
  async #expire(endpoint: EndpointRow): Promise<void> {
    const { db, log, metrics, wake } = this.#parts;
    let expired = 0;
    while (!this.#stopped) {
      const count = await db.transaction().execute((trx) => this.#expireBatch(trx, endpoint));
      for (let n = 0; n < count; n += 1) metrics.expired();
      expired += count;
      if (count < BATCH) break;
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    if (expired === 0) return;
    wake();
    log.warn(
      { endpoint_id: endpoint.id, device_id: endpoint.device_id, count: expired },
      'webhook deliveries expired: they waited for as long as they may',
    );
  }

  async #expireBatch(trx: Transaction<Database>, endpoint: EndpointRow): Promise<number> {
    const { clock, patience } = this.#parts;
    const { tenant_id: tenantId, id: endpointId } = endpoint;
    const now = clock.now();
    const rows = await trx
      .updateTable('webhook_deliveries')
      .set({ state: 'expired', finished_at: now })
      .where(checkedTenant(tenantId))
      .where('id', 'in', (eb) =>
        eb
          .selectFrom('webhook_deliveries')
          .select('id')
          .where('endpoint_id', '=', endpointId)
          .where('state', '=', sql.lit('pending'))
          .where('created_at', '<=', patience.overdue(now))
          .orderBy('created_at')
          .limit(BATCH),
      )
      .returning('order_key')
      .execute();
    for (const orderKey of new Set(rows.map((row) => row.order_key))) {
      await releaseHead(trx, { tenantId, endpointId, orderKey }, now);
    }
    return rows.length;
  }

  async #noteWarning(db: Kysely<Database>, endpoint: EndpointRow, at: number | null): Promise<void> {
    await db
      .updateTable('webhook_endpoints')
      .set({ expiry_told_at: at })
      .where('tenant_id', '=', endpoint.tenant_id)
      .where('id', '=', endpoint.id)
      .execute();
  }
}
