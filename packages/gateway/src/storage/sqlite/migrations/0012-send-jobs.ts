/** Sends that do not happen within their request: scheduled, long ones, and those of a bulk. */
import { type CreateTableBuilder, type Kysely, sql } from 'kysely';
import { BYTES, INT64 } from './column-types.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await owned(db.schema.createTable('send_bulks').addColumn('id', 'text', (column) => column.primaryKey()))
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('total', 'integer', (column) => column.notNull())
    .addColumn('least_pause_ms', 'integer', (column) => column.notNull())
    .addColumn('most_pause_ms', 'integer', (column) => column.notNull())
    .addColumn('created_at', INT64, (column) => column.notNull())
    .addColumn('finished_at', INT64)
    .execute();

  await owned(db.schema.createTable('send_jobs').addColumn('id', 'text', (column) => column.primaryKey()))
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('bulk_id', 'text', (column) => column.references('send_bulks.id').onDelete('cascade'))
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('operation', 'text', (column) => column.notNull())
    .addColumn('recipient', 'text', (column) => column.notNull())
    .addColumn('request', BYTES, (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('send_at', INT64, (column) => column.notNull())
    .addColumn('due_at', INT64, (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('message_id', 'text')
    .addColumn('error_code', 'text')
    .addColumn('error', 'text')
    .addColumn('created_at', INT64, (column) => column.notNull())
    .addColumn('finished_at', INT64)
    .execute();
  // The worker's question: finished jobs are not in it.
  await db.schema
    .createIndex('send_jobs_due')
    .on('send_jobs')
    .columns(['state', 'due_at'])
    .where(sql.ref('finished_at'), 'is', null)
    .execute();
  await db.schema
    .createIndex('send_jobs_by_tenant')
    .on('send_jobs')
    .columns(['tenant_id', 'created_at', 'id'])
    .execute();
  await db.schema.createIndex('send_jobs_by_bulk').on('send_jobs').columns(['bulk_id', 'position']).execute();
  await db.schema.createIndex('send_bulks_by_tenant').on('send_bulks').column('tenant_id').execute();
  await db.schema.createIndex('send_jobs_by_age').on('send_jobs').column('finished_at').execute();
  for (const table of ['send_bulks', 'send_jobs']) {
    await db.schema.createIndex(`${table}_by_device`).on(table).column('device_id').execute();
  }
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('send_jobs').execute();
  await db.schema.dropTable('send_bulks').execute();
}

/** Goes with its tenant and its device. */
function owned<T extends string, C extends string>(table: CreateTableBuilder<T, C>) {
  return table
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id').onDelete('cascade'))
    .addColumn('device_id', 'text', (column) =>
      column.notNull().references('devices.id').onDelete('cascade'),
    );
}
