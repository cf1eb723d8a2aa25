/** Which files the jobs that are not over have: a file lies in the outbox for as long as one of them has it. */
import type { Kysely, Transaction } from 'kysely';
import { checkedTenant } from '../../storage/narrowing.ts';
import type { Database } from '../../storage/schema.ts';
import type { KeptFile, SendJob } from './job.ts';

/** Notes the files of a job that is just stored. */
export async function holdFiles(
  trx: Transaction<Database>,
  job: Pick<SendJob, 'id' | 'tenantId'>,
  files: readonly KeptFile[],
): Promise<void> {
  const rows = files.flatMap(({ sha256, size }) =>
    sha256 === undefined ? [] : [{ job_id: job.id, tenant_id: job.tenantId, sha256, bytes: size }],
  );
  if (rows.length === 0) return;
  await trx
    .insertInto('send_job_files')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Those jobs are over: the files that they had, of which others may still have some. */
export async function releaseFiles(
  trx: Transaction<Database>,
  tenantId: string,
  jobIds: readonly string[],
): Promise<string[]> {
  if (jobIds.length === 0) return [];
  const rows = await trx
    .deleteFrom('send_job_files')
    .where(checkedTenant(tenantId))
    .where('job_id', 'in', [...jobIds])
    .returning('sha256')
    .execute();
  return [...new Set(rows.map(({ sha256 }) => sha256))];
}

/** Whether a job of the tenant that is not over has the file. */
export async function keepsFile(db: Kysely<Database>, tenantId: string, sha256: string): Promise<boolean> {
  const row = await db
    .selectFrom('send_job_files')
    .select('sha256')
    .where('tenant_id', '=', tenantId)
    .where('sha256', '=', sha256)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
