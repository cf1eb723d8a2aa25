/** Who was in a group and is not any more, as far as the account saw it. */
import type { Kysely } from 'kysely';
import { INT64 } from './column-types.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('group_past_members')
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id').onDelete('cascade'))
    .addColumn('device_id', 'text', (column) => column.notNull().references('devices.id').onDelete('cascade'))
    .addColumn('account', 'text', (column) => column.notNull())
    .addColumn('group_jid', 'text', (column) => column.notNull())
    .addColumn('member', 'text', (column) => column.notNull())
    .addColumn('lid', 'text')
    .addColumn('removed', 'integer', (column) => column.notNull())
    .addColumn('author', 'text')
    .addColumn('author_lid', 'text')
    .addColumn('left_at', INT64, (column) => column.notNull())
    .addPrimaryKeyConstraint('group_past_members_pk', ['device_id', 'account', 'group_jid', 'member'])
    .execute();
  await db.schema
    .createIndex('group_past_members_by_tenant')
    .on('group_past_members')
    .column('tenant_id')
    .execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('group_past_members').execute();
}
