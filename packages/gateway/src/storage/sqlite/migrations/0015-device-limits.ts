/** What WhatsApp does not let an account do for a while. */
import type { Kysely } from 'kysely';
import { INT64 } from './column-types.ts';

const COLUMNS = ['limit_since', 'limit_until', 'limit_reason'] as const;

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of COLUMNS) {
    const type = column === 'limit_reason' ? 'text' : INT64;
    await db.schema.alterTable('devices').addColumn(column, type).execute();
  }
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const column of COLUMNS) await db.schema.alterTable('devices').dropColumn(column).execute();
}
