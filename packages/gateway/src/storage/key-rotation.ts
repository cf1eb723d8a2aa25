/**
 * Seals everything anew, with another key. Nobody else may use the database meanwhile.
 *
 * Which key a value is sealed with is not written beside it: values are sealed anew in the order of their
 * table's key, and how far that went is noted in the transaction that did it. So a run that was cut short,
 * at whatever moment, goes on where it ended, and no value is ever opened with a key that is not its own.
 */
import { type Kysely, sql } from 'kysely';
import { deferred, durable } from './database.ts';
import { beginRotation, finishRotation, noteProgress } from './encryption-key.ts';
import type { Database } from './schema.ts';
import { SEALED, type SealedColumn } from './sealed.ts';
import { type Vault, VaultError } from './vault.ts';

export interface RotationParts {
  db: Kysely<Database>;
  from: Vault;
  to: Vault;
  /** Rows in one transaction. */
  batch?: number;
  /** After each. */
  onBatch?: (column: SealedColumn, values: number) => void;
}

export interface RotationResult {
  /** Values that this run has sealed anew. */
  values: number;
  /** Values that the old key does not open, left as they are: damaged before, and of no use with any key. */
  unreadable: number;
}

/** Messages of a megabyte each fit into memory so many times. */
const BATCH = 200;

/** Where the run is: the column, and the key of the last row. */
interface Progress {
  column: string;
  after: (string | number)[];
  unreadable: number;
}

type StoredRow = Record<string, string | number> & { sealed: Uint8Array };

/** Null when the database had the new key already. Throws KeyRefused for keys that are not the ones it takes. */
export async function rotateKey(rotation: RotationParts): Promise<RotationResult | null> {
  const { db, from, to } = rotation;
  const start = await beginRotation(db, from, to);
  if (start.done) return null;
  const columns: SealedColumn[] = Object.values(SEALED);
  let progress = start.progress === null ? null : (JSON.parse(start.progress) as Progress);
  const first = columns.findIndex((each) => nameOf(each) === progress?.column);
  let values = 0;
  for (const column of columns.slice(Math.max(first, 0))) {
    progress = { column: nameOf(column), after: [], unreadable: 0, ...sameColumn(progress, column) };
    for (;;) {
      const done: Batch = await sealAnew(rotation, column, progress);
      progress = done.progress;
      values += done.values;
      rotation.onBatch?.(column, done.values);
      if (done.rows < (rotation.batch ?? BATCH)) break;
    }
  }
  await durable(db);
  await finishRotation(db, to);
  return { values, unreadable: progress?.unreadable ?? 0 };
}

/** What goes on: the place within the same column, the count over all of them. */
function sameColumn(progress: Progress | null, column: SealedColumn): Partial<Progress> {
  if (progress === null) return {};
  return progress.column === nameOf(column) ? progress : { unreadable: progress.unreadable };
}

interface Batch {
  progress: Progress;
  rows: number;
  values: number;
}

async function sealAnew(rotation: RotationParts, column: SealedColumn, progress: Progress): Promise<Batch> {
  const { db, from, to, batch = BATCH } = rotation;
  // A power cut may take the last ones back, all of them from some moment on.
  return deferred(db)
    .transaction()
    .execute(async (trx) => {
      const rows = await rowsAfter(trx, column, progress.after, batch);
      let { after, unreadable } = progress;
      let values = 0;
      for (const row of rows) {
        const place = column.at(row);
        const plaintext = openOrNull(from, row.sealed, place);
        after = column.key.map((name) => row[name] ?? '');
        if (plaintext === null) unreadable += 1;
        else {
          await put(trx, column, after, to.seal(plaintext, place));
          values += 1;
        }
      }
      const now = { column: nameOf(column), after, unreadable };
      await noteProgress(trx, JSON.stringify(now));
      return { progress: now, rows: rows.length, values };
    });
}

function openOrNull(vault: Vault, sealed: Uint8Array, place: ReturnType<SealedColumn['at']>) {
  try {
    return vault.open(sealed, place);
  } catch (error) {
    if (error instanceof VaultError) return null;
    throw error;
  }
}

async function rowsAfter(
  db: Kysely<Database>,
  { table, column, key, beside }: SealedColumn,
  after: readonly (string | number)[],
  limit: number,
): Promise<StoredRow[]> {
  const keys = sql.join(key.map((name) => sql.ref(name)));
  const from = after.length === 0 ? sql`` : sql`and (${keys}) > (${sql.join(after)})`;
  const { rows } = await sql<StoredRow>`
    select ${sql.join([...key, ...beside].map((name) => sql.ref(name)))}, ${sql.ref(column)} as sealed
    from ${sql.table(table)}
    where ${sql.ref(column)} is not null ${from}
    order by ${keys} limit ${limit}`.execute(db);
  return rows;
}

async function put(
  db: Kysely<Database>,
  { table, column, key }: SealedColumn,
  values: readonly (string | number)[],
  sealed: Uint8Array,
): Promise<void> {
  const same = key.map((name, index) => sql`${sql.ref(name)} = ${values[index]}`);
  await sql`
    update ${sql.table(table)} set ${sql.ref(column)} = ${sealed}
    where ${sql.join(same, sql` and `)}`.execute(db);
}

function nameOf({ table, column }: SealedColumn): string {
  return `${table}.${column}`;
}
