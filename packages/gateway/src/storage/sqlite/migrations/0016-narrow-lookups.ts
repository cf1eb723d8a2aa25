/** Indexes for questions that went through everything of a device, or through a whole table. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // By a chat's number, the rows that know its LID too. The other way there is `messages_by_chat_lid`.
  await sql`create index messages_by_both_names on messages (device_id, chat_jid)
    where chat_lid is not null and chat_lid != chat_jid`.execute(db);
  // The log of deliveries, newest first, of an endpoint or a device.
  for (const owner of ['endpoint', 'device']) {
    const name = `webhook_deliveries_by_${owner}`;
    await db.schema.dropIndex(name).execute();
    await db.schema
      .createIndex(name)
      .on('webhook_deliveries')
      .columns([`${owner}_id`, 'created_at', 'id'])
      .execute();
  }
  await db.schema.createIndex('send_bulks_by_age').on('send_bulks').column('finished_at').execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const owner of ['endpoint', 'device']) {
    const name = `webhook_deliveries_by_${owner}`;
    await db.schema.dropIndex(name).execute();
    await db.schema.createIndex(name).on('webhook_deliveries').column(`${owner}_id`).execute();
  }
  for (const index of ['send_bulks_by_age', 'messages_by_both_names']) {
    await db.schema.dropIndex(index).execute();
  }
}
