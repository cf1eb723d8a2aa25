/** The outbox: events, the endpoints that want them, their deliveries and each attempt. */
import { type CreateTableBuilder, type Kysely, sql } from 'kysely';
import { BYTES, INT64, neverReused, SERIAL } from './column-types.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await owned(db.schema.createTable('events').addColumn('seq', SERIAL, neverReused))
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('order_key', 'text', (column) => column.notNull())
    .addColumn('data', 'text', (column) => column.notNull())
    .addColumn('quiet', 'integer', (column) => column.notNull())
    .addColumn('created_at', INT64, (column) => column.notNull())
    .execute();
  // Pulling and replaying go through a tenant's events in their order; retention through their age.
  await db.schema.createIndex('events_by_tenant').on('events').columns(['tenant_id', 'seq']).execute();
  await db.schema.createIndex('events_by_device').on('events').columns(['device_id', 'seq']).execute();
  await db.schema.createIndex('events_by_age').on('events').column('created_at').execute();

  await owned(
    db.schema.createTable('webhook_endpoints').addColumn('id', 'text', (column) => column.primaryKey()),
  )
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('is_default', 'integer', (column) => column.notNull())
    .addColumn('url', 'text', (column) => column.notNull())
    .addColumn('events', 'text', (column) => column.notNull())
    .addColumn('enabled', 'integer', (column) => column.notNull())
    .addColumn('retry_attempts', 'integer', (column) => column.notNull())
    .addColumn('timeout_s', 'integer', (column) => column.notNull())
    .addColumn('secret', BYTES)
    .addColumn('headers', BYTES)
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('state_reason', 'text')
    .addColumn('state_at', INT64, (column) => column.notNull())
    .addColumn('failing_since', INT64)
    .addColumn('failures', 'integer', (column) => column.notNull())
    .addColumn('created_at', INT64, (column) => column.notNull())
    .addColumn('updated_at', INT64, (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('webhook_endpoints_by_device')
    .on('webhook_endpoints')
    .columns(['device_id', 'created_at'])
    .execute();
  await db.schema
    .createIndex('webhook_endpoints_one_default')
    .on('webhook_endpoints')
    .column('device_id')
    .unique()
    .where(sql.ref('is_default'), '=', sql.lit(1))
    .execute();

  await owned(
    db.schema.createTable('webhook_deliveries').addColumn('id', 'text', (column) => column.primaryKey()),
  )
    .addColumn('endpoint_id', 'text', (column) =>
      column.notNull().references('webhook_endpoints.id').onDelete('cascade'),
    )
    .addColumn('event_id', 'text', (column) => column.notNull().references('events.id').onDelete('cascade'))
    .addColumn('event_seq', INT64, (column) => column.notNull())
    .addColumn('event_name', 'text', (column) => column.notNull())
    .addColumn('order_key', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('next_attempt_at', INT64, (column) => column.notNull())
    .addColumn('created_at', INT64, (column) => column.notNull())
    .addColumn('finished_at', INT64)
    .execute();
  // The worker's questions: which is the earliest open delivery of an (endpoint, order key), and is a whole
  // key held up; with the time in the index, neither reads the table.
  await db.schema
    .createIndex('webhook_deliveries_open')
    .on('webhook_deliveries')
    .columns(['endpoint_id', 'order_key', 'event_seq', 'next_attempt_at'])
    .where(sql.ref('state'), '=', sql.lit('pending'))
    .execute();
  await db.schema
    .createIndex('webhook_deliveries_due')
    .on('webhook_deliveries')
    .column('next_attempt_at')
    .where(sql.ref('state'), '=', sql.lit('pending'))
    .execute();
  await db.schema
    .createIndex('webhook_deliveries_by_tenant')
    .on('webhook_deliveries')
    .columns(['tenant_id', 'created_at', 'id'])
    .execute();
  await db.schema
    .createIndex('webhook_deliveries_by_event')
    .on('webhook_deliveries')
    .column('event_id')
    .execute();

  // Deleting an owner must not scan.
  await db.schema
    .createIndex('webhook_endpoints_by_owner')
    .on('webhook_endpoints')
    .column('tenant_id')
    .execute();
  await db.schema
    .createIndex('webhook_deliveries_by_device')
    .on('webhook_deliveries')
    .column('device_id')
    .execute();
  await db.schema
    .createIndex('webhook_deliveries_by_endpoint')
    .on('webhook_deliveries')
    .column('endpoint_id')
    .execute();

  await db.schema
    .createTable('webhook_attempts')
    .addColumn('id', SERIAL, (column) => column.primaryKey())
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id').onDelete('cascade'))
    .addColumn('delivery_id', 'text', (column) =>
      column.notNull().references('webhook_deliveries.id').onDelete('cascade'),
    )
    .addColumn('attempt', 'integer', (column) => column.notNull())
    .addColumn('at', INT64, (column) => column.notNull())
    .addColumn('took_ms', 'integer', (column) => column.notNull())
    .addColumn('status', 'integer')
    .addColumn('error', 'text')
    .addColumn('response_head', 'text')
    .execute();
  await db.schema
    .createIndex('webhook_attempts_by_delivery')
    .on('webhook_attempts')
    .columns(['delivery_id', 'attempt'])
    .execute();
  await db.schema
    .createIndex('webhook_attempts_by_owner')
    .on('webhook_attempts')
    .column('tenant_id')
    .execute();

  await db.schema.alterTable('devices').addColumn('webhook_applied_at', INT64).execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('devices').dropColumn('webhook_applied_at').execute();
  for (const table of ['webhook_attempts', 'webhook_deliveries', 'webhook_endpoints', 'events']) {
    await db.schema.dropTable(table).execute();
  }
}

/** Goes with its tenant and its device. */
function owned<T extends string, C extends string>(table: CreateTableBuilder<T, C>) {
  return table
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id').onDelete('cascade'))
    .addColumn('device_id', 'text', (column) =>
      column.notNull().references('devices.id').onDelete('cascade'),
    );
}
