import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { expect, test } from 'vitest';
import { ManualClock } from '../../src/clock.ts';
import { migrateToLatest, openDatabase, PlannerStatistics } from '../../src/storage/database.ts';
import type { Database } from '../../src/storage/schema.ts';

async function addTenants(db: Kysely<Database>, from: number, to: number): Promise<void> {
  await sql`
    with recursive n(i) as (select ${from} union all select i + 1 from n where i + 1 < ${to})
    insert into tenants (id, name, created_at, updated_at) select 't' || i, 'n' || i, 1, 1 from n`.execute(
    db,
  );
}

/** How many rows the planner takes the table for; null without statistics. */
async function believed(db: Kysely<Database>): Promise<number | null> {
  const known = await sql`select 1 from sqlite_master where name = 'sqlite_stat1'`.execute(db);
  if (known.rows.length === 0) return null;
  const { rows } = await sql<{ stat: string }>`
    select stat from sqlite_stat1 where tbl = 'tenants' order by stat desc limit 1`.execute(db);
  return rows[0] ? Number(rows[0].stat.split(' ')[0]) : null;
}

test('statistics are there after the start, and follow once a day until the stop', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'wuts-statistics-'));
  const db = await openDatabase({ dataDir, sync: 'normal' });
  try {
    await migrateToLatest(db);
    await addTenants(db, 0, 200);
    expect(await believed(db)).toBeNull();
    const clock = new ManualClock(1_000_000);
    const failures: unknown[] = [];
    const statistics = new PlannerStatistics({ db, clock, failed: (error) => failures.push(error) });
    await statistics.start();
    expect(await believed(db)).toBe(200);

    await addTenants(db, 200, 20_000);
    clock.advance(23 * 3_600_000);
    expect(await believed(db)).toBe(200);
    clock.advance(3_600_000);
    // One connection: what is asked now waits for what runs.
    await expect.poll(() => believed(db)).toBeGreaterThan(10_000);

    await statistics.stop();
    await addTenants(db, 20_000, 400_000);
    clock.advance(48 * 3_600_000);
    expect(await believed(db)).toBeLessThan(100_000);
    expect(failures).toEqual([]);
  } finally {
    await db.destroy();
    await rm(dataDir, { recursive: true, force: true });
  }
});
