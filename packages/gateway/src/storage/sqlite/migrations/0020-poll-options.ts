/** What votes of a poll are read with: made once, when the first of them comes. */
import type { Kysely } from 'kysely';
import { BYTES } from './column-types.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('poll_options')
    .addColumn('message_row_id', 'text', (column) =>
      column.primaryKey().references('messages.id').onDelete('cascade'),
    )
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id').onDelete('cascade'))
    .addColumn('content', BYTES, (column) => column.notNull())
    .execute();
  await db.schema.createIndex('poll_options_by_tenant').on('poll_options').column('tenant_id').execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('poll_options').execute();
}
