import { copyFileSync, readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';

/** Written by an unmodified whatsmeow (packages/sandbox/interop/whatsmeow/stores); nobody in it exists. */
export const SAMPLE_STORE: Buffer = readFileSync(join(import.meta.dirname, 'store.db'));

/** Its group. */
export const GROUP = '120363000000000001@g.us';
export const ALICE = '551199990001:2@s.whatsapp.net';

/** A ciphertext that was still under way to Alice. */
export interface Pending {
  case: string;
  /** Signal's name of the sender's device, as whatsmeow writes it. */
  from: string;
  type: 'msg' | 'pkmsg' | 'skmsg';
  ciphertext: string;
  plaintext: string;
}

export const PENDING = JSON.parse(
  readFileSync(join(import.meta.dirname, 'pending.json'), 'utf8'),
) as Pending[];

/** The store after a change. */
export function changedStore(change: (database: SqliteDatabase.Database) => void): Buffer {
  const database = new SqliteDatabase(Buffer.from(SAMPLE_STORE));
  try {
    change(database);
    return database.serialize();
  } finally {
    database.close();
  }
}

/**
 * The store as a program leaves it that was killed: the first change in `main.db` itself, the others in `main.db-wal`
 * alone. Resolves with the folder, which the caller removes.
 */
export async function unclosedStore(
  ...[inFile, ...inLog]: ((database: SqliteDatabase.Database) => void)[]
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'wuts-wal-'));
  const source = new SqliteDatabase(Buffer.from(SAMPLE_STORE));
  await source.backup(join(folder, 'running.db'));
  source.close();
  const database = new SqliteDatabase(join(folder, 'running.db'));
  try {
    database.pragma('journal_mode = WAL');
    database.pragma('wal_autocheckpoint = 0');
    inFile?.(database);
    database.pragma('wal_checkpoint(TRUNCATE)');
    for (const change of inLog) change(database);
    for (const end of ['', '-wal'])
      copyFileSync(join(folder, `running.db${end}`), join(folder, `main.db${end}`));
  } finally {
    database.close();
  }
  return folder;
}
