/** The groups of each account, their members, and when all of them were asked for. */
import type { CreateTableBuilder, Kysely } from 'kysely';
import { INT64 } from './column-types.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await ofAccount(db, 'groups')
    .addColumn('jid', 'text', (column) => column.notNull())
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('description', 'text')
    .addColumn('owner_jid', 'text')
    .addColumn('owner_lid', 'text')
    .addColumn('created_at', INT64)
    .addColumn('announce', 'integer', (column) => column.notNull())
    .addColumn('locked', 'integer', (column) => column.notNull())
    .addColumn('join_approval', 'integer', (column) => column.notNull())
    .addColumn('member_add_mode', 'text', (column) => column.notNull())
    .addColumn('ephemeral_seconds', 'integer', (column) => column.notNull())
    .addColumn('community', 'integer', (column) => column.notNull())
    .addColumn('parent', 'text')
    .addColumn('community_announcements', 'integer', (column) => column.notNull())
    .addColumn('suspended', 'integer', (column) => column.notNull())
    .addColumn('size', 'integer', (column) => column.notNull())
    .addColumn('membership', 'text', (column) => column.notNull())
    .addColumn('own_role', 'integer', (column) => column.notNull())
    .addColumn('left_at', INT64)
    .addColumn('as_of', INT64, (column) => column.notNull())
    .addPrimaryKeyConstraint('groups_pk', ['device_id', 'account', 'jid'])
    .execute();
  await ofAccount(db, 'group_members')
    .addColumn('group_jid', 'text', (column) => column.notNull())
    .addColumn('member', 'text', (column) => column.notNull())
    .addColumn('lid', 'text')
    .addColumn('role', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('group_members_pk', ['device_id', 'account', 'group_jid', 'member'])
    .execute();
  await db.schema
    .createIndex('group_members_by_person')
    .on('group_members')
    .columns(['device_id', 'account', 'member'])
    .execute();
  await ofAccount(db, 'group_lists')
    .addColumn('as_of', INT64, (column) => column.notNull())
    .addPrimaryKeyConstraint('group_lists_pk', ['device_id', 'account'])
    .execute();
  for (const table of TABLES) {
    await db.schema.createIndex(`${table}_by_tenant`).on(table).column('tenant_id').execute();
  }
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of TABLES) await db.schema.dropTable(table).execute();
}

const TABLES = ['groups', 'group_members', 'group_lists'];

function ofAccount(
  db: Kysely<unknown>,
  table: string,
): CreateTableBuilder<string, 'tenant_id' | 'device_id' | 'account'> {
  return db.schema
    .createTable(table)
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id').onDelete('cascade'))
    .addColumn('device_id', 'text', (column) => column.notNull().references('devices.id').onDelete('cascade'))
    .addColumn('account', 'text', (column) => column.notNull());
}
