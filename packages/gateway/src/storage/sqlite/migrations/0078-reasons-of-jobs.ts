/** Why the device of a job that failed could not be used. */
import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('send_jobs').addColumn('error_reason', 'text').execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('send_jobs').dropColumn('error_reason').execute();
}
