/** Labels of business accounts, and what they are on. */
import type { Kysely } from 'kysely';
import { INT64, neverReused, SERIAL } from './column-types.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('labels')
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id').onDelete('cascade'))
    .addColumn('device_id', 'text', (column) => column.notNull().references('devices.id').onDelete('cascade'))
    .addColumn('account', 'text', (column) => column.notNull())
    .addColumn('label_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('color', 'integer', (column) => column.notNull())
    .addColumn('deleted_at', INT64)
    .addColumn('changed_at', INT64, (column) => column.notNull())
    .addPrimaryKeyConstraint('labels_pk', ['device_id', 'account', 'label_id'])
    .execute();
  await db.schema.createIndex('labels_by_tenant').on('labels').column('tenant_id').execute();
  await db.schema
    .createTable('label_marks')
    .addColumn('id', SERIAL, neverReused)
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id').onDelete('cascade'))
    .addColumn('device_id', 'text', (column) => column.notNull().references('devices.id').onDelete('cascade'))
    .addColumn('account', 'text', (column) => column.notNull())
    .addColumn('label_id', 'text', (column) => column.notNull())
    .addColumn('chat_jid', 'text', (column) => column.notNull())
    .addColumn('chat_lid', 'text')
    .addColumn('message_id', 'text', (column) => column.notNull())
    .addColumn('marked_at', INT64, (column) => column.notNull())
    .execute();
  // By the chat first: what is on one chat is asked for, and so is what has to move to another name of it.
  await db.schema
    .createIndex('label_marks_once')
    .unique()
    .on('label_marks')
    .columns(['device_id', 'account', 'chat_jid', 'label_id', 'message_id'])
    .execute();
  await db.schema
    .createIndex('label_marks_by_label')
    .on('label_marks')
    .columns(['device_id', 'account', 'label_id', 'id'])
    .execute();
  await db.schema.createIndex('label_marks_by_tenant').on('label_marks').column('tenant_id').execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('label_marks').execute();
  await db.schema.dropTable('labels').execute();
}
