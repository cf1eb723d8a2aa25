/** What devices do with calls by themselves. */
import type { Kysely } from 'kysely';
import { INT64 } from './column-types.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('call_settings')
    .addColumn('device_id', 'text', (column) =>
      column.primaryKey().notNull().references('devices.id').onDelete('cascade'),
    )
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id').onDelete('cascade'))
    .addColumn('reject', 'integer', (column) => column.notNull())
    .addColumn('message', 'text')
    .addColumn('updated_at', INT64, (column) => column.notNull())
    .execute();
  await db.schema.createIndex('call_settings_by_tenant').on('call_settings').column('tenant_id').execute();
  await db.schema
    .createTable('call_replies')
    .addColumn('device_id', 'text', (column) => column.notNull().references('devices.id').onDelete('cascade'))
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id').onDelete('cascade'))
    .addColumn('caller', 'text', (column) => column.notNull())
    .addColumn('replied_at', INT64, (column) => column.notNull())
    .addPrimaryKeyConstraint('call_replies_pk', ['device_id', 'caller'])
    .execute();
  await db.schema.createIndex('call_replies_by_tenant').on('call_replies').column('tenant_id').execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('call_replies').execute();
  await db.schema.dropTable('call_settings').execute();
}
