/** What the account's owner did to a message for himself alone: deleted it, starred it. */
import type { Kysely } from 'kysely';
import { INT64 } from './column-types.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('messages').addColumn('hidden_at', INT64).execute();
  await db.schema.alterTable('messages').addColumn('starred_at', INT64).execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('messages').dropColumn('starred_at').execute();
  await db.schema.alterTable('messages').dropColumn('hidden_at').execute();
}
