/** Deletes everything of a tenant, a little at a time: others are served between two of its transactions. */
import { type Kysely, sql } from 'kysely';
import { checkedTenant } from '../narrowing.ts';
import type { Database } from '../schema.ts';

/** Files outside of the database that belong to deleted rows. */
export interface ErasedFiles {
  /** A cached file that no message holds any more. */
  blob(sha256: string): Promise<void>;
  /** A file that jobs kept for their sends, by its content; one that another job has stays. */
  kept(tenantId: string, sha256: string): Promise<void>;
}

/** Rows of one transaction: some milliseconds, with all that goes with them. */
const BATCH = 200;

/** Tables that grow, those that point at others first. What is left goes with the tenant's own row. */
const TABLES = [
  'webhook_attempts',
  'webhook_deliveries',
  'events',
  'receipts',
  'media_retry_requests',
  'inbound_journal',
  'signal_keys',
  'chat_timers',
  'idempotency_keys',
] as const;

/**
 * Deletes the rows and files of a tenant for good, and its traces in the log and in the index of words. Can be
 * called again after it was interrupted.
 */
export async function eraseTenant(db: Kysely<Database>, tenantId: string, files: ErasedFiles): Promise<void> {
  for (;;) if (!(await eraseJobs(db, tenantId, files))) break;
  for (const table of TABLES) {
    for (;;) if (!(await eraseRows(db, table, tenantId))) break;
  }
  for (;;) if (!(await eraseMessages(db, tenantId, files))) break;
  await db.deleteFrom('tenants').where('id', '=', tenantId).execute();
  await forgetWords(db);
  // Deleted content stands in the log until it is written anew.
  await sql`pragma wal_checkpoint(truncate)`.execute(db);
}

async function eraseJobs(db: Kysely<Database>, tenantId: string, files: ErasedFiles): Promise<boolean> {
  const jobs = await db
    .selectFrom('send_jobs')
    .select(['id', 'file_sha256'])
    .where('tenant_id', '=', tenantId)
    .limit(BATCH)
    .execute();
  if (jobs.length === 0) return false;
  const ids = jobs.map(({ id }) => id);
  await db.deleteFrom('send_jobs').where(checkedTenant(tenantId)).where('id', 'in', ids).execute();
  for (const sha256 of new Set(jobs.map(({ file_sha256 }) => file_sha256))) {
    if (sha256 !== null) await files.kept(tenantId, sha256);
  }
  return true;
}

async function eraseRows(
  db: Kysely<Database>,
  table: (typeof TABLES)[number],
  tenantId: string,
): Promise<boolean> {
  const name = sql.table(table);
  const result = await sql`
    delete from ${name} where rowid in (select rowid from ${name} where tenant_id = ${tenantId} limit ${BATCH})
  `.execute(db);
  return (result.numAffectedRows ?? 0n) > 0n;
}

async function eraseMessages(db: Kysely<Database>, tenantId: string, files: ErasedFiles): Promise<boolean> {
  const messages = await db
    .selectFrom('messages')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .limit(BATCH)
    .execute();
  if (messages.length === 0) return false;
  const ids = messages.map(({ id }) => id);
  const cached = await db
    .selectFrom('media')
    .select('blob_sha256')
    .where('message_row_id', 'in', ids)
    .where('blob_sha256', 'is not', null)
    .execute();
  await db.deleteFrom('messages').where(checkedTenant(tenantId)).where('id', 'in', ids).execute();
  for (const sha256 of new Set(cached.map((row) => row.blob_sha256))) {
    if (sha256 !== null && !(await isInUse(db, sha256))) await files.blob(sha256);
  }
  return true;
}

/** Whether any message, of whomever, still holds the file. */
async function isInUse(db: Kysely<Database>, sha256: string): Promise<boolean> {
  const holder = await db
    .selectFrom('media')
    .select('message_row_id')
    .where('sha256', '=', sha256)
    .limit(1)
    .executeTakeFirst();
  return holder !== undefined;
}

/** Pages of the index of words that one step writes. */
const MERGE_PAGES = 64;

/**
 * The index only notes that a message is gone; its words go when segments are merged
 * (https://sqlite.org/fts5.html#the_merge_command): step by step, until a step finds nothing to do.
 */
async function forgetWords(db: Kysely<Database>): Promise<void> {
  const step = (pages: number): Promise<boolean> =>
    db.transaction().execute(async (trx) => {
      const before = await changes(trx);
      await sql`insert into message_search (message_search, rank) values ('merge', ${pages})`.execute(trx);
      return (await changes(trx)) - before >= 2;
    });
  // Negative: first of all, everything counts as one level.
  let more = await step(-MERGE_PAGES);
  while (more) more = await step(MERGE_PAGES);
}

async function changes(db: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{ total: number | bigint }>`select total_changes() as total`.execute(db);
  return Number(rows[0]?.total ?? 0);
}
