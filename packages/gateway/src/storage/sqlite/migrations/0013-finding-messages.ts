/** Lists of messages: by device, by chat, starred ones, each in the order of time. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // Lists ask device by device: one that was quiet for long must not be looked for among busy ones.
  await db.schema
    .createIndex('messages_by_time')
    .on('messages')
    .columns(['device_id', 'timestamp', 'kind'])
    .execute();
  await db.schema
    .createIndex('messages_by_chat')
    .on('messages')
    .columns(['device_id', 'chat_jid', 'timestamp'])
    .execute();
  // From a LID to the phone number that the same chat is stored under.
  await db.schema
    .createIndex('messages_by_chat_lid')
    .on('messages')
    .columns(['device_id', 'chat_lid'])
    .where(sql.ref('chat_lid'), 'is not', null)
    .execute();
  await db.schema
    .createIndex('messages_starred')
    .on('messages')
    .columns(['device_id', 'timestamp'])
    .where(sql.ref('starred_at'), 'is not', null)
    .execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const index of ['messages_starred', 'messages_by_chat_lid', 'messages_by_chat', 'messages_by_time']) {
    await db.schema.dropIndex(index).execute();
  }
}
