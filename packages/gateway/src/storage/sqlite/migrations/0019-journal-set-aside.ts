/** Journal rows that no start can read, kept for a person to look at. */
import type { Kysely } from 'kysely';
import { INT64 } from './column-types.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('inbound_journal').addColumn('set_aside_at', INT64).execute();
  await db.schema.alterTable('inbound_journal').addColumn('set_aside_reason', 'text').execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('inbound_journal').dropColumn('set_aside_at').execute();
  await db.schema.alterTable('inbound_journal').dropColumn('set_aside_reason').execute();
}
