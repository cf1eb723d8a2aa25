/**
 * What became of messages whose ack we never saw. The row is written before the stanza leaves, so a crash
 * leaves it `pending`; `sending/unknown-ends.ts` sends it again under its id, for the server may well have it.
 */
import { type Kysely, sql, type Transaction } from 'kysely';
import { contradicts } from '../identity/jid.ts';
import type { RecordId, TenantId } from '../ids.ts';
import type { Database, MessagesTable } from '../storage/schema.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import type { InboundMessage } from '../whatsapp/port/messages.ts';
import { applyOwnAmendment } from './amendments.ts';
import { moveSend } from './send-state.ts';
import {
  chatIdentity,
  type MessageDevice,
  STORED_COLUMNS,
  type StoredMessage,
  senderIdentity,
  storedMessage,
} from './stored-message.ts';

/** Hears how a send ended; `MessageEvents` fits. */
export interface SendOutcomes {
  sent(trx: Transaction<Database>, tenantId: TenantId, rowId: RecordId): Promise<void>;
}

/** Why the end of a message is not known when the process ended between its stanza and its ack. */
export const INTERRUPTED = 'interrupted: the gateway stopped before WhatsApp acknowledged it';

/** Rows per commit: bounds memory and the time that others wait for the database. */
const BATCH = 200;

export interface RecoveryResult {
  /** Proved to have left, by the copy that another device of the account got. */
  sent: number;
  uncertain: number;
}

/**
 * Decides what became of the messages that an earlier process left `pending`. One is `sent` when another of the
 * tenant's devices has the copy that the account's devices get of a message the server took. Of the others nobody
 * knows: they stay `pending`, with that as the reason, until a receipt or a copy proves more. Call once, before any
 * device connects or request is taken.
 */
export async function concludeInterrupted(
  parts: { db: Kysely<Database>; outcomes: SendOutcomes },
  tenantId: TenantId,
): Promise<RecoveryResult> {
  const result: RecoveryResult = { sent: 0, uncertain: 0 };
  for (;;) {
    const concluded = await parts.db
      .transaction()
      .execute((trx) => concludeBatch(trx, parts.outcomes, tenantId));
    result.sent += concluded.sent;
    result.uncertain += concluded.uncertain;
    if (concluded.sent + concluded.uncertain < BATCH) return result;
  }
}

async function concludeBatch(
  trx: Transaction<Database>,
  outcomes: SendOutcomes,
  tenantId: TenantId,
): Promise<RecoveryResult> {
  const rows = await trx
    .selectFrom('messages')
    .select(['id', 'message_id', 'device_id', ...NAMES])
    .where('tenant_id', '=', tenantId)
    // As a literal: an index of those alone is not chosen for a parameter that might be anything.
    .where('send_state', '=', sql.lit('pending'))
    .where('send_error', 'is', null)
    .orderBy('created_at')
    .limit(BATCH)
    .execute();
  const result: RecoveryResult = { sent: 0, uncertain: 0 };
  for (const row of rows) {
    const copies = await trx
      .selectFrom('messages')
      .select([...NAMES, 'timestamp'])
      .where('tenant_id', '=', tenantId)
      .where('message_id', '=', row.message_id)
      .where('device_id', '!=', row.device_id)
      .where('from_me', '=', 1)
      .where('send_state', '=', 'sent')
      .execute();
    const copy = copies.find((each) => isCopy(row, chatIdentity(each), senderIdentity(each)));
    if (copy) {
      result.sent += 1;
      await proveSent(trx, { tenantId, rowId: row.id }, copy.timestamp, outcomes);
    } else {
      result.uncertain += 1;
      await moveSend(trx, { tenantId, rowId: row.id }, 'lost', { reason: INTERRUPTED });
    }
  }
  return result;
}

/** Sends of a tenant whose end is not known, the oldest first. */
export async function uncertainSends(
  db: Kysely<Database>,
  tenantId: TenantId,
  limit: number,
): Promise<StoredMessage[]> {
  const rows = await db
    .selectFrom('messages')
    .select(STORED_COLUMNS)
    .where('tenant_id', '=', tenantId)
    .where('send_state', '=', sql.lit('pending'))
    .where('send_error', 'is not', null)
    .orderBy('created_at')
    .limit(limit)
    .execute();
  return rows.map(storedMessage);
}

const NAMES = ['chat_jid', 'chat_lid', 'sender_jid', 'sender_lid'] as const;

/** The id alone proves nothing: another account, or another chat, may have a message of the same id. */
function isCopy(row: Pick<MessagesTable, (typeof NAMES)[number]>, chat: Identity, sender: Identity): boolean {
  return !contradicts(chatIdentity(row), chat) && !contradicts(senderIdentity(row), sender);
}

/** Something else than the ack proves that WhatsApp has the message; `at` in milliseconds, if the proof has a time. */
export async function proveSent(
  trx: Transaction<Database>,
  message: { tenantId: TenantId; rowId: RecordId },
  at: number | null,
  outcomes: SendOutcomes,
): Promise<void> {
  if (!(await moveSend(trx, message, 'proved', at === null ? {} : { timestamp: at }))) return;
  await applyOwnAmendment(trx, message.tenantId, message.rowId);
  await outcomes.sent(trx, message.tenantId, message.rowId);
}

/**
 * The server gave `message`, which our account sent, to a device of ours: wherever the tenant has it as
 * `failed` or `pending` because no ack was seen, it was sent after all.
 */
export async function confirmSent(
  trx: Transaction<Database>,
  device: MessageDevice,
  message: InboundMessage,
  outcomes: SendOutcomes,
): Promise<void> {
  const rows = await trx
    .selectFrom('messages')
    .select(['id', ...NAMES])
    .where('tenant_id', '=', device.tenantId)
    .where('message_id', '=', message.id)
    .where('from_me', '=', 1)
    .where('send_state', 'in', ['failed', 'pending'])
    .execute();
  for (const row of rows) {
    if (!isCopy(row, message.chat, message.sender)) continue;
    await proveSent(trx, { tenantId: device.tenantId, rowId: row.id }, message.timestamp, outcomes);
  }
}
