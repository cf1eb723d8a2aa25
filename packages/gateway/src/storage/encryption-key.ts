/**
 * Which key the database is sealed with. One row holds a value that is sealed with it, and while a new key
 * takes its place, one that is sealed with the new one: so a key is recognised without being stored.
 */
import type { Kysely, Transaction } from 'kysely';
import type { Database } from './schema.ts';
import { KEY_CHECK, SEALED } from './sealed.ts';
import { type Vault, VaultError } from './vault.ts';

/** The key is not the one that this database takes. The message says what to do. */
export class KeyRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'KeyRefused';
  }
}

/** The row has this id, and there is no other. */
const ONLY = 1;
const CHECK = Buffer.from('wuts');

/**
 * Throws KeyRefused unless everything in the database is sealed with this key. The first key that it is
 * opened with is the one it keeps.
 */
export async function assertKeyFits(db: Kysely<Database>, vault: Vault): Promise<void> {
  const row = await keyRow(db);
  if (!row) {
    await adopt(db, vault);
    return;
  }
  const known = fits(vault, row.sealed) || (row.next_sealed !== null && fits(vault, row.next_sealed));
  if (!known) throw new KeyRefused('the encryption key is not the one this database was encrypted with');
  if (row.next_sealed !== null) {
    throw new KeyRefused('the encryption key is being replaced: run `wuts key rotate` again, to its end');
  }
}

/** A database of before there was a check: its key is the one that opens the credentials in it, if there are any. */
async function adopt(db: Kysely<Database>, vault: Vault): Promise<void> {
  const row = await db
    .selectFrom('device_credentials')
    .select(['device_id', 'value'])
    .limit(1)
    .executeTakeFirst();
  if (row && !fits(vault, row.value, SEALED.credentials.at(row))) {
    throw new KeyRefused('the encryption key is not the one this database was encrypted with');
  }
  await db
    .insertInto('encryption_key')
    .values({ id: ONLY, sealed: check(vault), next_sealed: null, progress: null })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}

/** Whether the value was sealed with this key. */
function fits(vault: Vault, sealed: Uint8Array, place = KEY_CHECK): boolean {
  try {
    vault.open(sealed, place);
    return true;
  } catch (error) {
    if (error instanceof VaultError) return false;
    throw error;
  }
}

function check(vault: Vault): Uint8Array {
  return vault.seal(CHECK, KEY_CHECK);
}

/** `done`: the new key is the database's already. Else what an earlier run has noted; null at the beginning. */
export type RotationStart = { done: true } | { done: false; progress: string | null };

/**
 * From now on nothing but `finishRotation` makes the database usable again. Throws KeyRefused when the old key
 * is not the database's, or another new one has been begun with.
 */
export async function beginRotation(db: Kysely<Database>, from: Vault, to: Vault): Promise<RotationStart> {
  let row = await keyRow(db);
  if (!row) {
    await adopt(db, from);
    row = await keyRow(db);
  }
  if (!row) throw new Error('the encryption key has no row');
  if (row.next_sealed !== null) {
    if (fits(from, row.sealed) && fits(to, row.next_sealed)) return { done: false, progress: row.progress };
    throw new KeyRefused(
      'the database is on its way to another key: give the same two keys as when it began',
    );
  }
  if (fits(to, row.sealed)) return { done: true };
  if (!fits(from, row.sealed)) {
    throw new KeyRefused('the encryption key is not the one this database was encrypted with');
  }
  await change(db, { next_sealed: check(to), progress: null });
  return { done: false, progress: null };
}

/** In the transaction that did what it speaks of. */
export async function noteProgress(trx: Transaction<Database>, progress: string): Promise<void> {
  await change(trx, { progress });
}

export async function finishRotation(db: Kysely<Database>, to: Vault): Promise<void> {
  await change(db, { sealed: check(to), next_sealed: null, progress: null });
}

async function keyRow(db: Kysely<Database>) {
  return db.selectFrom('encryption_key').selectAll().where('id', '=', ONLY).executeTakeFirst();
}

async function change(
  db: Kysely<Database>,
  values: { sealed?: Uint8Array; next_sealed?: Uint8Array | null; progress?: string | null },
): Promise<void> {
  await db.updateTable('encryption_key').set(values).where('id', '=', ONLY).execute();
}
