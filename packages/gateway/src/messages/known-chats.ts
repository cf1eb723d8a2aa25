/** Whether the account has a chat, and by which names it goes: told by the messages in it. */
import type { Kysely } from 'kysely';
import { canonicalJid } from '../identity/jid.ts';
import type { DeviceId, TenantId } from '../ids.ts';
import { HotQuery } from '../storage/hot-query.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database, MessagesTable } from '../storage/schema.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import { chatIdentity, type MessageDevice } from './stored-message.ts';

/** Whether something was received in the chat, or sent with success, as far as is stored. */
export async function hasChat(db: Kysely<Database>, device: MessageDevice, chat: Identity): Promise<boolean> {
  for (const name of [chat.jid, chat.lid]) {
    if (name !== null && (await messageIn(BY_NAME, db, device, name))) return true;
  }
  return chat.lid !== null && (await messageIn(BY_LID, db, device, chat.lid)) !== undefined;
}

/** The one chat of the device's account that goes by any of the names; null for none, and for several. */
export async function storedChat(
  db: Kysely<Database>,
  device: MessageDevice,
  names: readonly Jid[],
): Promise<Identity | null> {
  const found: Identity[] = [];
  for (const name of names) {
    const row = await messageIn(BY_NAME, db, device, name);
    if (row) found.push(chatIdentity(row));
  }
  const [only, another] = found;
  return only && !another ? only : null;
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
