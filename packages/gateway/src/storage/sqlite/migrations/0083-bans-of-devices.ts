/** Until when WhatsApp has banned the account of a device, and what for. */
import type { Kysely } from 'kysely';
import { INT64 } from './column-types.ts';

const COLUMNS = ['ban_until', 'ban_code'] as const;

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of COLUMNS) await db.schema.alterTable('devices').addColumn(column, INT64).execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const column of COLUMNS) await db.schema.alterTable('devices').dropColumn(column).execute();
}
