/** Receipts as rows, and what they say about a message. */
import type { Kysely, Transaction } from 'kysely';
import { canonicalJid, contradicts, sameIdentity } from '../identity/jid.ts';
import type { DeviceId, MessageId, RecordId, TenantId } from '../ids.ts';
import { HotQuery, slotsOf } from '../storage/hot-query.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database, MessagesTable, ReceiptsTable } from '../storage/schema.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { MessageReceipt, ReceiptKind } from '../whatsapp/port/receipts.ts';
import type { MessageEvents } from './message-events.ts';
import { proveSent } from './outbound-recovery.ts';
import { chatIdentity, type MessageDevice, type StoredMessage } from './stored-message.ts';

export type DeliveryStatus = 'pending' | 'failed' | 'delivered' | 'read' | 'played';

export interface StoredReceipt {
  recipientJid: Jid;
  recipientLid: Jid | null;
  kind: ReceiptKind;
  /** Milliseconds since the epoch, the server's time. */
  at: number;
}

/** In the order in which a status moves; a receipt outranks a refusal, for it proves the delivery. */
export const STATUS_ORDER: readonly DeliveryStatus[] = ['pending', 'failed', 'delivered', 'read', 'played'];

/** Playing implies reading implies delivery: WhatsApp may send the later receipt alone. */
const IMPLIED: Readonly<Record<ReceiptKind, readonly ReceiptKind[]>> = {
  delivered: ['delivered'],
  read: ['delivered', 'read'],
  played: ['delivered', 'read', 'played'],
};

/** The status of an outbound message; sent without a receipt is still `pending`, as documented. */
export function statusOf(
  message: Pick<StoredMessage, 'playedAt' | 'readAt' | 'deliveredAt' | 'sendState'>,
): DeliveryStatus {
  if (message.playedAt !== null) return 'played';
  if (message.readAt !== null) return 'read';
  if (message.deliveredAt !== null) return 'delivered';
  return message.sendState === 'failed' ? 'failed' : 'pending';
}

/**
 * Stores one row per message, recipient and kind, and moves the message's times: the first of each kind,
 * whoever sent it. One commit for all messages that the receipt names.
 */
export async function recordReceipt(
  db: Kysely<Database>,
  device: MessageDevice,
  receipt: MessageReceipt,
  events: MessageEvents,
): Promise<void> {
  const self: Identity = { jid: device.jid, lid: device.lid };
  // Our own phone reports what it received too; only in the chat with oneself is it the recipient.
  const ownCopy = sameIdentity(receipt.recipient, self) && !sameIdentity(receipt.chat, self);
  const recipient = canonicalJid(receipt.recipient);
  if (recipient === null) return;
  await db.transaction().execute(async (trx) => {
    for (const messageId of receipt.messageIds) {
      const target = await targetOf(trx, device, receipt, messageId);
      if (!target) continue;
      // The phone has its copy from the server: whatever came of the ack, the server has the message.
      if (ownCopy) await proveSent(trx, { tenantId: device.tenantId, rowId: target.rowId }, null, events);
      else await store({ trx, device, events }, receipt, { ...target, messageId, recipient });
    }
  });
  events.committed();
}

interface Target {
  rowId: RecordId;
  chat: Identity;
  chatJid: string;
  /** WhatsApp is known to have it. */
  sent: boolean;
  /** Somebody read or played it. */
  read: boolean;
  /** The chat's LID, when this receipt is the first to tell it. */
  learnedLid: string | null;
}

async function targetOf(
  trx: Transaction<Database>,
  device: MessageDevice,
  receipt: MessageReceipt,
  messageId: MessageId,
): Promise<Target | null> {
  const rows = await OWN_MESSAGES.rows(trx, { tenantId: device.tenantId, deviceId: device.id, messageId });
  const row = rows.find((each) => {
    if ((each.is_group === 1) !== receipt.isGroup) return false;
    // The id alone would let anyone who saw it vouch for a message in another chat.
    return !contradicts(chatIdentity(each), receipt.chat);
  });
  if (!row) return null;
  const learnedLid = !receipt.isGroup && row.chat_lid === null ? receipt.chat.lid : null;
  const { jid, lid } = chatIdentity(row);
  return {
    rowId: row.id,
    chat: { jid, lid: lid ?? learnedLid },
    chatJid: row.chat_jid,
    sent: row.send_state === 'sent',
    read: row.read_at !== null || row.played_at !== null,
    learnedLid,
  };
}

async function store(
  { trx, device, events }: { trx: Transaction<Database>; device: MessageDevice; events: MessageEvents },
  receipt: MessageReceipt,
  target: Target & { messageId: MessageId; recipient: Jid },
): Promise<void> {
  const inserted = await INSERT.affected(trx, {
    tenant_id: device.tenantId,
    device_id: device.id,
    message_id: target.messageId,
    chat_jid: target.chatJid,
    recipient_jid: target.recipient,
    recipient_lid: receipt.recipient.lid,
    kind: receipt.kind,
    at: receipt.timestamp,
  });
  const { tenantId } = device;
  const { rowId, learnedLid } = target;
  await FIRST_TIMES[receipt.kind].run(trx, { tenantId, rowId, at: receipt.timestamp });
  if (learnedLid !== null) {
    await trx
      .updateTable('messages')
      .set({ chat_lid: learnedLid })
      .where('tenant_id', '=', tenantId)
      .where('id', '=', rowId)
      .execute();
  }
  // A receipt proves that the server took the message, also when its ack never reached us.
  if (!target.sent) await proveSent(trx, { tenantId, rowId }, null, events);
  if (inserted === 0 || (target.read && (await saysLess(trx, device, receipt.kind, target)))) return;
  const { messageId, chat } = target;
  const { isGroup, recipient, kind, timestamp: at } = receipt;
  await events.receipt(trx, device, {
    messageId,
    recordId: rowId,
    chat,
    isGroup,
    recipient,
    kind,
    at,
  });
}

/** Whether the recipient has told more before: whoever has read a message needs not be told to have got it. */
async function saysLess(
  trx: Transaction<Database>,
  device: MessageDevice,
  kind: ReceiptKind,
  { messageId, chatJid, recipient }: { messageId: MessageId; chatJid: Jid; recipient: Jid },
): Promise<boolean> {
  const told = await TOLD_BY.rows(trx, {
    tenantId: device.tenantId,
    deviceId: device.id,
    messageId,
    chatJid,
    recipient,
  });
  return told.some((each) => each.kind !== kind && IMPLIED[each.kind].includes(kind));
}

/** The receipts of one message, oldest first. Groups have one per participant and kind. */
export async function receiptsOf(db: Kysely<Database>, message: StoredMessage): Promise<StoredReceipt[]> {
  const rows = await db
    .selectFrom('receipts')
    .select(['recipient_jid', 'recipient_lid', 'kind', 'at'])
    .where('tenant_id', '=', message.tenantId)
    .where('message_id', '=', message.messageId)
    .where('device_id', '=', message.deviceId)
    .where('chat_jid', '=', message.chatJid)
    .orderBy('at')
    .orderBy('id')
    .execute();
  return rows.map((row) => ({
    recipientJid: row.recipient_jid,
    recipientLid: row.recipient_lid,
    kind: row.kind,
    at: row.at,
  }));
}

interface Times {
  tenantId: TenantId;
  rowId: RecordId;
  at: number;
}

/** What a receipt of each kind tells of its message: times, of which the earliest stays. */
const FIRST_TIMES: Readonly<Record<ReceiptKind, HotQuery<Times, unknown>>> = {
  delivered: firstTimes('delivered'),
  read: firstTimes('read'),
  played: firstTimes('played'),
};

function firstTimes(kind: ReceiptKind): HotQuery<Times, unknown> {
  return new HotQuery((db, { tenantId, rowId, at }) =>
    db
      .updateTable('messages')
      .set((eb) =>
        Object.fromEntries(
          IMPLIED[kind].map((implied) => {
            const column = `${implied}_at` as const;
            const later = eb.or([eb(column, 'is', null), eb(column, '>', at)]);
            // A number is written into the text of the statement, unless it is called a value.
            return [column, eb.case().when(later).then(eb.val(at)).else(eb.ref(column)).end()];
          }),
        ),
      )
      .where('tenant_id', '=', tenantId)
      .where('id', '=', rowId),
  );
}

type OwnMessage = Pick<
  MessagesTable,
  'id' | 'chat_jid' | 'chat_lid' | 'is_group' | 'send_state' | 'read_at' | 'played_at'
>;

const OWN_MESSAGES = new HotQuery<
  { tenantId: TenantId; deviceId: DeviceId; messageId: MessageId },
  OwnMessage
>((db, { tenantId, deviceId, messageId }) =>
  db
    .selectFrom('messages')
    .select(['id', 'chat_jid', 'chat_lid', 'is_group', 'send_state', 'read_at', 'played_at'])
    .where('tenant_id', '=', tenantId)
    .where('message_id', '=', messageId)
    .where('device_id', '=', deviceId)
    .where('from_me', '=', 1),
);

const TOLD_BY = new HotQuery<
  { tenantId: TenantId; deviceId: DeviceId; messageId: MessageId; chatJid: Jid; recipient: Jid },
  Pick<ReceiptsTable, 'kind'>
>((db, { tenantId, deviceId, messageId, chatJid, recipient }) =>
  db
    .selectFrom('receipts')
    .select('kind')
    .where(checkedTenant(tenantId))
    .where('device_id', '=', deviceId)
    .where('chat_jid', '=', chatJid)
    .where('message_id', '=', messageId)
    .where('recipient_jid', '=', recipient),
);

type NewReceipt = Omit<ReceiptsTable, 'id'>;

const COLUMNS = [
  'tenant_id',
  'device_id',
  'message_id',
  'chat_jid',
  'recipient_jid',
  'recipient_lid',
  'kind',
  'at',
] as const satisfies readonly (keyof NewReceipt)[];

const INSERT = new HotQuery<NewReceipt, unknown>((db, row) =>
  db
    .insertInto('receipts')
    .values(slotsOf(row, COLUMNS))
    .onConflict((conflict) => conflict.doNothing()),
);
