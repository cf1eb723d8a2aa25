/** `node bench/sqlite-bindings.ts`: better-sqlite3 against Node's own `node:sqlite`, on the work that the gateway does. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import BetterSqlite from 'better-sqlite3';
import { spread } from './rounds.ts';

const ROUNDS = 15;
const ROWS = 4000;
const READS = 16_000;
const LISTS = 600;
/** A slice is some milliseconds: short enough that on a busy machine some of them have a core to themselves. */
const SLICES = 40;
const SCHEMA = `
  pragma journal_mode = wal; pragma synchronous = normal;
  create table m (id text primary key, device text not null, at integer not null, body text, raw blob);
  create index m_by_time on m (device, at)`;
const INSERT = 'insert into m (id, device, at, body, raw) values (?, ?, ?, ?, ?)';
const READ = 'select id, device, at, body, raw from m where id = ?';
const LIST = 'select id, device, at, body, raw from m where device = ? order by at limit 100';

/** What both have in common. */
interface Binding {
  exec(sql: string): unknown;
  prepare(sql: string): {
    run(...values: (string | number | Uint8Array)[]): unknown;
    all(...values: (string | number | Uint8Array)[]): unknown[];
  };
  close(): unknown;
}

const OPEN: Record<string, (file: string) => Binding> = {
  'better-sqlite3': (file) => new BetterSqlite(file),
  'node:sqlite': (file) => new DatabaseSync(file),
};
const raw = randomBytes(300);

/** Operations per second of each kind of work. */
function measure(open: (file: string) => Binding): Record<string, number> {
  const folder = mkdtempSync(join(tmpdir(), 'wuts-bindings-'));
  const db = open(join(folder, 'x.db'));
  try {
    db.exec(SCHEMA);
    const [begin, commit, insert, read, list] = ['begin immediate', 'commit', INSERT, READ, LIST].map((sql) =>
      db.prepare(sql),
    );
    if (!begin || !commit || !insert || !read || !list) throw new Error('not prepared');
    return {
      'insert in a transaction of its own': perSecond(ROWS, (n) => {
        begin.run();
        insert.run(`id ${n}`, `device ${n % 20}`, n, 'a message of some fifty characters, as they are', raw);
        commit.run();
      }),
      'read by key': perSecond(READS, (n) => read.all(`id ${n % ROWS}`)),
      'list of 100 rows': perSecond(LISTS, (n) => list.all(`device ${n % 20}`)),
      'prepare, read once': perSecond(READS / 4, (n) => db.prepare(READ).all(`id ${n % ROWS}`)),
    };
  } finally {
    db.close();
    rmSync(folder, { recursive: true });
  }
}

/** Of the fastest slice, so that what else the machine does at the time is not counted as the binding's. */
function perSecond(count: number, work: (n: number) => unknown): number {
  const slice = count / SLICES;
  let fastest = Number.POSITIVE_INFINITY;
  for (let start = 0; start < count; start += slice) {
    const started = process.hrtime.bigint();
    for (let n = start; n < start + slice; n += 1) work(n);
    fastest = Math.min(fastest, Number(process.hrtime.bigint() - started));
  }
  return (slice * 1e9) / fastest;
}

const ratios = new Map<string, number[]>();
/** Microseconds of one operation with better-sqlite3. */
const costs = new Map<string, number[]>();
for (let round = 0; round <= ROUNDS; round += 1) {
  const order = round % 2 === 0 ? Object.entries(OPEN) : Object.entries(OPEN).reverse();
  const figures = Object.fromEntries(order.map(([name, open]) => [name, measure(open)]));
  // The first round warms up.
  if (round === 0) continue;
  for (const [work, ours] of Object.entries(figures['better-sqlite3'] ?? {})) {
    const theirs = figures['node:sqlite']?.[work] ?? Number.NaN;
    ratios.set(work, [...(ratios.get(work) ?? []), theirs / ours]);
    costs.set(work, [...(costs.get(work) ?? []), 1e6 / ours]);
  }
}
const version = (open: (file: string) => Binding): unknown => {
  const db = open(':memory:');
  db.exec("create virtual table f using fts5 (words, content = '', contentless_delete = 1)");
  return db.prepare('select sqlite_version() as version').all()[0];
};
console.log(
  process.version,
  Object.fromEntries(Object.entries(OPEN).map(([name, open]) => [name, version(open)])),
);
console.log('node:sqlite / better-sqlite3, above 1 is faster: median (smallest–largest)');
for (const [work, values] of ratios) {
  const { min, median, max } = spread(values);
  const cost = spread(costs.get(work) ?? []).median;
  console.log(
    `${work}: ${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)}); better-sqlite3 takes ${cost.toFixed(1)} µs`,
  );
}
