/** Whether a job that is not over has claimed a message: asked for every send whose end is not known. */
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createIndex('send_jobs_open_claims')
    .on('send_jobs')
    .columns(['device_id', 'message_id'])
    .where(sql.ref('finished_at'), 'is', null)
    .execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('send_jobs_open_claims').execute();
}
