/** The tables of a store in an SQLite file. */
import { HeldSessionRefused } from '../../../whatsapp/port/moving.ts';
import { type BesideDatabase, ForeignDatabase, UnreadableDatabase } from '../../sqlite/foreign-database.ts';
import { DEVICE, malformed, type Row, type StoredTables, type Table } from './tables.ts';

/** Null when it has no table of whatsmeow. Throws `HeldSessionRefused`. */
export function sqliteTables(file: string, bytes: Uint8Array, beside: BesideDatabase): StoredTables | null {
  return told(file, () => {
    const database = new ForeignDatabase(bytes, beside);
    return database.columns(DEVICE.name) === null ? null : new SqliteTables(file, database);
  });
}

class SqliteTables implements StoredTables {
  readonly file: string;
  readonly #database: ForeignDatabase;

  constructor(file: string, database: ForeignDatabase) {
    this.file = file;
    this.#database = database;
  }

  has(table: string): boolean {
    return told(this.file, () => this.#database.columns(table) !== null);
  }

  count(table: Table, owner: string): number {
    let count = 0;
    for (const _ of this.rows(table, owner)) count += 1;
    return count;
  }

  *rows<T extends Table>(table: T, owner?: string): Iterable<Row<T>> {
    const there = told(this.file, () => this.#database.columns(table.name));
    if (!there) return;
    const columns = Object.keys(table.columns).filter((column) => there.has(column));
    if (owner !== undefined && table.owner !== null && !there.has(table.owner)) {
      throw malformed({ table, column: table.owner, file: this.file }, 'is not there');
    }
    const where =
      owner !== undefined && table.owner !== null ? { column: table.owner, is: owner } : undefined;
    const rows = this.#database.rows(table.name, columns, where)[Symbol.iterator]();
    for (;;) {
      const next = told(this.file, () => rows.next());
      if (next.done) return;
      const row: Record<string, unknown> = {};
      for (const column of Object.keys(table.columns)) {
        const index = columns.indexOf(column);
        row[column] = this.#value(table, column, index < 0 ? null : next.value[index]);
      }
      yield row as Row<T>;
    }
  }

  /** SQLite takes any value in any column. */
  #value(table: Table, column: string, value: unknown): unknown {
    if (value === null) return null;
    const wrong = (what: string) => malformed({ table, column, file: this.file }, `is no ${what}`);
    switch (table.columns[column]) {
      case 'text':
        if (typeof value !== 'string') throw wrong('text');
        return value;
      case 'bytes':
        if (!(value instanceof Uint8Array)) throw wrong('bytes');
        return value;
      case 'integer':
        if (typeof value !== 'bigint' || !Number.isSafeInteger(Number(value))) throw wrong('number');
        return Number(value);
      case 'flag':
        if (value !== 0n && value !== 1n) throw wrong('true or false');
        return value === 1n;
    }
  }
}

function told<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UnreadableDatabase)) throw error;
    throw new HeldSessionRefused('malformed', 'database', file, `${file} cannot be read: ${error.message}`);
  }
}
