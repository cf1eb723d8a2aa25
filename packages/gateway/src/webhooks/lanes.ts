/** One lane for one person: joined when it turns out that two names are one person's. */
import { sql, type Transaction } from 'kysely';
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

/**
 * Remembers that a number and a LID are one person's. When that is news, what waits under the number takes its place
 * among what waits under the LID: lanes are read in the order of their events. Returns the lanes that were joined.
 */
export async function learnNames(
  trx: Transaction<Database>,
  device: Pick<EventDevice, 'id' | 'tenantId'>,
  { jid, lid }: BothNames,
): Promise<JoinedLanes[]> {
  const { id: deviceId, tenantId } = device;
  const news = await LEARN.affected(trx, { device_id: deviceId, tenant_id: tenantId, jid, lid });
  if (news === 0) return [];
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
