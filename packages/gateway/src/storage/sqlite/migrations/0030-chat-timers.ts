/** How long messages of a chat stay, by the name of the chat: a person has two. */
import type { Kysely } from 'kysely';
import { INT64 } from './column-types.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('chat_timers')
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id').onDelete('cascade'))
    .addColumn('device_id', 'text', (column) => column.notNull().references('devices.id').onDelete('cascade'))
    .addColumn('account', 'text', (column) => column.notNull())
    .addColumn('chat', 'text', (column) => column.notNull())
    .addColumn('seconds', 'integer', (column) => column.notNull())
    .addColumn('set_at', INT64, (column) => column.notNull())
    .addPrimaryKeyConstraint('chat_timers_pk', ['device_id', 'account', 'chat'])
    .execute();
  await db.schema.createIndex('chat_timers_by_tenant').on('chat_timers').column('tenant_id').execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('chat_timers').execute();
}
