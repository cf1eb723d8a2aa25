/** Whether the account has a chat, by which names it goes, and how long its messages stay: told by the messages in it. */
import type { Kysely } from 'kysely';
import { canonicalJid } from '../identity/jid.ts';
import type { DeviceId, TenantId } from '../ids.ts';
import { HotQuery } from '../storage/hot-query.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database, MessagesTable } from '../storage/schema.ts';
import type { ChatTimer } from '../whatsapp/port/chat-timers.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import { type KnownTimer, learnTimer, timerOf } from './chat-timers.ts';
import { chatIdentity, type MessageDevice } from './stored-message.ts';

export class KnownChats {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  /** Whether something was received in the chat, or sent with success, as far as is stored. */
  async hasChat(device: MessageDevice, chat: Identity): Promise<boolean> {
    for (const name of [chat.jid, chat.lid]) {
      if (name !== null && (await messageIn(BY_NAME, this.#db, device, name))) return true;
    }
    return chat.lid !== null && (await messageIn(BY_LID, this.#db, device, chat.lid)) !== undefined;
  }

  /** The one chat of the device's account that goes by any of the names; null for none, and for several. */
  async storedChat(device: MessageDevice, names: readonly Jid[]): Promise<Identity | null> {
    const found: Identity[] = [];
    for (const name of names) {
      const row = await messageIn(BY_NAME, this.#db, device, name);
      if (row) found.push(chatIdentity(row));
    }
    const [only, another] = found;
    return only && !another ? only : null;
  }

  /** When messages of the chat disappear, as it was set last; null while nothing has told it. */
  timerOf(device: MessageDevice, chat: Identity): Promise<KnownTimer | null> {
    return timerOf(this.#db, device, chat);
  }

  /** Remembers the timer of a chat that the account has begun with it: nobody tells us what we have done. */
  keepTimer(device: MessageDevice, timer: ChatTimer): Promise<void> {
    return learnTimer(this.#db, device, timer);
  }
}

/** Asked for every message that is sent: some message of the account in the chat, received or sent with success. */
const BY_NAME = messageWhere('chat_jid');
const BY_LID = messageWhere('chat_lid');

type ChatRow = Pick<MessagesTable, 'chat_jid' | 'chat_lid'>;

interface Asked {
  tenantId: TenantId;
  deviceId: DeviceId;
  account: Jid | null;
  name: Jid;
}

function messageWhere(column: 'chat_jid' | 'chat_lid'): HotQuery<Asked, ChatRow> {
  return new HotQuery((db, { tenantId, deviceId, account, name }) =>
    db
      .selectFrom('messages')
      .select(['chat_jid', 'chat_lid'])
      .where(checkedTenant(tenantId))
      .where('device_id', '=', deviceId)
      .where(column, '=', name)
      .where('send_state', 'in', ['none', 'sent'])
      // Another account's chats are not this one's.
      .where((is) => is.or([is('account_jid', 'is', null), is('account_jid', '=', account)]))
      .limit(1),
  );
}

async function messageIn(
  query: HotQuery<Asked, ChatRow>,
  db: Kysely<Database>,
  device: MessageDevice,
  name: Jid,
): Promise<ChatRow | undefined> {
  const { id: deviceId, tenantId } = device;
  const [row] = await query.rows(db, { tenantId, deviceId, account: canonicalJid(device), name });
  return row;
}
