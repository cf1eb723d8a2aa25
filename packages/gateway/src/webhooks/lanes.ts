/** One lane for one person: joined when it turns out that two names are one person's. */
import { sql, type Transaction } from 'kysely';
import { LRUCache } from 'lru-cache';
import type { BothNames } from '../events/order-key.ts';
import type { EventDevice } from '../events/recorder.ts';
import type { TenantId } from '../ids.ts';
import { HotQuery } from '../storage/hot-query.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database, WebhookLaneNamesTable } from '../storage/schema.ts';

/** What was delivered under one order key of an endpoint goes under the other from now on. */
export interface JoinedLanes {
  tenantId: TenantId;
  endpointId: string;
  from: string;
  into: string;
}

/** Names that are kept in memory: some 100 bytes each. */
const MOST_KNOWN = 50_000;

export class LaneNames {
  /** The LID of a device's number, where it is known to be committed: told with every message. */
  readonly #known = new LRUCache<string, string>({ max: MOST_KNOWN });
  /** Transactions in which something was new: what they find may be their own, and be rolled back. */
  readonly #telling = new WeakSet<Transaction<Database>>();

  /**
   * Remembers that a number and a LID are one person's. When that is news, what waits under the number takes its
   * place among what waits under the LID: lanes are read in the order of their events. Returns the lanes that were
   * joined.
   */
  async learn(
    trx: Transaction<Database>,
    device: Pick<EventDevice, 'id' | 'tenantId'>,
    { jid, lid }: BothNames,
  ): Promise<JoinedLanes[]> {
    const { id: device_id, tenantId: tenant_id } = device;
    const key = `${device_id} ${jid}`;
    if (this.#known.get(key) === lid) return [];
    if ((await LEARN.affected(trx, { device_id, tenant_id, jid, lid })) > 0) {
      this.#telling.add(trx);
      this.#known.delete(key);
      return join(trx, device, { jid, lid });
    }
    if (!this.#telling.has(trx)) this.#known.set(key, lid);
    return [];
  }
}

async function join(
  trx: Transaction<Database>,
  { id: deviceId, tenantId }: Pick<EventDevice, 'id' | 'tenantId'>,
  { jid, lid }: BothNames,
): Promise<JoinedLanes[]> {
  const moved = await trx
    .updateTable('webhook_deliveries')
    .set({ order_key: lid })
    .where(checkedTenant(tenantId))
    .where('endpoint_id', 'in', (endpoints) =>
      endpoints
        .selectFrom('webhook_endpoints')
        .select('id')
        .where('tenant_id', '=', tenantId)
        .where('device_id', '=', deviceId),
    )
    .where('order_key', '=', jid)
    .where('state', '=', sql.lit('pending'))
    .returning('endpoint_id')
    .execute();
  const endpointIds = new Set(moved.map((row) => row.endpoint_id));
  return [...endpointIds].map((endpointId) => ({ tenantId, endpointId, from: jid, into: lid }));
}

/** Writes nothing when it is known. */
const LEARN = new HotQuery<WebhookLaneNamesTable, unknown>((db, { device_id, tenant_id, jid, lid }) =>
  db
    .insertInto('webhook_lane_names')
    .values({ device_id, tenant_id, jid, lid })
    .onConflict((conflict) =>
      conflict
        .columns(['device_id', 'jid'])
        .doUpdateSet((eb) => ({ lid: eb.ref('excluded.lid') }))
        .whereRef('webhook_lane_names.lid', '!=', 'excluded.lid'),
    ),
);
