/** A job may have several files, and its message several items: which ended how. */
import { type Kysely, sql } from 'kysely';
import { INT64 } from './column-types.ts';

const WAITING = 'send_jobs_waiting';

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('send_job_files')
    .addColumn('job_id', 'text', (column) => column.notNull().references('send_jobs.id').onDelete('cascade'))
    .addColumn('tenant_id', 'text', (column) => column.notNull().references('tenants.id').onDelete('cascade'))
    .addColumn('sha256', 'text', (column) => column.notNull())
    .addColumn('bytes', INT64, (column) => column.notNull())
    .addPrimaryKeyConstraint('send_job_files_of_job', ['job_id', 'sha256'])
    .execute();
  await db.schema
    .createIndex('send_job_files_by_tenant')
    .on('send_job_files')
    .columns(['tenant_id', 'sha256', 'bytes'])
    .execute();
  await sql`
    insert into send_job_files (job_id, tenant_id, sha256, bytes)
    select id, tenant_id, file_sha256, coalesce(file_bytes, 0) from send_jobs
    where finished_at is null and file_sha256 is not null`.execute(db);
  await db.schema.dropIndex(WAITING).execute();
  await db.schema.alterTable('send_jobs').dropColumn('file_sha256').execute();
  await db.schema.alterTable('send_jobs').dropColumn('file_bytes').execute();
  await db.schema.alterTable('send_jobs').addColumn('items', 'text').execute();
  // A tenant's waiting jobs, counted and added up without reading a row.
  await waitingIndex(db, ['tenant_id', 'finished_at', 'request_bytes']);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex(WAITING).execute();
  await db.schema.alterTable('send_jobs').dropColumn('items').execute();
  await db.schema.alterTable('send_jobs').addColumn('file_sha256', 'text').execute();
  await db.schema.alterTable('send_jobs').addColumn('file_bytes', INT64).execute();
  await sql`
    update send_jobs set (file_sha256, file_bytes) =
    (select sha256, bytes from send_job_files where job_id = send_jobs.id limit 1)`.execute(db);
  await db.schema.dropTable('send_job_files').execute();
  await waitingIndex(db, ['tenant_id', 'finished_at', 'file_sha256', 'file_bytes', 'request_bytes']);
}

async function waitingIndex(db: Kysely<unknown>, columns: string[]): Promise<void> {
  await db.schema
    .createIndex(WAITING)
    .on('send_jobs')
    .columns(columns)
    .where(sql.ref('finished_at'), 'is', null)
    .execute();
}
