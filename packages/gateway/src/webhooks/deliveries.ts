/** The log of deliveries, as a caller may read it, and sending one again. */
import type { Kysely, Selectable } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Devices } from '../devices/devices.ts';
import { AppError } from '../errors.ts';
import type { EventName } from '../events/catalogue/names.ts';
import type { EventEnvelope } from '../events/envelope.ts';
import type { MediaUrls } from '../events/media-urls.ts';
import { SealedEvents } from '../events/sealed-events.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import { cursorOf, pageOf, readCursor } from '../storage/page-cursor.ts';
import type { Database, WebhookAttemptsTable, WebhookDeliveriesTable } from '../storage/schema.ts';
import type { Vault } from '../storage/vault.ts';
import type { Caller } from '../tenancy/caller.ts';
import { seesWholeTenant } from '../tenancy/visibility.ts';
import { enqueue, PARKED } from './queue.ts';

export type DeliveryState = WebhookDeliveriesTable['state'];
export const DELIVERY_STATES = [
  'pending',
  'delivered',
  'failed',
  'expired',
] as const satisfies DeliveryState[];

export interface Delivery {
  id: string;
  endpointId: string;
  eventId: string;
  eventSeq: number;
  event: EventName;
  deviceId: string;
  orderKey: string;
  state: DeliveryState;
  attempts: number;
  /** Null when it is not pending, or waits for something else than time: see `waitsFor`. */
  nextAttemptAt: number | null;
  waitsFor: 'order_or_endpoint' | null;
  createdAt: number;
  finishedAt: number | null;
}

export interface DeliveryFilter {
  deviceId?: string | undefined;
  endpointId?: string | undefined;
  state?: DeliveryState | undefined;
  event?: string | undefined;
  /** Created at this time or later, milliseconds. */
  fromMs?: number | undefined;
  /** Created before this time, milliseconds. */
  toMs?: number | undefined;
  cursor?: string | undefined;
  limit: number;
}

export interface DeliveryDetail {
  delivery: Delivery;
  attempts: Selectable<WebhookAttemptsTable>[];
  payload: EventEnvelope;
}

export interface DeliveriesParts {
  db: Kysely<Database>;
  vault: Vault;
  clock: Clock;
  mediaUrls?: MediaUrls;
  devices: Pick<Devices, 'resolve' | 'list'>;
  /** Wakes the worker. */
  wake(): void;
}

export class Deliveries {
  readonly #parts: DeliveriesParts;
  readonly #sealed: SealedEvents;

  constructor(parts: DeliveriesParts) {
    this.#parts = parts;
    this.#sealed = new SealedEvents(parts);
  }

  /** Newest first. `nextCursor` is null on the last page. */
  async list(
    caller: Caller,
    filter: DeliveryFilter,
  ): Promise<{ deliveries: Delivery[]; nextCursor: string | null }> {
    const { db, devices } = this.#parts;
    if (filter.deviceId !== undefined) await devices.resolve(caller, filter.deviceId);
    let query = db.selectFrom('webhook_deliveries').selectAll();
    // Its endpoint or its device leads to a page more directly than the tenant does.
    query =
      filter.endpointId === undefined && filter.deviceId === undefined
        ? query.where('tenant_id', '=', caller.tenantId)
        : query.where(checkedTenant(caller.tenantId));
    if (filter.deviceId !== undefined) query = query.where('device_id', '=', filter.deviceId);
    else if (!seesWholeTenant(caller)) {
      const own = (await devices.list(caller)).map((device) => device.id);
      if (own.length === 0) return { deliveries: [], nextCursor: null };
      query = query.where('device_id', 'in', own);
    }
    if (filter.endpointId !== undefined) query = query.where('endpoint_id', '=', filter.endpointId);
    if (filter.state !== undefined) query = query.where('state', '=', filter.state);
    if (filter.event !== undefined) query = query.where('event_name', '=', filter.event);
    if (filter.fromMs !== undefined) query = query.where('created_at', '>=', filter.fromMs);
    if (filter.toMs !== undefined) query = query.where('created_at', '<', filter.toMs);
    if (filter.cursor !== undefined) {
      const { at, id } = readCursor(filter.cursor);
      query = query.where((is) =>
        is.or([is('created_at', '<', at), is.and([is('created_at', '=', at), is('id', '<', id)])]),
      );
    }
    const rows = await query
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(filter.limit + 1)
      .execute();
    const { page, last } = pageOf(rows, filter.limit);
    return {
      deliveries: page.map(fromRow),
      nextCursor: last && cursorOf(last),
    };
  }

  /** Throws NOT_FOUND for an id that is unknown, of another tenant, or of a device the caller may not see. */
  async get(caller: Caller, id: string): Promise<DeliveryDetail> {
    const row = await this.#find(caller, id);
    const attempts = await this.#parts.db
      .selectFrom('webhook_attempts')
      .selectAll()
      .where('tenant_id', '=', caller.tenantId)
      .where('delivery_id', '=', id)
      .orderBy('attempt')
      .orderBy('id')
      .execute();
    const event = await this.#parts.db
      .selectFrom('events')
      .selectAll()
      .where('tenant_id', '=', caller.tenantId)
      .where('id', '=', row.event_id)
      .executeTakeFirstOrThrow();
    return { delivery: fromRow(row), attempts, payload: this.#sealed.envelope(event) };
  }

  /**
   * Sends an event once more, with the same event id, as a delivery of its own. One that is still pending is
   * made due instead: a second one would come to the same.
   */
  async redeliver(caller: Caller, id: string): Promise<Delivery> {
    const { db, clock, wake } = this.#parts;
    const now = clock.now();
    const found = await this.#find(caller, id);
    const after = await db.transaction().execute(async (trx) => {
      const row = await trx
        .selectFrom('webhook_deliveries')
        .selectAll()
        .where('tenant_id', '=', caller.tenantId)
        .where('id', '=', found.id)
        .executeTakeFirst();
      if (!row) throw notFound();
      if (row.state === 'pending') {
        if (Number(row.next_attempt_at) === PARKED) return row;
        await trx
          .updateTable('webhook_deliveries')
          .set({ next_attempt_at: now })
          .where('tenant_id', '=', caller.tenantId)
          .where('id', '=', row.id)
          .execute();
        return { ...row, next_attempt_at: now };
      }
      const device = { id: row.device_id, tenantId: row.tenant_id };
      const event = {
        id: row.event_id,
        seq: Number(row.event_seq),
        name: row.event_name,
        orderKey: row.order_key,
      };
      const made = await enqueue(trx, { endpointId: row.endpoint_id, device }, event, {
        now,
        onlyEnabled: false,
      });
      if (made === null) throw notFound();
      return trx
        .selectFrom('webhook_deliveries')
        .selectAll()
        .where('tenant_id', '=', caller.tenantId)
        .where('id', '=', made)
        .executeTakeFirstOrThrow();
    });
    wake();
    return fromRow(after);
  }

  async #find(caller: Caller, id: string): Promise<Selectable<WebhookDeliveriesTable>> {
    const row = await this.#parts.db
      .selectFrom('webhook_deliveries')
      .selectAll()
      .where('tenant_id', '=', caller.tenantId)
      .where('id', '=', id)
      .executeTakeFirst();
    if (!row) throw notFound();
    try {
      await this.#parts.devices.resolve(caller, row.device_id);
    } catch (error) {
      if (error instanceof AppError && error.code === 'DEVICE_NOT_FOUND') throw notFound();
      throw error;
    }
    return row;
  }
}

function fromRow(row: Selectable<WebhookDeliveriesTable>): Delivery {
  const parked = Number(row.next_attempt_at) === PARKED;
  const pending = row.state === 'pending';
  return {
    id: row.id,
    endpointId: row.endpoint_id,
    eventId: row.event_id,
    eventSeq: Number(row.event_seq),
    // The column is written from EventName alone.
    event: row.event_name as EventName,
    deviceId: row.device_id,
    orderKey: row.order_key,
    state: row.state,
    attempts: row.attempts,
    nextAttemptAt: pending && !parked ? Number(row.next_attempt_at) : null,
    waitsFor: pending && parked ? 'order_or_endpoint' : null,
    createdAt: Number(row.created_at),
    finishedAt: row.finished_at === null ? null : Number(row.finished_at),
  };
}

function notFound(): AppError {
  return new AppError('NOT_FOUND', { message: 'delivery not found' });
}
