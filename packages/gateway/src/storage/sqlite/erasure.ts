/** Deletes everything of a tenant or of a user, a little at a time: others are served between two of its transactions. */
import { type Kysely, sql } from 'kysely';
import { pause } from '../../clock.ts';
import type { DeviceId, TenantId, UserId } from '../../ids.ts';
import { checkedTenant } from '../narrowing.ts';
import type { Database } from '../schema.ts';

/** Files outside of the database that belong to deleted rows. */
export interface ErasedFiles {
  /** A cached file that no message of the tenant holds any more. */
  blob(tenantId: TenantId, sha256: string): Promise<void>;
  /** A file that jobs kept for their sends, by its content; one that another job has stays. */
  kept(tenantId: TenantId, sha256: string): Promise<void>;
}

export interface Erasing {
  files: ErasedFiles;
  /** Ends it between two transactions: its reason is thrown. */
  signal: AbortSignal;
}

/** Everything of a tenant, or of one of its devices. */
type Owner = { column: 'tenant_id' | 'device_id'; id: string; tenantId: TenantId };

/** Rows of one transaction: some milliseconds, with all that goes with them. */
const BATCH = 200;

/** Tables that grow, those that point at others first. What is left goes with the owner's own row. */
const TABLES = [
  'webhook_deliveries',
  'webhook_lane_names',
  'events',
  'receipts',
  'media_retry_requests',
  'inbound_journal',
  'signal_keys',
  'label_marks',
  'call_replies',
  'chat_timers',
  'contacts',
  'chats',
  'group_members',
  'group_past_members',
  'groups',
  'stories',
  'seen_stories',
] as const;

/**
 * Deletes the rows and files of a tenant for good, and its traces in the log and in the index of words. Can be
 * called again after it was interrupted.
 */
export async function eraseTenant(db: Kysely<Database>, tenantId: TenantId, erasing: Erasing): Promise<void> {
  const owner: Owner = { column: 'tenant_id', id: tenantId, tenantId };
  await batches(erasing, () => eraseRows(db, 'webhook_attempts', owner));
  await eraseOwned(db, owner, erasing);
  await batches(erasing, () => eraseRows(db, 'idempotency_keys', owner));
  await batches(erasing, () => eraseCached(db, tenantId, erasing.files));
  await db.deleteFrom('tenants').where('id', '=', tenantId).execute();
  await forgetContent(db, erasing);
}

/** The same for a user with all devices of it. What it made on devices of others stays with those. */
export async function eraseUser(
  db: Kysely<Database>,
  { tenantId, userId }: { tenantId: TenantId; userId: UserId },
  erasing: Erasing,
): Promise<void> {
  const devices = await db
    .selectFrom('devices')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .execute();
  for (const { id } of devices) await eraseRowsOfDevice(db, tenantId, id, erasing);
  await batches(erasing, () => eraseKeys(db, tenantId, userId));
  await db.deleteFrom('users').where('tenant_id', '=', tenantId).where('id', '=', userId).execute();
  await forgetContent(db, erasing);
}

/** The same for one device, with what it sent and received. */
export async function eraseDevice(
  db: Kysely<Database>,
  { tenantId, deviceId }: { tenantId: TenantId; deviceId: DeviceId },
  erasing: Erasing,
): Promise<void> {
  await eraseRowsOfDevice(db, tenantId, deviceId, erasing);
  await forgetContent(db, erasing);
}

async function eraseRowsOfDevice(
  db: Kysely<Database>,
  tenantId: TenantId,
  id: string,
  erasing: Erasing,
): Promise<void> {
  await eraseOwned(db, { column: 'device_id', id, tenantId }, erasing);
  await db.deleteFrom('devices').where('tenant_id', '=', tenantId).where('id', '=', id).execute();
}

async function eraseOwned(db: Kysely<Database>, owner: Owner, erasing: Erasing): Promise<void> {
  await batches(erasing, () => eraseJobs(db, owner, erasing.files));
  for (const table of TABLES) await batches(erasing, () => eraseRows(db, table, owner));
  for (const deviceId of await devicesOf(db, owner)) {
    await batches(erasing, () => eraseMessages(db, { tenantId: owner.tenantId, deviceId }, erasing.files));
  }
}

async function devicesOf(db: Kysely<Database>, { column, id }: Owner): Promise<DeviceId[]> {
  if (column === 'device_id') return [id];
  const devices = await db.selectFrom('devices').select('id').where('tenant_id', '=', id).execute();
  return devices.map((device) => device.id);
}

/** Others are served between two of them, also where a commit does not wait for the disk. */
async function batches({ signal }: Erasing, step: () => Promise<boolean>): Promise<void> {
  do {
    signal.throwIfAborted();
    await pause(0);
  } while (await step());
}

async function forgetContent(db: Kysely<Database>, erasing: Erasing): Promise<void> {
  await forgetWords(db, erasing);
  // Deleted content stands in the log until it is written anew.
  await sql`pragma wal_checkpoint(truncate)`.execute(db);
}

async function eraseJobs(db: Kysely<Database>, owner: Owner, files: ErasedFiles): Promise<boolean> {
  const { column, id, tenantId } = owner;
  const jobs = await db.selectFrom('send_jobs').select('id').where(column, '=', id).limit(BATCH).execute();
  if (jobs.length === 0) return false;
  const ids = jobs.map((job) => job.id);
  const kept = await db.selectFrom('send_job_files').select('sha256').where('job_id', 'in', ids).execute();
  await db.deleteFrom('send_jobs').where(checkedTenant(tenantId)).where('id', 'in', ids).execute();
  for (const sha256 of new Set(kept.map((row) => row.sha256))) await files.kept(tenantId, sha256);
  return true;
}

async function eraseKeys(db: Kysely<Database>, tenantId: TenantId, userId: UserId): Promise<boolean> {
  const result = await sql`
    delete from idempotency_keys where rowid in
    (select rowid from idempotency_keys where tenant_id = ${tenantId} and user_id = ${userId} limit ${BATCH})
  `.execute(db);
  return (result.numAffectedRows ?? 0n) > 0n;
}

async function eraseRows(
  db: Kysely<Database>,
  table: (typeof TABLES)[number] | 'webhook_attempts' | 'idempotency_keys',
  { column, id }: Owner,
): Promise<boolean> {
  const name = sql.table(table);
  const result = await sql`
    delete from ${name} where rowid in
    (select rowid from ${name} where ${sql.ref(column)} = ${id} limit ${BATCH})
  `.execute(db);
  return (result.numAffectedRows ?? 0n) > 0n;
}

/**
 * In the order of time, in which rows and most of their entries in indexes lie beside each other: 55 us a row, and
 * 110 in the order of an index of ids, where each row is on pages of its own.
 */
async function eraseMessages(
  db: Kysely<Database>,
  { tenantId, deviceId }: { tenantId: TenantId; deviceId: DeviceId },
  files: ErasedFiles,
): Promise<boolean> {
  const messages = await db
    .selectFrom('messages')
    .select('id')
    .where(checkedTenant(tenantId))
    .where('device_id', '=', deviceId)
    .orderBy('timestamp')
    .limit(BATCH)
    .execute();
  if (messages.length === 0) return false;
  const ids = messages.map((message) => message.id);
  const cached = await db
    .selectFrom('media')
    .select('blob_sha256')
    .where('message_row_id', 'in', ids)
    .where('blob_sha256', 'is not', null)
    .execute();
  await db.deleteFrom('messages').where(checkedTenant(tenantId)).where('id', 'in', ids).execute();
  for (const sha256 of new Set(cached.map((row) => row.blob_sha256))) {
    if (sha256 !== null && !(await isInUse(db, tenantId, sha256))) await files.blob(tenantId, sha256);
  }
  return true;
}

/** What an interruption has left between a message and its file. */
async function eraseCached(db: Kysely<Database>, tenantId: TenantId, files: ErasedFiles): Promise<boolean> {
  const cached = await db
    .selectFrom('cached_files')
    .select('sha256')
    .where('tenant_id', '=', tenantId)
    .limit(BATCH)
    .execute();
  for (const { sha256 } of cached) {
    await files.blob(tenantId, sha256);
    await db
      .deleteFrom('cached_files')
      .where('tenant_id', '=', tenantId)
      .where('sha256', '=', sha256)
      .execute();
  }
  return cached.length > 0;
}

/** Whether any message of the tenant still holds the file. */
async function isInUse(db: Kysely<Database>, tenantId: TenantId, sha256: string): Promise<boolean> {
  const holder = await db
    .selectFrom('media')
    .select('message_row_id')
    .where('sha256', '=', sha256)
    .where(checkedTenant(tenantId))
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
async function forgetWords(db: Kysely<Database>, erasing: Erasing): Promise<void> {
  const step = (pages: number): Promise<boolean> =>
    db.transaction().execute(async (trx) => {
      const before = await changes(trx);
      await sql`insert into message_search (message_search, rank) values ('merge', ${pages})`.execute(trx);
      return (await changes(trx)) - before >= 2;
    });
  // Negative: first of all, everything counts as one level.
  let pages = -MERGE_PAGES;
  await batches(erasing, async () => {
    const more = await step(pages);
    pages = MERGE_PAGES;
    return more;
  });
}

async function changes(db: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{ total: number | bigint }>`select total_changes() as total`.execute(db);
  return Number(rows[0]?.total ?? 0);
}
