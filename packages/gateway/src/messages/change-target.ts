/** The message that an edit, revoke, reaction or vote speaks of. */
import type { Kysely } from 'kysely';
import { contradicts, identityOf, isNewsletter, sameIdentity } from '../identity/jid.ts';
import { HotQuery } from '../storage/hot-query.ts';
import { checkedTenant, storingOrder } from '../storage/narrowing.ts';
import type { Database, MessagesTable } from '../storage/schema.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import { chatIdentity, chatOf, type StoredMessage, senderIdentity, senderOf } from './stored-message.ts';

export interface ChangeTarget {
  /** Our own id of it; null when the device does not have it. */
  recordId: string | null;
  /** Who wrote it; null when neither it nor the change says so. */
  author: Identity | null;
}

export async function changeTarget(db: Kysely<Database>, change: StoredMessage): Promise<ChangeTarget> {
  const author = authorOfTarget(change);
  const { targetId } = change.context;
  if (targetId === null) return { recordId: null, author };
  const { tenantId, deviceId } = change;
  const rows = await WITH_ID.rows(db, { tenantId, deviceId, messageId: targetId });
  const inChat = rows.filter((row) => sameIdentity(chatIdentity(row), chatOf(change)));
  const target = inChat.find((row) => author === null || !contradicts(senderIdentity(row), author));
  return target ? { recordId: target.id, author: senderIdentity(target) } : { recordId: null, author };
}

/** Null when it is not said: anyone reacts to anyone's message. */
function authorOfTarget(change: StoredMessage): Identity | null {
  const { byAdmin, targetSender, targetAuthor } = change.context;
  // Whoever runs a channel changes what any of them published.
  if (isNewsletter(change.chatJid)) return null;
  if (change.kind === 'edit' || (change.kind === 'revoke' && !byAdmin)) return senderOf(change);
  return targetAuthor ?? (targetSender === null ? null : identityOf(targetSender));
}

type Row = Pick<MessagesTable, 'id' | 'chat_jid' | 'chat_lid' | 'sender_jid' | 'sender_lid'>;

const WITH_ID = new HotQuery<{ tenantId: string; deviceId: string; messageId: string }, Row>(
  (db, { tenantId, deviceId, messageId }) =>
    db
      .selectFrom('messages')
      .select(['id', 'chat_jid', 'chat_lid', 'sender_jid', 'sender_lid'])
      .where(checkedTenant(tenantId))
      .where('device_id', '=', deviceId)
      .where('message_id', '=', messageId)
      .orderBy(storingOrder()),
);
