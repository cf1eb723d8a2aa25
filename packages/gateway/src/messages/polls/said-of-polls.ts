/** What was said of a poll: the votes in it, and the options that were added. */
import type { Kysely } from 'kysely';
import type { DeviceId, MessageId, TenantId } from '../../ids.ts';
import { checkedTenant, sortedBy } from '../../storage/narrowing.ts';
import type { Database } from '../../storage/schema.ts';

/** In the order in which it was said; of all polls of the device that have the id (`speaksOf` tells which is meant). */
export function saidOfPolls(
  db: Kysely<Database>,
  { tenantId, deviceId, messageId }: { tenantId: TenantId; deviceId: DeviceId; messageId: MessageId },
  kind: 'poll_vote' | 'poll_option',
) {
  return db
    .selectFrom('messages')
    .where(checkedTenant(tenantId))
    .where('device_id', '=', deviceId)
    .where('target_id', '=', messageId)
    .where('kind', '=', kind)
    .orderBy(sortedBy('timestamp'))
    .orderBy(sortedBy('created_at'));
}
