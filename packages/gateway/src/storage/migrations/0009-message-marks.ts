/** What the account's owner did to a message for himself alone: deleted it, starred it. */
import type { Kysely } from 'kysely';
import { columnTypes } from './dialect.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  const { int64 } = columnTypes(db);
  await db.schema.alterTable('messages').addColumn('hidden_at', int64).execute();
  await db.schema.alterTable('messages').addColumn('starred_at', int64).execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('messages').dropColumn('starred_at').execute();
  await db.schema.alterTable('messages').dropColumn('hidden_at').execute();
}
