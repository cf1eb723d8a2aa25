/** Who is who among those that events speak of: the deliveries of a person form one lane under both names. */
import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('webhook_lane_names')
    .addColumn('device_id', 'text', (column) => column.notNull().references('devices.id').onDelete('cascade'))
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id').onDelete('cascade'))
    .addColumn('jid', 'text', (column) => column.notNull())
    .addColumn('lid', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('webhook_lane_names_key', ['device_id', 'jid'])
    .execute();
  await db.schema
    .createIndex('webhook_lane_names_by_tenant')
    .on('webhook_lane_names')
    .column('tenant_id')
    .execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('webhook_lane_names').execute();
}
