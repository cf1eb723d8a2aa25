/** Stars of messages, as the account's devices set them. */
import type { Kysely } from 'kysely';
import { sameIdentity } from '../identity/jid.ts';
import type { Database } from '../storage/schema.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import { chatIdentity, type MessageDevice } from './stored-message.ts';

export interface Star {
  chat: Identity;
  messageId: string;
  fromMe: boolean;
  starred: boolean;
}

/** Remembers the star at `at` (milliseconds); that of a message which we do not have is forgotten. */
export async function markStarred(
  db: Kysely<Database>,
  device: Pick<MessageDevice, 'id' | 'tenantId'>,
  { chat, messageId, fromMe, starred }: Star,
  at: number,
): Promise<void> {
  const copies = await db
    .selectFrom('messages')
    .select(['id', 'chat_jid', 'chat_lid'])
    .where('tenant_id', '=', device.tenantId)
    .where('device_id', '=', device.id)
    .where('message_id', '=', messageId)
    .where('from_me', '=', fromMe ? 1 : 0)
    .execute();
  for (const copy of copies.filter((each) => sameIdentity(chatIdentity(each), chat))) {
    await db
      .updateTable('messages')
      .set({ starred_at: starred ? at : null })
      .where('tenant_id', '=', device.tenantId)
      .where('id', '=', copy.id)
      .execute();
  }
}
