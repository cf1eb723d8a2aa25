/**
 * Somebody else's SQLite file, read in memory. It may be made to harm: nothing in it is run (views, triggers, virtual
 * tables, generated columns, checks), and a table is looked through as a whole before its rows are read, since a damaged
 * tree can be walked without end.
 */
import SqliteDatabase from 'better-sqlite3';
import { withLog } from './write-ahead-log.ts';

const MAGIC = Buffer.from('SQLite format 3\0', 'latin1');
/** In front of a journal that has to be rolled back (sqlite.org/fileformat2.html, "The Rollback Journal"). */
const HOT_JOURNAL = Buffer.from('d9d505f920a163d7', 'hex');

/** The file cannot be read as it is; the message says why and names no value. */
export class UnreadableDatabase extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'UnreadableDatabase';
  }
}

/** What SQLite keeps beside a database until it was closed. */
export interface BesideDatabase {
  /** `…-wal` */
  log: Uint8Array | undefined;
  /** `…-journal` */
  journal: Uint8Array | undefined;
}

export function isSqlite(bytes: Uint8Array): boolean {
  return MAGIC.equals(bytes.subarray(0, MAGIC.length));
}

export class ForeignDatabase {
  readonly #db: SqliteDatabase.Database;
  /** Plain tables by name, each with its columns; undefined while nobody has looked. */
  readonly #columns = new Map<string, ReadonlySet<string> | null>();
  readonly #sound = new Set<string>();

  /** Throws `UnreadableDatabase`. */
  constructor(bytes: Uint8Array, beside: BesideDatabase) {
    if (beside.journal && HOT_JOURNAL.equals(beside.journal.subarray(0, HOT_JOURNAL.length))) {
      throw new UnreadableDatabase(
        'its program ended in the middle of writing: start it once more and stop it, then no -journal is beside it',
      );
    }
    this.#db = readable(() => new SqliteDatabase(withLog(bytes, beside.log), { readonly: true }));
    readable(() => {
      this.#db.pragma('trusted_schema = OFF');
      this.#db.pragma('cell_size_check = ON');
      this.#db.pragma('ignore_check_constraints = ON');
    });
  }

  /** The columns of a plain table, null when there is none of that name. Throws `UnreadableDatabase`. */
  columns(table: string): ReadonlySet<string> | null {
    const known = this.#columns.get(table);
    if (known !== undefined) return known;
    const columns = readable(() => this.#look(table));
    this.#columns.set(table, columns);
    return columns;
  }

  #look(table: string): ReadonlySet<string> | null {
    const kinds = this.#db.prepare('SELECT type FROM pragma_table_list WHERE name = ?').pluck().all(table);
    if (kinds.length === 0) return null;
    if (kinds.length > 1 || kinds[0] !== 'table') throw new UnreadableDatabase(`${table} is no plain table`);
    const columns = this.#db.prepare('SELECT name, hidden FROM pragma_table_xinfo(?)').all(table) as {
      name: string;
      hidden: number;
    }[];
    if (columns.some(({ hidden }) => hidden !== 0)) {
      throw new UnreadableDatabase(`${table} has columns that are computed`);
    }
    return new Set(columns.map(({ name }) => name));
  }

  /**
   * Rows of a table, whose name and columns are the caller's own words. Numbers come as bigint.
   * Throws `UnreadableDatabase`, also between rows.
   */
  *rows(
    table: string,
    columns: readonly string[],
    where?: { column: string; is: string },
  ): Iterable<unknown[]> {
    this.#check(table);
    const named = columns.length > 0 ? columns.map((column) => `"${column}"`).join(', ') : '1';
    const filter = where ? ` WHERE "${where.column}" = ?` : '';
    const statement = readable(() =>
      this.#db.prepare(`SELECT ${named} FROM "${table}" NOT INDEXED${filter}`).raw().safeIntegers(),
    );
    const rows = statement.iterate(...(where ? [where.is] : []));
    for (;;) {
      const next = readable(() => rows.next());
      if (next.done) return;
      yield next.value as unknown[];
    }
  }

  close(): void {
    this.#db.close();
  }

  /** Each page of the table is looked at once; what is found twice, or out of order, is refused. */
  #check(table: string): void {
    if (this.#sound.has(table)) return;
    const [found] = readable(() =>
      this.#db.prepare('SELECT * FROM pragma_quick_check(?)').pluck().all(table),
    );
    if (found !== 'ok') throw new UnreadableDatabase(`${table} is damaged`);
    this.#sound.add(table);
  }
}

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof SqliteDatabase.SqliteError) {
      throw new UnreadableDatabase(`SQLite says ${error.code}`, error);
    }
    throw error;
  }
}
