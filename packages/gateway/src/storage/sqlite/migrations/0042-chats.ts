/** The list of chats of each account: how a chat stands in it, and up to where it is read. */
import { type Kysely, sql } from 'kysely';
import { INT64 } from './column-types.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('chats')
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id').onDelete('cascade'))
    .addColumn('device_id', 'text', (column) => column.notNull().references('devices.id').onDelete('cascade'))
    .addColumn('account', 'text', (column) => column.notNull())
    .addColumn('chat', 'text', (column) => column.notNull())
    .addColumn('lid', 'text')
    .addColumn('name', 'text')
    .addColumn('push_name', 'text')
    .addColumn('pinned_at', INT64)
    .addColumn('archived_at', INT64)
    .addColumn('muted', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('muted_until', INT64)
    .addColumn('marked_unread', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('unread_count', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('read_at', INT64, (column) => column.notNull().defaultTo(0))
    .addColumn('last_at', INT64, (column) => column.notNull().defaultTo(0))
    .addColumn('listed', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('told_at', INT64)
    .addColumn('clear_to', INT64, (column) => column.notNull().defaultTo(0))
    .addColumn('clear_keeps_starred', 'integer', (column) => column.notNull().defaultTo(0))
    .addPrimaryKeyConstraint('chats_pk', ['device_id', 'account', 'chat'])
    .execute();
  await db.schema.createIndex('chats_by_tenant').on('chats').column('tenant_id').execute();
  await db.schema
    .createIndex('chats_by_time')
    .on('chats')
    .columns(['device_id', 'account', 'last_at', 'chat'])
    .execute();
  await db.schema
    .createIndex('chats_by_lid')
    .on('chats')
    .columns(['device_id', 'account', 'lid'])
    .where(sql.ref('lid'), 'is not', null)
    .execute();
  await db.schema
    .createIndex('chats_to_clear')
    .on('chats')
    .columns(['tenant_id', 'clear_to'])
    .where('clear_to', '>', 0)
    .execute();
  await db.schema
    .createTable('chat_settings')
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id').onDelete('cascade'))
    .addColumn('device_id', 'text', (column) => column.notNull().references('devices.id').onDelete('cascade'))
    .addColumn('account', 'text', (column) => column.notNull())
    .addColumn('unarchive', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('chat_settings_pk', ['device_id', 'account'])
    .execute();
  await db.schema.createIndex('chat_settings_by_tenant').on('chat_settings').column('tenant_id').execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('chat_settings').execute();
  await db.schema.dropTable('chats').execute();
}
