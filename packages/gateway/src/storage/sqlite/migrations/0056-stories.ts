/** Stories on their way to thousands of contacts, portion by portion. */
import { type Kysely, sql } from 'kysely';
import { INT64 } from './column-types.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('stories')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id').onDelete('cascade'))
    .addColumn('device_id', 'text', (column) => column.notNull().references('devices.id').onDelete('cascade'))
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('account', 'text', (column) => column.notNull())
    .addColumn('message_row_id', 'text', (column) =>
      column.notNull().references('messages.id').onDelete('cascade'),
    )
    .addColumn('message_id', 'text', (column) => column.notNull())
    .addColumn('audience', 'text', (column) => column.notNull())
    .addColumn('total', 'integer', (column) => column.notNull())
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('refused', 'integer', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('error', 'text')
    .addColumn('failures', 'integer', (column) => column.notNull())
    .addColumn('due_at', INT64, (column) => column.notNull())
    .addColumn('created_at', INT64, (column) => column.notNull())
    .addColumn('finished_at', INT64)
    .execute();
  await db.schema
    .createIndex('stories_due')
    .on('stories')
    .columns(['due_at'])
    .where(sql.ref('finished_at'), 'is', null)
    .execute();
  await db.schema.createIndex('stories_by_message').on('stories').columns(['message_row_id']).execute();
  await db.schema.createIndex('stories_by_device').on('stories').columns(['device_id']).execute();
  await db.schema.createIndex('stories_by_tenant').on('stories').columns(['tenant_id']).execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('stories').execute();
}
