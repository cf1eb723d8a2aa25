/** Which key the database is sealed with, and the one that is taking its place. */
import type { Kysely } from 'kysely';
import { BYTES } from './column-types.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('encryption_key')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('sealed', BYTES, (column) => column.notNull())
    .addColumn('next_sealed', BYTES)
    .addColumn('progress', 'text')
    .execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('encryption_key').execute();
}
