/** Whether the account has a chat, and by which names it goes: told by the messages in it. */
import type { Expression, ExpressionBuilder, Kysely, SqlBool } from 'kysely';
import { canonicalJid } from '../identity/jid.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import { chatIdentity, type MessageDevice } from './stored-message.ts';

/** Whether something was received in the chat, or sent with success, as far as is stored. */
export async function hasChat(db: Kysely<Database>, device: MessageDevice, chat: Identity): Promise<boolean> {
  const names = [chat.jid, chat.lid].filter((name) => name !== null);
  if (await messageOf(db, device, (is) => is('chat_jid', 'in', names))) return true;
  if (chat.lid === null) return false;
  return (await messageOf(db, device, (is) => is('chat_lid', '=', chat.lid))) !== undefined;
}

/** The one chat of the device's account that goes by any of the names; null for none, and for several. */
export async function storedChat(
  db: Kysely<Database>,
  device: MessageDevice,
  names: readonly Jid[],
): Promise<Identity | null> {
  const found: Identity[] = [];
  for (const name of names) {
    const row = await messageOf(db, device, (is) => is('chat_jid', '=', name));
    if (row) found.push(chatIdentity(row));
  }
  const [only, another] = found;
  return only && !another ? only : null;
}

/** A message of the account in the chat, received or sent with success. */
function messageOf(
  db: Kysely<Database>,
  device: MessageDevice,
  inChat: (is: ExpressionBuilder<Database, 'messages'>) => Expression<SqlBool>,
) {
  return (
    db
      .selectFrom('messages')
      .select(['chat_jid', 'chat_lid'])
      .where(checkedTenant(device.tenantId))
      .where('device_id', '=', device.id)
      .where(inChat)
      .where('send_state', 'in', ['none', 'sent'])
      // Another account's chats are not this one's.
      .where((is) => is.or([is('account_jid', 'is', null), is('account_jid', '=', canonicalJid(device))]))
      .limit(1)
      .executeTakeFirst()
  );
}
