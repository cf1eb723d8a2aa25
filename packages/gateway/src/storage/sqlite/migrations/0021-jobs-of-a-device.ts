/** The list of a device's jobs, in the order of its index: without it, a page read all of them. */
import type { Kysely } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('send_jobs_by_device').execute();
  await db.schema
    .createIndex('send_jobs_by_device')
    .on('send_jobs')
    .columns(['device_id', 'created_at', 'id'])
    .execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('send_jobs_by_device').execute();
  await db.schema.createIndex('send_jobs_by_device').on('send_jobs').column('device_id').execute();
}
