import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';

/** The data folder belongs to another process. */
export class FolderInUse extends Error {
  constructor(dataDir: string) {
    super(`another gateway runs on the data folder ${dataDir}: stop it first`);
    this.name = 'FolderInUse';
  }
}

/** A process that was just told to stop may still be closing its sockets. */
const WAIT_MS = 10_000;

/**
 * Takes the data folder for this process; the returned function gives it back.
 *
 * Two gateways on one folder would log in with the same credentials and push each other out
 * (stream error "replaced") for ever. The lock is SQLite's own on a file beside the database: the
 * operating system frees it however the process ends, so there is nothing stale to clean up.
 */
export function lockFolder(dataDir: string, waitMs = WAIT_MS): () => void {
  const lock = new SqliteDatabase(join(dataDir, 'gateway.lock'), { timeout: waitMs });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY')) throw new FolderInUse(dataDir);
    throw error;
  }
  return () => lock.close();
}
