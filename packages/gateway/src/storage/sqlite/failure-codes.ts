/** Which of SQLite's failures are the store's own, and not the query's. */
import SqliteDatabase from 'better-sqlite3';
import { StorageFailure, type StorageFailureKind } from '../failure.ts';

/** By the primary result code; extended ones (`SQLITE_IOERR_FSYNC`) go on behind it: https://sqlite.org/rescode.html */
const KINDS: Record<string, StorageFailureKind> = {
  BUSY: 'busy',
  LOCKED: 'busy',
  PROTOCOL: 'busy',
  FULL: 'full',
  IOERR: 'io',
  NOMEM: 'io',
  CORRUPT: 'damaged',
  NOTADB: 'damaged',
  READONLY: 'read_only',
  PERM: 'read_only',
  CANTOPEN: 'cannot_open',
};

/** The same error, as a `StorageFailure` when it says that the store cannot now. */
export function storeError(error: unknown): unknown {
  if (error instanceof SqliteDatabase.SqliteError) {
    const kind = KINDS[error.code.split('_')[1] ?? ''];
    return kind ? new StorageFailure(kind, error) : error;
  }
  // better-sqlite3 says so in words alone; it happens to what still runs while the gateway stops.
  if (error instanceof TypeError && error.message === 'The database connection is not open') {
    return new StorageFailure('closed', error);
  }
  return error;
}
