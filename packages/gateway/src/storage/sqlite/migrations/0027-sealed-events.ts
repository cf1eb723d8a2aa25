/** What lets somebody else link a device is not kept in clear. */
import { type Kysely, sql } from 'kysely';
import { BYTES } from './column-types.ts';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('events').addColumn('sealed', BYTES).execute();
  // A QR that an earlier version has stored: it was good for a minute, and ended with its connection.
  await sql`update events set data = json_set(data, '$.qr_code', null) where name = 'qr.generated'`.execute(
    db,
  );
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('events').dropColumn('sealed').execute();
}
