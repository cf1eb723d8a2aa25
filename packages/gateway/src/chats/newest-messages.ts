/** The newest messages of a chat, by which app state and receipts name what they speak of. */
import type { Kysely } from 'kysely';
import { holderOf } from '../identity/holder.ts';
import { sameIdentity } from '../identity/jid.ts';
import { NOT_SHOWN } from '../messages/shown-kinds.ts';
import { listOf, parseContext, senderIdentity } from '../messages/stored-message.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import type { MessageRange } from '../whatsapp/port/account.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { ChatDevice } from './chat.ts';

/** Unread messages that are told to their authors as read; a phone that opens the chat does no more. */
const MOST_READ = 256;

export interface UnreadBatch {
  sender: Identity;
  /** The broadcast list by which they came; null: directly. */
  list: Jid | null;
  messageIds: string[];
}

export class NewestMessages {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  /** The newest message that WhatsApp has; none where none is known. */
  async of(device: ChatDevice, chat: Identity): Promise<MessageRange['messages']> {
    const found: MessageRange['messages'] = [];
    for (const name of namesOf(chat)) {
      const row = await this.#shown(device, name)
        .select(['message_id', 'from_me', 'sender_jid', 'sender_lid', 'timestamp'])
        .where('send_state', 'in', ['none', 'sent'])
        .orderBy('timestamp', 'desc')
        .limit(1)
        .executeTakeFirst();
      if (!row) continue;
      const { message_id: id, timestamp } = row;
      found.push({ id, fromMe: row.from_me === 1, sender: senderIdentity(row), timestamp });
    }
    return found.sort((a, b) => b.timestamp - a.timestamp).slice(0, 1);
  }

  /** What was received since the chat was read, by authors and broadcast lists: a receipt names one. */
  async unread(
    device: ChatDevice,
    chat: Identity,
    { readAt, count }: { readAt: number; count: number },
  ): Promise<UnreadBatch[]> {
    const batches: UnreadBatch[] = [];
    if (count === 0) return batches;
    for (const name of namesOf(chat)) {
      const rows = await this.#shown(device, name)
        .select(['message_id', 'sender_jid', 'sender_lid', 'context'])
        .where('from_me', '=', 0)
        .where('timestamp', '>', readAt)
        .orderBy('timestamp', 'desc')
        .limit(Math.min(count, MOST_READ))
        .execute();
      for (const row of rows) {
        const sender = senderIdentity(row);
        const list = listOf({ fromMe: false, context: parseContext(row.context) });
        const batch = batches.find((each) => each.list === list && sameIdentity(each.sender, sender));
        if (batch) batch.messageIds.push(row.message_id);
        else batches.push({ sender, list, messageIds: [row.message_id] });
      }
    }
    return batches;
  }

  /** One run through an index: of the messages under one name of the chat. */
  #shown(device: ChatDevice, name: string) {
    const { tenant_id, device_id, account } = holderOf(device);
    return this.#db
      .selectFrom('messages')
      .where(checkedTenant(tenant_id))
      .where('device_id', '=', device_id)
      .where('chat_jid', '=', name)
      .where('hidden_at', 'is', null)
      .where('kind', 'not in', NOT_SHOWN)
      .where((is) => is.or([is('account_jid', 'is', null), is('account_jid', '=', account)]));
  }
}

function namesOf({ jid, lid }: Identity): string[] {
  return [jid, lid].filter((name) => name !== null);
}
