/** The state machine of a message of ours on its way out: who may make which step. */
import type { Kysely, Transaction, UpdateObject } from 'kysely';
import type { Database } from '../storage/schema.ts';
import type { SendState, StoredMessage } from './stored-message.ts';

/** What moves a send: the server's ack, its refusal, silence, a proof that comes by another way, another attempt. */
export type SendEvent = 'acknowledged' | 'refused' | 'lost' | 'proved' | 'repeated';

/**
 * | event        | from            | to                | known from                                                  |
 * |--------------|-----------------|-------------------|-------------------------------------------------------------|
 * | acknowledged | pending, failed | sent              | the server's ack                                            |
 * | refused      | pending         | failed            | `<ack error>`, that the stanza has not left, or a day without proof |
 * | lost         | pending         | pending, with why | silence, a lost connection, the end of the process          |
 * | proved       | pending, failed | sent              | a receipt, or the copy that a device of the account got     |
 * | repeated     | pending, failed | pending           | another attempt under the same id                           |
 *
 * A message that is `sent` stays so and is never called failed. One that is `pending` with a reason is a send whose
 * end is not known; a proof, another attempt or a day without either changes it.
 */
const STEPS: Readonly<Record<SendEvent, { from: readonly SendState[]; to: SendState }>> = {
  acknowledged: { from: ['pending', 'failed'], to: 'sent' },
  refused: { from: ['pending'], to: 'failed' },
  lost: { from: ['pending'], to: 'pending' },
  proved: { from: ['pending', 'failed'], to: 'sent' },
  repeated: { from: ['pending', 'failed'], to: 'pending' },
};

/** Makes the step, and says whether it was one. `reason`: why it failed, or why its end is not known. */
export async function moveSend(
  db: Kysely<Database> | Transaction<Database>,
  { tenantId, rowId }: Pick<StoredMessage, 'tenantId' | 'rowId'>,
  event: SendEvent,
  { reason = null, ...values }: { reason?: string | null } & UpdateObject<Database, 'messages'> = {},
): Promise<boolean> {
  const { from, to } = STEPS[event];
  const moved = await db
    .updateTable('messages')
    .set({ ...values, send_state: to, send_error: reason })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', rowId)
    .where('send_state', 'in', [...from])
    .executeTakeFirst();
  return moved.numUpdatedRows > 0n;
}

/** A send whose end is not known: it may have arrived. */
export function isUncertain({
  sendState,
  sendError,
}: Pick<StoredMessage, 'sendState' | 'sendError'>): boolean {
  return sendState === 'pending' && sendError !== null;
}
