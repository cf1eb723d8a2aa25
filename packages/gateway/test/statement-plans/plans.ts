/** What SQLite's planner does with a statement, on an empty database and on one that it takes for a large one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { DATABASE_FILE, migrateToLatest, openDatabase } from '../../src/storage/database.ts';
import { EXCEPTIONS } from './exceptions.ts';
import { GROWING, statOf } from './statistics.ts';

/** Equality with these alone leaves many rows: everything of a tenant or device, or half of a table. */
const BROAD = new Set(['tenant_id', 'device_id', 'user_id', 'endpoint_id', 'kind', 'type', 'state', 'name']);

export interface Explained {
  explained: number;
  /** One for each statement and plan that reads more than it needs, and is on no list. */
  findings: string[];
}

/** `asked`: statements, and who asks. Those that are no query or speak of a test's own table are left out. */
export async function explainAll(asked: ReadonlyMap<string, string>): Promise<Explained> {
  const findings = valuesInTexts(asked);
  let explained = 0;
  await onSchemas((name, database) => {
    for (const [sql, by] of asked) {
      // A migration touches every row, once, and speaks of the schema of its time.
      if (by.startsWith('storage/sqlite/migrations/')) continue;
      if (!/^\s*(?:select|insert|update|delete|with)\b/i.test(sql)) continue;
      const wide = wideSteps(database, sql);
      if (!wide) continue;
      explained += 1;
      const unlisted = wide.filter((step) => !EXCEPTIONS.some((each) => each.fits({ sql, by, step })));
      if (unlisted.length > 0) findings.push(`${by} (${name})\n  ${unlisted.join('\n  ')}\n  ${sql}`);
    }
  });
  return { explained, findings };
}

/** Statements that are one but for a long number: each time is another text, which is prepared and kept by itself. */
function valuesInTexts(asked: ReadonlyMap<string, string>): string[] {
  const texts = new Map<string, { sql: string; by: string }>();
  const findings: string[] = [];
  for (const [sql, by] of asked) {
    const shape = sql.replaceAll(/\b\d{6,}\b/g, '#');
    const first = texts.get(shape);
    if (first) findings.push(`${by} writes a value into the text\n  ${first.sql}\n  ${sql}`);
    else texts.set(shape, { sql, by });
  }
  return findings;
}

/** Steps that read more than a few rows of a table that grows; null for what cannot be explained here. */
export function wideSteps(database: SqliteDatabase.Database, sql: string): string[] | null {
  let rows: { detail: string }[];
  try {
    const statement = database.prepare(`explain query plan ${sql}`);
    rows = statement.all(...parametersFor(sql)) as { detail: string }[];
  } catch (error) {
    if (error instanceof SqliteDatabase.SqliteError && error.message.startsWith('no such table')) return null;
    throw error;
  }
  return rows.map(({ detail }) => detail).filter(isWide);
}

function parametersFor(sql: string): null[] {
  return Array.from(sql.replaceAll(/'[^']*'|"[^"]*"/g, '').matchAll(/\?/g), () => null);
}

function isWide(detail: string): boolean {
  const [, way, table = ''] = /^(SCAN|SEARCH) (\w+)/.exec(detail) ?? [];
  if (!way || GROWING[table] === undefined) return false;
  if (way === 'SCAN') return true;
  const constraints = /\(([^()]*)\)(?: LEFT-JOIN)?$/.exec(detail)?.[1];
  const equal = [...(constraints ?? '').matchAll(/(\w+|<expr>)=\?/g)].map(([, column]) => column ?? '');
  return equal.every((column) => BROAD.has(column));
}

/** The schema twice: as it is after the first start, and with the statistics of much data. */
export async function onSchemas(
  visit: (name: string, database: SqliteDatabase.Database) => void,
): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'wuts-plans-'));
  const file = join(dataDir, DATABASE_FILE);
  try {
    const db = await openDatabase({ dataDir, sync: 'normal' });
    await migrateToLatest(db);
    await db.destroy();
    on(file, (database) => visit('no statistics', database));
    on(file, writeStatistics);
    // The planner reads them when the schema is loaded.
    on(file, (database) => visit('a million messages', database));
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

function on(file: string, work: (database: SqliteDatabase.Database) => void): void {
  const database = new SqliteDatabase(file);
  try {
    work(database);
  } finally {
    database.close();
  }
}

function writeStatistics(database: SqliteDatabase.Database): void {
  database.exec('analyze; delete from sqlite_stat1');
  const insert = database.prepare('insert into sqlite_stat1 (tbl, idx, stat) values (?, ?, ?)');
  const indexes = database
    .prepare(
      `select tbl_name as "table", name from sqlite_master
       where type = 'index' and tbl_name not like 'sqlite%' and tbl_name not like 'message_search_%'
       or type = 'index' and tbl_name = 'message_search_rows'`,
    )
    .all() as { table: string; name: string }[];
  for (const { table, name } of indexes) {
    const columns = database.prepare(`pragma index_info("${name}")`).all() as { name: string | null }[];
    const stat = statOf(
      table,
      columns.map((column) => column.name),
    );
    insert.run(table, name, stat);
  }
  insert.run('message_search_queue', null, statOf('message_search_queue', []));
}
