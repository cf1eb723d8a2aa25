/** The proxies of tenants and of devices. */
import type { Kysely } from 'kysely';
import { BYTES, INT64 } from './column-types.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('tenant_proxies')
    .addColumn('tenant_id', 'text', (column) =>
      column.primaryKey().notNull().references('tenants.id').onDelete('cascade'),
    )
    .addColumn('url', BYTES, (column) => column.notNull())
    .addColumn('updated_at', INT64, (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('device_proxies')
    .addColumn('device_id', 'text', (column) =>
      column.primaryKey().notNull().references('devices.id').onDelete('cascade'),
    )
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id').onDelete('cascade'))
    .addColumn('url', BYTES, (column) => column.notNull())
    .addColumn('updated_at', INT64, (column) => column.notNull())
    .execute();
  await db.schema.createIndex('device_proxies_by_tenant').on('device_proxies').column('tenant_id').execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('device_proxies').execute();
  await db.schema.dropTable('tenant_proxies').execute();
}
