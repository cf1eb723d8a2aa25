/** The state machine of a message of ours on its way out: who may make which step. */
import type { Kysely, Transaction } from 'kysely';
import type { RecordId, TenantId } from '../ids.ts';
import { HotQuery, slotsOf } from '../storage/hot-query.ts';
import type { Database, MessagesTable } from '../storage/schema.ts';
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

interface Moved extends Partial<MessagesTable> {
  tenantId: TenantId;
  rowId: RecordId;
}

/** By the step and the columns that change with it. */
const MOVES = new Map<string, HotQuery<Moved, unknown>>();

function moving(event: SendEvent, columns: readonly (keyof MessagesTable)[]): HotQuery<Moved, unknown> {
  const { from, to } = STEPS[event];
  return new HotQuery((db, moved) =>
    db
      .updateTable('messages')
      .set({ ...slotsOf<Moved>(moved, columns), send_state: to })
      .where('tenant_id', '=', moved.tenantId)
      .where('id', '=', moved.rowId)
      .where('send_state', 'in', [...from]),
  );
}

/** Makes the step, and says whether it was one. `reason`: why it failed, or why its end is not known. */
export async function moveSend(
  db: Kysely<Database> | Transaction<Database>,
  { tenantId, rowId }: Pick<StoredMessage, 'tenantId' | 'rowId'>,
  event: SendEvent,
  { reason = null, ...values }: { reason?: string | null } & Partial<MessagesTable> = {},
): Promise<boolean> {
  const changed: Partial<MessagesTable> = { ...values, send_error: reason };
  const columns = Object.keys(changed) as (keyof MessagesTable)[];
  const key = `${event} ${columns.join(' ')}`;
  const move = MOVES.get(key) ?? moving(event, columns);
  MOVES.set(key, move);
  return (await move.affected(db, { ...changed, tenantId, rowId })) > 0;
}

/** A send whose end is not known: it may have arrived. */
export function isUncertain({
  sendState,
  sendError,
}: Pick<StoredMessage, 'sendState' | 'sendError'>): boolean {
  return sendState === 'pending' && sendError !== null;
}
