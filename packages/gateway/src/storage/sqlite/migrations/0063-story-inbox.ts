/** The stories of contacts: which of them the account has seen, and whose it does not show. */
import { type Kysely, sql } from 'kysely';
import { INT64 } from './column-types.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('seen_stories')
    .addColumn('message_row_id', 'text', (column) =>
      column.primaryKey().references('messages.id').onDelete('cascade'),
    )
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id').onDelete('cascade'))
    .addColumn('device_id', 'text', (column) => column.notNull().references('devices.id').onDelete('cascade'))
    .addColumn('posted_at', INT64, (column) => column.notNull())
    .addColumn('seen_at', INT64, (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('seen_stories_by_device')
    .on('seen_stories')
    .columns(['device_id', 'posted_at'])
    .execute();
  await db.schema.createIndex('seen_stories_by_tenant').on('seen_stories').column('tenant_id').execute();
  // Holds all that tells which stories there are: the rows themselves, each with its preview, are read for a page alone.
  await db.schema
    .createIndex('messages_stories')
    .on('messages')
    .columns([
      'device_id',
      'timestamp',
      'sender_jid',
      'account_jid',
      'from_me',
      'kind',
      'revoked_at',
      'hidden_at',
      'tenant_id',
      'id',
    ])
    .where(sql<boolean>`chat_jid = 'status@broadcast'`)
    .execute();
  await db.schema
    .alterTable('chats')
    .addColumn('stories_muted', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('chats').dropColumn('stories_muted').execute();
  await db.schema.dropIndex('messages_stories').execute();
  await db.schema.dropTable('seen_stories').execute();
}
