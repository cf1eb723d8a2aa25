/** What lists cost by how much is in them: a page, and the whole, with few things and with many. */
import type SqliteDatabase from 'better-sqlite3';
import { type Fill, Filled } from './filled.ts';
import { inLanes } from './processes/lanes.ts';
import { compete, type Figure, quantile, type Row } from './rounds.ts';

/** Of each page that is asked for. */
export const PAGE = 50;

interface List {
  /** As rows of the table name them. */
  things: string;
  few: number;
  many: number;
  fill: Fill;
  pages(filled: Filled): Promise<Figure>;
  whole(filled: Filled): Promise<Figure>;
}

/** Two gateways, with few and with many of the things, against each other. */
export async function fewAndMany(list: List, rounds: number): Promise<Row[]> {
  const { things } = list;
  const few = await Filled.create(list.few, list.fill);
  const many = await Filled.create(list.many, list.fill);
  const sides = { subject: `WUTS with ${list.many} ${things}`, against: `WUTS with ${list.few}`, rounds };
  try {
    return [
      await compete({
        ...sides,
        scenario: `a page of ${PAGE} ${things}`,
        unit: 'requests/s',
        measureSubject: () => list.pages(many),
        measureAgainst: () => list.pages(few),
      }),
      await compete({
        ...sides,
        scenario: `all ${things}`,
        unit: `${things}/s`,
        measureSubject: () => list.whole(many),
        measureAgainst: () => list.whole(few),
      }),
    ];
  } finally {
    await few.stop();
    await many.stop();
  }
}

/** Does so much work in lanes; `each` is what a piece of work counts for in the rate. */
export async function rateOf(
  { times, lanes, each = 1 }: { times: number; lanes: number; each?: number },
  work: () => Promise<void>,
): Promise<Figure> {
  const { tookMs, latencies } = await inLanes(times, lanes, work);
  const rate = (times * each * 1000) / tookMs;
  return { rate, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) };
}

/** Whose the device is. */
export function tenantOf(database: SqliteDatabase.Database, deviceId: string): string {
  const row = database.prepare('select tenant_id from devices where id = ?').get(deviceId);
  return (row as { tenant_id: string }).tenant_id;
}
