/** People that an account knows by a name. */
import type { Kysely } from 'kysely';
import { INT64 } from './column-types.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('contacts')
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id').onDelete('cascade'))
    .addColumn('device_id', 'text', (column) => column.notNull().references('devices.id').onDelete('cascade'))
    .addColumn('account', 'text', (column) => column.notNull())
    .addColumn('jid', 'text', (column) => column.notNull())
    .addColumn('lid', 'text')
    .addColumn('saved', 'integer', (column) => column.notNull())
    .addColumn('first_name', 'text')
    .addColumn('full_name', 'text')
    .addColumn('push_name', 'text')
    .addColumn('business_name', 'text')
    .addColumn('about', 'text')
    .addColumn('picture_id', 'text')
    .addColumn('sort_name', 'text', (column) => column.notNull())
    .addColumn('words', 'text', (column) => column.notNull())
    .addColumn('updated_at', INT64, (column) => column.notNull())
    .addPrimaryKeyConstraint('contacts_pk', ['device_id', 'account', 'jid'])
    .execute();
  // Who is known by the LID alone gets a number later.
  await db.schema
    .createIndex('contacts_by_lid')
    .on('contacts')
    .columns(['device_id', 'account', 'lid'])
    .execute();
  await db.schema
    .createIndex('contacts_by_name')
    .on('contacts')
    .columns(['device_id', 'account', 'sort_name', 'jid'])
    .execute();
  await db.schema.createIndex('contacts_by_tenant').on('contacts').column('tenant_id').execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('contacts').execute();
}
