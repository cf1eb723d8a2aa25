/** Which message an edit, revoke or poll vote speaks of, so that it is found when that message comes later. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('messages').addColumn('target_id', 'text').execute();
  await sql`update messages set target_id = json_extract(context, '$.targetId') where context is not null`.execute(
    db,
  );
  await db.schema
    .createIndex('messages_by_target')
    .on('messages')
    .columns(['device_id', 'target_id'])
    .where(sql.ref('target_id'), 'is not', null)
    .execute();
  // A start asks for what was on its way out when the last process ended: few rows among millions.
  await db.schema
    .createIndex('messages_unacknowledged')
    .on('messages')
    .columns(['tenant_id', 'created_at'])
    .where(sql.ref('send_state'), '=', sql.lit('pending'))
    .execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('messages_unacknowledged').execute();
  await db.schema.dropIndex('messages_by_target').execute();
  await db.schema.alterTable('messages').dropColumn('target_id').execute();
}
