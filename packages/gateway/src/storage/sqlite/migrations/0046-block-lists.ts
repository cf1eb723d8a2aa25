/** Whom an account has blocked. */
import type { CreateTableBuilder, Kysely } from 'kysely';
import { INT64 } from './column-types.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await ofAccount(db.schema.createTable('contact_lists'))
    .addColumn('block_hash', 'text')
    .addColumn('blocked_at', INT64)
    .addColumn('contacts_at', INT64)
    .addPrimaryKeyConstraint('contact_lists_pk', ['device_id', 'account'])
    .execute();
  await ofAccount(db.schema.createTable('blocked_contacts'))
    .addColumn('jid', 'text', (column) => column.notNull())
    .addColumn('lid', 'text')
    .addPrimaryKeyConstraint('blocked_contacts_pk', ['device_id', 'account', 'jid'])
    .execute();
  for (const table of ['contact_lists', 'blocked_contacts']) {
    await db.schema.createIndex(`${table}_by_tenant`).on(table).column('tenant_id').execute();
  }
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of ['blocked_contacts', 'contact_lists']) await db.schema.dropTable(table).execute();
}

/** Goes with its tenant and its device, and belongs to one account of it. */
function ofAccount<T extends string, C extends string>(table: CreateTableBuilder<T, C>) {
  return table
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id').onDelete('cascade'))
    .addColumn('device_id', 'text', (column) => column.notNull().references('devices.id').onDelete('cascade'))
    .addColumn('account', 'text', (column) => column.notNull());
}
