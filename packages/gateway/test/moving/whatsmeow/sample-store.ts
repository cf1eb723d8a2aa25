import { readFileSync } from 'node:fs';
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
