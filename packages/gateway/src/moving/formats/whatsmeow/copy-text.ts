/**
 * The tables of a PostgreSQL store in the text that `pg_dump` writes of them: `COPY name (columns) FROM stdin;`, a
 * line for each row, and `\.` at the end. Values are as in the text form of COPY (PostgreSQL's manual, COPY, "Text
 * Format"); bytes are in hex, as since PostgreSQL 9.0.
 *
 * A file and no connection: a gateway that connected to a database at somebody's word would be sent anywhere.
 */
import { HeldSessionRefused } from '../../../whatsapp/port/moving.ts';
import { malformed, type Row, type StoredTables, type Table } from './tables.ts';

interface CopiedTable {
  columns: string[];
  start: number;
  end: number;
}

const LINE_END = 0x0a;
const COPY = /^COPY (?:"?[^\s".]+"?\.)?"?(whatsmeow_[a-z_]+)"? \(([^)]*)\) FROM stdin;$/;
const INSERT = /^INSERT INTO (?:"?[^\s".]+"?\.)?"?whatsmeow_/;
/** A row of another table may be longer; nothing is looked for in it. */
const LONGEST_STATEMENT = 2_000;

/** Null for a text in which no table of whatsmeow is. Throws `HeldSessionRefused`. */
export function copiedTables(file: string, bytes: Uint8Array): StoredTables | null {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const tables = new Map<string, CopiedTable>();
  let copied: CopiedTable | null = null;
  for (const [start, end] of lines(text)) {
    if (copied) {
      if (end - start !== 2 || text[start] !== 0x5c || text[start + 1] !== 0x2e) continue;
      copied.end = start;
      copied = null;
      continue;
    }
    if (end - start > LONGEST_STATEMENT) continue;
    const line = text.toString('utf8', start, end);
    const [, name, columns] = COPY.exec(line) ?? [];
    if (name !== undefined && columns !== undefined) {
      if (tables.has(name)) throw refused(file, name, 'is there twice: dump one schema alone');
      copied = {
        columns: columns.split(', ').map((each) => each.replaceAll('"', '')),
        start: end + 1,
        end: text.length,
      };
      tables.set(name, copied);
    } else if (INSERT.test(line)) {
      throw refused(
        file,
        'whatsmeow_device',
        'is written as INSERT statements: leave --inserts and --column-inserts away',
      );
    }
  }
  if (copied) throw refused(file, 'whatsmeow_device', 'the file ends in the middle of a table');
  return tables.size === 0 ? null : new CopiedTables(file, text, tables);
}

class CopiedTables implements StoredTables {
  readonly file: string;
  readonly #text: Buffer;
  readonly #tables: ReadonlyMap<string, CopiedTable>;

  constructor(file: string, text: Buffer, tables: ReadonlyMap<string, CopiedTable>) {
    this.file = file;
    this.#text = text;
    this.#tables = tables;
  }

  has(table: string): boolean {
    return this.#tables.has(table);
  }

  count(table: Table, owner: string): number {
    let count = 0;
    for (const _ of this.rows(table, owner)) count += 1;
    return count;
  }

  *rows<T extends Table>(table: T, owner?: string): Iterable<Row<T>> {
    const copied = this.#tables.get(table.name);
    if (!copied) return;
    const ownerAt = table.owner === null ? -1 : copied.columns.indexOf(table.owner);
    if (owner !== undefined && table.owner !== null && ownerAt < 0) {
      throw malformed({ table, column: table.owner, file: this.file }, 'is not there');
    }
    const wanted = Object.entries(table.columns).map(
      ([column, kind]) => [column, kind, copied.columns.indexOf(column)] as const,
    );
    for (const [start, end] of lines(this.#text, copied.start, copied.end)) {
      const fields = this.#text.toString('utf8', start, end).split('\t');
      if (owner !== undefined && unescaped(fields[ownerAt]) !== owner) continue;
      const row: Record<string, unknown> = {};
      for (const [column, kind, index] of wanted) {
        const value = index < 0 ? null : unescaped(fields[index]);
        row[column] = value === null ? null : this.#value(table, column, kind, value);
      }
      yield row as Row<T>;
    }
  }

  #value(table: Table, column: string, kind: Table['columns'][string], value: string): unknown {
    const wrong = (what: string) => malformed({ table, column, file: this.file }, `is no ${what}`);
    switch (kind) {
      case 'text':
        return value;
      case 'integer':
        if (!/^-?\d{1,15}$/.test(value)) throw wrong('number');
        return Number(value);
      case 'flag':
        if (value !== 't' && value !== 'f') throw wrong('true or false');
        return value === 't';
      case 'bytes':
        if (!/^\\x(?:[0-9a-f]{2})*$/i.test(value)) throw wrong('bytes in hex');
        return Buffer.from(value.slice(2), 'hex');
    }
  }
}

function* lines(text: Buffer, from = 0, to = text.length): Iterable<[start: number, end: number]> {
  for (let start = from; start < to; ) {
    const found = text.indexOf(LINE_END, start);
    const end = found < 0 || found > to ? to : found;
    const bare = end > start && text[end - 1] === 0x0d ? end - 1 : end;
    yield [start, bare];
    start = end + 1;
  }
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** Null for NULL, and for a value that is not there. */
function unescaped(field: string | undefined): string | null {
  if (field === undefined || field === '\\N') return null;
  return field.replace(/\\(.)/gs, (_, escaped: string) => ESCAPES[escaped] ?? escaped);
}

function refused(file: string, table: string, what: string): HeldSessionRefused {
  return new HeldSessionRefused('malformed', table, file, `${table} ${what}`);
}
