/** The numbers that serial columns give out. */
import { type Kysely, sql } from 'kysely';
import type { Database } from '../schema.ts';

/**
 * The highest `seq` that an event has ever had here, also when the event is gone; 0 before the first. SQLite
 * keeps it for columns that never use a number again (https://sqlite.org/autoinc.html).
 */
export async function lastEventNumber(db: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{ seq: number }>`
    select seq from sqlite_sequence where name = 'events'`.execute(db);
  return Number(rows[0]?.seq ?? 0);
}
