/**
 * What became of messages whose ack we never saw. The row is written before the stanza leaves, so a crash
 * leaves it `pending`; nothing is ever sent again by itself, for the server may well have it.
 */
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Clock } from '../clock.ts';
import { contradicts } from '../identity/jid.ts';
import type { Database } from '../storage/schema.ts';
import type { InboundMessage } from '../whatsapp/port/messages.ts';
import { applyOwnAmendment } from './amendments.ts';
import { chatIdentity, type MessageDevice } from './stored-message.ts';

/** Who is told how a send ended; `MessageEvents` fits. */
export interface SendOutcomes {
  sent(trx: Transaction<Database>, tenantId: string, rowId: string): Promise<void>;
  failed(trx: Transaction<Database>, tenantId: string, rowId: string, at: number): Promise<void>;
}

/** Why a message is `failed` when the process ended between its stanza and its ack. */
export const INTERRUPTED = 'interrupted: the gateway stopped before WhatsApp acknowledged it';

/** Rows per commit: bounds memory and the time that others wait for the database. */
const BATCH = 200;

export interface RecoveryResult {
  /** Proved to have left, by the copy that another device of the account got. */
  sent: number;
  failed: number;
}

/**
 * Settles what an earlier process left `pending`: `sent` when another of the tenant's devices holds the
 * copy that the account's devices get of a message the server took, else `failed`. A receipt that comes
 * later still outranks that. Call once, before any device connects or request is taken.
 */
export async function settleInterrupted(
  parts: { db: Kysely<Database>; clock: Clock; outcomes: SendOutcomes },
  tenantId: string,
): Promise<RecoveryResult> {
  const result: RecoveryResult = { sent: 0, failed: 0 };
  for (;;) {
    const settled = await parts.db.transaction().execute((trx) => settleBatch(trx, parts, tenantId));
    result.sent += settled.sent;
    result.failed += settled.failed;
    if (settled.sent + settled.failed < BATCH) return result;
  }
}

async function settleBatch(
  trx: Transaction<Database>,
  { clock, outcomes }: { clock: Clock; outcomes: SendOutcomes },
  tenantId: string,
): Promise<RecoveryResult> {
  const rows = await trx
    .selectFrom('messages')
    .select(['id', 'message_id', 'device_id', 'chat_jid', 'chat_lid'])
    .where('tenant_id', '=', tenantId)
    // As a literal: an index of those alone is not chosen for a parameter that might be anything.
    .where('send_state', '=', sql.lit('pending'))
    .orderBy('created_at')
    .limit(BATCH)
    .execute();
  const result: RecoveryResult = { sent: 0, failed: 0 };
  for (const row of rows) {
    const copies = await trx
      .selectFrom('messages')
      .select(['chat_jid', 'chat_lid', 'timestamp'])
      .where('tenant_id', '=', tenantId)
      .where('message_id', '=', row.message_id)
      .where('device_id', '!=', row.device_id)
      .where('from_me', '=', 1)
      .where('send_state', '=', 'sent')
      .execute();
    const copy = copies.find((each) => !contradicts(chatIdentity(each), chatIdentity(row)));
    await trx
      .updateTable('messages')
      .set(
        copy
          ? { send_state: 'sent', send_error: null, timestamp: copy.timestamp }
          : { send_state: 'failed', send_error: INTERRUPTED },
      )
      .where('tenant_id', '=', tenantId)
      .where('id', '=', row.id)
      .execute();
    if (copy) {
      result.sent += 1;
      await applyOwnAmendment(trx, tenantId, row.id);
      await outcomes.sent(trx, tenantId, row.id);
    } else {
      result.failed += 1;
      await outcomes.failed(trx, tenantId, row.id, clock.now());
    }
  }
  return result;
}

/**
 * The server gave `message`, which our account sent, to a device of ours: wherever the tenant has it as
 * `failed` because no ack was seen, it was sent after all.
 */
export async function confirmSent(
  trx: Transaction<Database>,
  device: MessageDevice,
  message: InboundMessage,
  outcomes: SendOutcomes,
): Promise<void> {
  const failed = await trx
    .selectFrom('messages')
    .select(['id', 'chat_jid', 'chat_lid'])
    .where('tenant_id', '=', device.tenantId)
    .where('message_id', '=', message.id)
    .where('from_me', '=', 1)
    .where('send_state', '=', 'failed')
    .execute();
  for (const row of failed) {
    if (contradicts(chatIdentity(row), message.chat)) continue;
    await trx
      .updateTable('messages')
      .set({ send_state: 'sent', send_error: null, timestamp: message.timestamp })
      .where('tenant_id', '=', device.tenantId)
      .where('id', '=', row.id)
      .execute();
    await applyOwnAmendment(trx, device.tenantId, row.id);
    await outcomes.sent(trx, device.tenantId, row.id);
  }
}
