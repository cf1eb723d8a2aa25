/**
 * The deliveries as a queue. They form lanes: one endpoint and one order key (a chat). Of a lane only the
 * earliest open delivery, its head, carries the time at which it is due; those behind it are parked, so
 * that the question "what is due" costs the same however long the lanes grow behind a receiver that is down.
 * A lane whose endpoint is paused or disabled is parked as a whole.
 */
import { randomUUID } from 'node:crypto';
import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import type { TenantId } from '../ids.ts';
import { durable } from '../storage/database.ts';
import { HotQuery } from '../storage/hot-query.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import type { PushedEvent } from './attempt.ts';

/** `next_attempt_at` of what waits for something else than time. Fits into both databases' integers. */
export const PARKED = Number.MAX_SAFE_INTEGER;

type Db = Kysely<Database> | Transaction<Database>;

export interface Lane {
  tenantId: TenantId;
  endpointId: string;
  orderKey: string;
}

/** An open delivery with what it delivers. */
export interface OpenDelivery {
  id: string;
  attempts: number;
  /** Those of them that an earlier receiver got. */
  attemptsBefore: number;
  nextAttemptAt: number;
  event: PushedEvent;
}

export interface QueuedEvent {
  id: string;
  seq: number;
  name: string;
  orderKey: string;
}

/**
 * Adds a delivery to its lane, which is that of the person when the key is a number whose LID is known; due at `now`
 * when nothing is before it and the endpoint takes deliveries.
 * Writes nothing, and returns null, when the endpoint no longer exists or (with `onlyEnabled`) is disabled:
 * a configuration that was just changed must not make the event's own transaction fail.
 */
export async function enqueue(
  db: Db,
  { endpointId, device }: { endpointId: string; device: { id: string; tenantId: TenantId } },
  event: QueuedEvent,
  options: { now: number; onlyEnabled: boolean },
): Promise<string | null> {
  const id = randomUUID();
  const { now, onlyEnabled } = options;
  const query = onlyEnabled ? ENQUEUE_IF_ENABLED : ENQUEUE;
  const { id: eventId, seq, name, orderKey } = event;
  const { id: deviceId, tenantId } = device;
  const written = await query.affected(db, {
    id,
    endpointId,
    deviceId,
    tenantId,
    eventId,
    seq,
    name,
    orderKey,
    now,
  });
  return written === 0 ? null : id;
}

interface NewDelivery {
  id: string;
  endpointId: string;
  deviceId: string;
  tenantId: TenantId;
  eventId: string;
  seq: number;
  name: string;
  orderKey: string;
  now: number;
}

/** For each event that an endpoint wants. */
const ENQUEUE_IF_ENABLED = enqueuing(sql`and e.enabled = 1`);
const ENQUEUE = enqueuing(sql``);

function enqueuing(condition: RawBuilder<unknown>): HotQuery<NewDelivery, unknown> {
  return new HotQuery((db, { id, endpointId, deviceId, tenantId, eventId, seq, name, orderKey, now }) => ({
    compile: () =>
      sql`
    insert into webhook_deliveries
      (id, tenant_id, endpoint_id, event_id, event_seq, event_name, device_id, order_key, state, attempts,
       next_attempt_at, created_at, finished_at)
    select ${id}, e.tenant_id, e.id, ${eventId}, cast(${seq} as bigint), ${name}, e.device_id,
      lane.order_key, 'pending', 0,
      case when e.enabled = 0 or e.state <> 'active' or exists (
        select 1 from webhook_deliveries p where p.endpoint_id = e.id and p.order_key = lane.order_key
          and p.state = 'pending' and p.event_seq <= ${seq}
      ) then ${sql.lit(PARKED)} else cast(${now} as bigint) end,
      cast(${now} as bigint), null
    from webhook_endpoints e, (
      select coalesce((
        select lid from webhook_lane_names where device_id = ${deviceId} and jid = ${orderKey}
      ), ${orderKey}) as order_key
    ) lane
    where e.id = ${endpointId} and e.tenant_id = ${tenantId} and e.device_id = ${deviceId}
      ${condition}`.compile(db),
  }));
}

/**
 * Lanes with a due head, the longest due first. This and `nextDue` ask across tenants, because the worker
 * serves them all; everything they lead to is asked with the lane's tenant.
 */
export async function dueLanes(
  db: Db,
  query: { now: number; withoutEndpoints: readonly string[]; limit: number },
): Promise<Lane[]> {
  const { now, withoutEndpoints, limit } = query;
  const rows =
    withoutEndpoints.length === 0
      ? await DUE.rows(db, { now, limit })
      : await due(db, { now, limit })
          .where('endpoint_id', 'not in', [...withoutEndpoints])
          .execute();
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    endpointId: row.endpoint_id,
    orderKey: row.order_key,
  }));
}

/** Asked after every delivery. */
const DUE = new HotQuery(due);

function due(db: Kysely<Database>, { now, limit }: { now: number; limit: number }) {
  return db
    .selectFrom('webhook_deliveries')
    .select(['tenant_id', 'endpoint_id', 'order_key'])
    .where('state', '=', sql.lit('pending'))
    .where('next_attempt_at', '<=', now)
    .orderBy('next_attempt_at')
    .limit(limit);
}

/** The clock was set back: what waits for a time of the old one waits no longer for it. */
export async function followSetBack(db: Db, now: number, byMs: number): Promise<void> {
  await db
    .updateTable('webhook_deliveries')
    .set((row) => ({ next_attempt_at: row('next_attempt_at', '-', byMs) }))
    .where('state', '=', sql.lit('pending'))
    .where('next_attempt_at', '>', now)
    .where('next_attempt_at', '<', PARKED)
    .execute();
}

/** When the next head that is not due yet will be; null when there is none. */
export async function nextDue(db: Db, now: number): Promise<number | null> {
  const [row] = await NEXT_DUE.rows(db, { now });
  return row ? Number(row.next_attempt_at) : null;
}

const NEXT_DUE = new HotQuery((db, { now }: { now: number }) =>
  db
    .selectFrom('webhook_deliveries')
    .select('next_attempt_at')
    .where('state', '=', sql.lit('pending'))
    .where('next_attempt_at', '>', now)
    .where('next_attempt_at', '<', PARKED)
    .orderBy('next_attempt_at')
    .limit(1),
);

/**
 * The first open deliveries of a lane, in the order in which they must arrive. Resolves when they are on the
 * disk: the archive does not wait for it, and nobody may hear of what a power cut could take back.
 */
export async function openDeliveries(
  db: Kysely<Database>,
  lane: Lane,
  limit: number,
): Promise<OpenDelivery[]> {
  const rows = await OPEN.rows(db, { ...lane, limit });
  // A receiver must not hear of an event that a power cut could still take back.
  await durable(db);
  return rows.map((row) => ({
    id: row.id,
    attempts: row.attempts,
    attemptsBefore: row.attempts_before,
    nextAttemptAt: Number(row.next_attempt_at),
    event: {
      id: row.event_id,
      name: row.name,
      created_at: Number(row.created_at),
      device_id: row.device_id,
      user_id: row.user_id,
      data: row.data,
      sealed: row.sealed,
    },
  }));
}

const OPEN = new HotQuery((db, { tenantId, endpointId, orderKey, limit }: Lane & { limit: number }) =>
  db
    .selectFrom('webhook_deliveries as delivery')
    .innerJoin('events as event', 'event.id', 'delivery.event_id')
    .select([
      'delivery.id',
      'delivery.attempts',
      'delivery.attempts_before',
      'delivery.next_attempt_at',
      'event.id as event_id',
      'event.name',
      'event.created_at',
      'event.device_id',
      'event.user_id',
      'event.data',
      'event.sealed',
    ])
    .where('delivery.tenant_id', '=', tenantId)
    .where('delivery.endpoint_id', '=', endpointId)
    .where('delivery.order_key', '=', orderKey)
    .where('delivery.state', '=', sql.lit('pending'))
    .orderBy('delivery.event_seq')
    .orderBy('delivery.id')
    .limit(limit),
);

/** Makes a lane's head due when it is parked, unless its endpoint takes no deliveries. */
export async function releaseHead(db: Db, lane: Lane, now: number): Promise<void> {
  await sql`
    update webhook_deliveries set next_attempt_at = cast(${now} as bigint)
    where id = (
      select id from webhook_deliveries
      where endpoint_id = ${lane.endpointId} and order_key = ${lane.orderKey} and state = 'pending'
      order by event_seq, id limit 1
    ) and tenant_id = ${lane.tenantId} and next_attempt_at = ${sql.lit(PARKED)}
      and exists (
        select 1 from webhook_endpoints e
        where e.id = ${lane.endpointId} and e.enabled = 1 and e.state = 'active'
      )`.execute(db);
}

/** Takes the time from everything in a lane; from all but its head when that was overtaken by a later one. */
export async function parkLane(db: Db, lane: Lane, exceptId: string | null): Promise<void> {
  let update = db
    .updateTable('webhook_deliveries')
    .set({ next_attempt_at: PARKED })
    .where('tenant_id', '=', lane.tenantId)
    .where('endpoint_id', '=', lane.endpointId)
    .where('order_key', '=', lane.orderKey)
    .where('state', '=', sql.lit('pending'))
    .where('next_attempt_at', '<', PARKED);
  if (exceptId !== null) update = update.where('id', '<>', exceptId);
  await update.execute();
}

/** Holds up all open deliveries of an endpoint. */
export async function parkEndpoint(db: Db, tenantId: TenantId, endpointId: string): Promise<void> {
  await db
    .updateTable('webhook_deliveries')
    .set({ next_attempt_at: PARKED })
    .where(checkedTenant(tenantId))
    .where('endpoint_id', '=', endpointId)
    // Every lane: the index of what is open has it, that of all the endpoint has ever delivered does not.
    .where('order_key', '>=', '')
    .where('state', '=', sql.lit('pending'))
    .where('next_attempt_at', '<', PARKED)
    .execute();
}

/** What is open begins anew with all its retries: another receiver gets it from now on. */
export async function forgetAttempts(db: Db, tenantId: TenantId, endpointId: string): Promise<void> {
  await db
    .updateTable('webhook_deliveries')
    .set((row) => ({ attempts_before: row.ref('attempts') }))
    .where(checkedTenant(tenantId))
    .where('endpoint_id', '=', endpointId)
    .where('order_key', '>=', '')
    .where('state', '=', sql.lit('pending'))
    .where('attempts', '>', 0)
    .execute();
}

/** Makes the heads of all lanes of an endpoint due: it was configured again. */
export async function releaseEndpoint(
  db: Db,
  tenantId: TenantId,
  endpointId: string,
  now: number,
): Promise<void> {
  await sql`
    update webhook_deliveries set next_attempt_at = cast(${now} as bigint)
    where ${checkedTenant(tenantId)} and endpoint_id = ${endpointId} and order_key >= '' and state = 'pending'
      and not exists (
        select 1 from webhook_deliveries p
        where p.endpoint_id = webhook_deliveries.endpoint_id and p.order_key = webhook_deliveries.order_key
          and p.state = 'pending' and p.event_seq < webhook_deliveries.event_seq
      )`.execute(db);
}

/**
 * Makes the heads of lanes due that are parked as a whole although their endpoint takes deliveries: their
 * head was deleted (retention), or a process ended at an unlucky moment. Reads one index; at start and
 * now and then.
 */
export async function releaseStuckLanes(db: Db, now: number): Promise<number> {
  const lanes = await db
    .selectFrom('webhook_deliveries as delivery')
    .innerJoin('webhook_endpoints as endpoint', 'endpoint.id', 'delivery.endpoint_id')
    .select(['delivery.endpoint_id', 'delivery.order_key', 'endpoint.tenant_id'])
    .where('delivery.state', '=', sql.lit('pending'))
    .where('endpoint.enabled', '=', 1)
    .where('endpoint.state', '=', 'active')
    .groupBy(['delivery.endpoint_id', 'delivery.order_key', 'endpoint.tenant_id'])
    .having((eb) => eb.fn.min('delivery.next_attempt_at'), '=', PARKED)
    .execute();
  for (const lane of lanes) {
    const { tenant_id: tenantId, endpoint_id: endpointId, order_key: orderKey } = lane;
    await releaseHead(db, { tenantId, endpointId, orderKey }, now);
  }
  return lanes.length;
}
