/** What devices do by themselves with what comes in. */
import type { Kysely } from 'kysely';
import { INT64 } from './column-types.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('device_settings')
    .addColumn('device_id', 'text', (column) =>
      column.primaryKey().notNull().references('devices.id').onDelete('cascade'),
    )
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id').onDelete('cascade'))
    .addColumn('ignored', 'text', (column) => column.notNull())
    .addColumn('read', 'text', (column) => column.notNull())
    .addColumn('shows_reading', 'integer', (column) => column.notNull())
    .addColumn('presence', 'text', (column) => column.notNull())
    .addColumn('updated_at', INT64, (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('device_settings_by_tenant')
    .on('device_settings')
    .column('tenant_id')
    .execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('device_settings').execute();
}
