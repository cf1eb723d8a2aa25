/** What was set aside, oldest first: it is counted every minute, and the oldest goes. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createIndex('inbound_journal_set_aside')
    .on('inbound_journal')
    .columns(['set_aside_at', 'tenant_id'])
    .where(sql.ref('set_aside_at'), 'is not', null)
    .execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('inbound_journal_set_aside').execute();
}
