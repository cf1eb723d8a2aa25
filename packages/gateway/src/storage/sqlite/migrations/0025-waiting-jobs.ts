/** What a job that waits takes of the disk, and from which time its next attempt was reckoned. */
import { type Kysely, sql } from 'kysely';
import { INT64 } from './column-types.ts';

const COLUMNS = ['file_sha256', 'file_bytes', 'request_bytes', 'reckoned_at'] as const;

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of COLUMNS) {
    await db.schema
      .alterTable('send_jobs')
      .addColumn(column, column === 'file_sha256' ? 'text' : INT64)
      .execute();
  }
  await sql`update send_jobs set request_bytes = length(request) where finished_at is null`.execute(db);
  // A tenant's waiting jobs, by their files: counted and added up without reading a row.
  await db.schema
    .createIndex('send_jobs_waiting')
    .on('send_jobs')
    .columns(['tenant_id', 'finished_at', 'file_sha256', 'file_bytes', 'request_bytes'])
    .where(sql.ref('finished_at'), 'is', null)
    .execute();
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('send_jobs_waiting').execute();
  for (const column of COLUMNS) await db.schema.alterTable('send_jobs').dropColumn(column).execute();
}
