/** Who is known by LID alone: once the number is known, what was written under the LID is found here. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createIndex('messages_of_lid_senders')
    .on('messages')
    .columns(['device_id', 'sender_jid'])
    .where(sql<boolean>`sender_jid like '%@lid'`)
    .execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('messages_of_lid_senders').execute();
}
