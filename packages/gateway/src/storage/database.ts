/** Opens the database. Everything else sees it as `Kysely<Database>` and cannot tell which one it is. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { Kysely, Migrator, sql } from 'kysely';
import { migrations } from './migrations/index.ts';
import type { Database } from './schema.ts';
import { SharedSqlite, SqliteDialect } from './sqlite-dialect.ts';
import { type FileSync, WalSync } from './wal-sync.ts';

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
  /** A PostgreSQL URL, or null for SQLite in the data folder. */
  databaseUrl: string | null;
  /** SQLite only; default `full`. */
  sync?: SyncMode;
  /** How the log is put on the disk: tests hold it up or let it fail. */
  syncFile?: FileSync;
}

/** Another process (the CLI, a backup) may hold the write lock for a moment. */
const BUSY_TIMEOUT_MS = 10_000;
/** Pages of the cache: negative means KiB. 16 MiB holds the hot indexes of some hundred thousand messages. */
const CACHE_KIB = 16_384;

/**
 * Pages of 4 KiB in the log before SQLite copies them into the database, which syncs both on the event loop.
 * Messages write the same pages (indexes, last pages of tables) again and again, and a page is copied once
 * however often it is in the log: with more than the default of 1000 there is less to copy.
 */
const CHECKPOINT_PAGES = 8000;

export const DATABASE_FILE = 'wuts.db';

/**
 * Opens (and creates) the database; it has no tables until `migrateToLatest`.
 *
 * SQLite runs on one connection: while a transaction is open, any query that does not go
 * through it waits. Inside `db.transaction().execute(async (trx) => …)` use `trx` alone; using
 * `db` there waits for ever.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Kysely<Database>> {
  if (options.databaseUrl !== null) {
    throw new Error('DATABASE_URL is set, but this version stores in SQLite only: unset it');
  }
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const file = join(options.dataDir, DATABASE_FILE);
  const sqlite = new SqliteDatabase(file);
  // The waiting time first: switching to WAL already needs a lock.
  sqlite.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
  sqlite.pragma('journal_mode = WAL');
  // `full` is kept by WalSync, for all commits of a moment at once.
  sqlite.pragma('synchronous = NORMAL');
  sqlite.pragma('foreign_keys = ON');
  sqlite.pragma(`cache_size = -${CACHE_KIB}`);
  sqlite.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  const wal = (options.sync ?? 'full') === 'full' ? new WalSync(file, options.syncFile) : null;
  const shared = new SharedSqlite(sqlite, wal);
  const db = new Kysely<Database>({ dialect: new SqliteDialect(shared, true) });
  const deferred = new Kysely<Database>({ dialect: new SqliteDialect(shared, false) });
  siblings.set(db, { deferred, settled: async () => wal?.settled() });
  return db;
}

interface Sibling {
  deferred: Kysely<Database>;
  settled(): Promise<void>;
}

const siblings = new WeakMap<Kysely<Database>, Sibling>();

/**
 * The same database for writers who do not wait for the disk at each commit: what they wrote outlives
 * `kill -9` at once and a power cut after `settled`, which whoever tells somebody about it must await first.
 * A later commit is never on the disk without the earlier ones.
 */
export function deferred(db: Kysely<Database>): Kysely<Database> {
  return siblings.get(db)?.deferred ?? db;
}

/** Resolves once every commit made so far is as durable as the settings ask for. */
export async function settled(db: Kysely<Database>): Promise<void> {
  await siblings.get(db)?.settled();
}

function migrator(db: Kysely<Database>): Migrator {
  return new Migrator({ db, provider: { getMigrations: async () => migrations } });
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
