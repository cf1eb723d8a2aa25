/** Opens the database. Everything else sees it as `Kysely<Database>` and cannot tell what it is stored in. */
import { Kysely, Migrator, sql } from 'kysely';
import type { StorageFailure } from './failure.ts';
import type { Database } from './schema.ts';
import type { MessageSearch } from './search.ts';
import { readMigrations } from './sqlite/migrations/index.ts';
import { openSqlite } from './sqlite/open.ts';
import { SqliteSearch } from './sqlite/search.ts';
import { diskSync, type FileSync } from './sqlite/wal-sync.ts';

export { type ErasedFiles, eraseDevice, eraseTenant, eraseUser } from './sqlite/erasure.ts';
export { FolderInUse, lockFolder } from './sqlite/folder-lock.ts';
export { lastEventNumber } from './sqlite/numbers.ts';
export { DATABASE_FILE, LOG_FILE } from './sqlite/open.ts';
export { PlannerStatistics } from './sqlite/statistics.ts';

/**
 * What a commit waits for.
 *
 * `full`: until the write-ahead log is on the disk. A commit outlives a crash of the process,
 * of the system and a power cut.
 * `normal`: until the operating system has it. A commit outlives `kill -9`; a system crash or a
 * power cut may take the latest ones (the file stays consistent), and with them messages whose
 * sender already sees two ticks.
 */
export type SyncMode = 'full' | 'normal';

export interface DatabaseOptions {
  dataDir: string;
  /** Default `full`. */
  sync?: SyncMode;
  /** How the log is put on the disk: tests hold it up or let it fail. */
  syncFile?: FileSync | undefined;
  /**
   * Called once when the disk has refused to keep what was committed. From then on every use of the database
   * rejects with a StorageFailure; the process must end, and the next one calls `recoverLog`.
   */
  onSyncFailed?: (failure: StorageFailure) => void;
}

/**
 * Opens (and creates) the database; it has no tables until `migrateToLatest`.
 *
 * It runs on one connection: while a transaction is open, any query that does not go through it waits.
 * Inside `db.transaction().execute(async (trx) => …)` use `trx` alone; using `db` there waits for ever.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Kysely<Database>> {
  const { dataDir, sync = 'full', syncFile = diskSync, onSyncFailed = () => undefined } = options;
  const opened = openSqlite({ dataDir, syncFile: sync === 'full' ? syncFile : null, onSyncFailed });
  const db = new Kysely<Database>({ dialect: opened.dialect });
  const deferred = new Kysely<Database>({ dialect: opened.deferred });
  siblings.set(db, { deferred, durable: opened.durable, checkpoint: opened.checkpoint });
  return db;
}

interface Sibling {
  deferred: Kysely<Database>;
  durable(): Promise<void>;
  checkpoint(): void;
}

const siblings = new WeakMap<Kysely<Database>, Sibling>();

/**
 * The same database for writers who do not wait for the disk at each commit: what they wrote outlives
 * `kill -9` at once, and a power cut after `durable`. Await that before anybody outside hears of what was written.
 * A later commit is never on the disk without the earlier ones.
 */
export function deferred(db: Kysely<Database>): Kysely<Database> {
  return siblings.get(db)?.deferred ?? db;
}

/** Resolves once every commit made so far is as durable as the settings ask for. */
export async function durable(db: Kysely<Database>): Promise<void> {
  await siblings.get(db)?.durable();
}

/**
 * For whoever owns the data folder, at its start and before it acknowledges anything: what an earlier process
 * has committed is read from the log, proved by its checksums, and put on the disk anew. It may have ended
 * because the disk refused that. Throws StorageFailure when it cannot be done, also while another process
 * uses the database for longer than ten seconds.
 */
export function recoverLog(db: Kysely<Database>): void {
  siblings.get(db)?.checkpoint();
}

export function messageSearch(db: Kysely<Database>): MessageSearch {
  return new SqliteSearch(db, deferred(db));
}

function migrator(db: Kysely<Database>): Migrator {
  return new Migrator({ db, provider: { getMigrations: readMigrations } });
}

/** Applies what is missing, each migration in a transaction, and returns the names of those applied. */
export async function migrateToLatest(db: Kysely<Database>): Promise<string[]> {
  const { error, results } = await migrator(db).migrateToLatest();
  if (error) throw new Error('the database could not be migrated', { cause: error });
  return (results ?? []).filter((each) => each.status === 'Success').map((each) => each.migrationName);
}

/** Names of migrations that the database does not have yet. */
export async function pendingMigrations(db: Kysely<Database>): Promise<string[]> {
  const known = await migrator(db).getMigrations();
  return known.filter((each) => each.executedAt === undefined).map((each) => each.name);
}

/** For readiness: whether a query comes back. */
export async function databaseAnswers(db: Kysely<Database>): Promise<boolean> {
  try {
    await sql`select 1`.execute(db);
    return true;
  } catch {
    return false;
  }
}
