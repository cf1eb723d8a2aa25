/** Opens the SQLite file of a data folder. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import type { Dialect } from 'kysely';
import { StorageFailure } from '../failure.ts';
import { SharedSqlite, SqliteDialect } from './dialect.ts';
import { storeError } from './failure-codes.ts';
import { type FileSync, WalSync } from './wal-sync.ts';

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
/** What is committed and not yet copied into it. */
export const LOG_FILE = `${DATABASE_FILE}-wal`;

export interface OpenSqlite {
  /** Its commits wait for the disk. */
  dialect: Dialect;
  /** Its commits do not: see `deferred` in `storage/database.ts`. */
  deferred: Dialect;
  durable(): Promise<void>;
  /** Puts what the log holds into the database, and both on the disk. Throws StorageFailure. */
  checkpoint(): void;
}

export interface SqliteOptions {
  dataDir: string;
  /** Null when no commit waits for the disk. */
  syncFile: FileSync | null;
  onSyncFailed(failure: StorageFailure): void;
}

/** Throws StorageFailure. */
export function openSqlite({ dataDir, syncFile, onSyncFailed }: SqliteOptions): OpenSqlite {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, DATABASE_FILE);
  try {
    const sqlite = new SqliteDatabase(file);
    // The waiting time first: switching to WAL already needs a lock.
    sqlite.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
    sqlite.pragma('journal_mode = WAL');
    // What `full` adds is done by WalSync, for all commits of a moment at once.
    sqlite.pragma('synchronous = NORMAL');
    sqlite.pragma('foreign_keys = ON');
    // What is deleted is overwritten, in the file as in the log's new pages.
    sqlite.pragma('secure_delete = ON');
    sqlite.pragma(`cache_size = -${CACHE_KIB}`);
    sqlite.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    const wal = syncFile ? new WalSync(file, syncFile, onSyncFailed) : null;
    const shared = new SharedSqlite(sqlite, wal);
    return {
      dialect: new SqliteDialect(shared, true),
      deferred: new SqliteDialect(shared, false),
      durable: async () => wal?.durable(),
      checkpoint: () => checkpoint(sqlite),
    };
  } catch (error) {
    throw storeError(error);
  }
}

function checkpoint(sqlite: SqliteDatabase.Database): void {
  let result: { busy: number; log: number; checkpointed: number } | undefined;
  try {
    [result] = sqlite.pragma('wal_checkpoint(FULL)') as (typeof result)[];
  } catch (error) {
    throw storeError(error);
  }
  if (result?.busy !== 0 || result.log !== result.checkpointed) {
    throw new StorageFailure('busy', new Error('another process is using the database'));
  }
}
