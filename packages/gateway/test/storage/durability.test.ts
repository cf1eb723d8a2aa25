import { fstatSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DATABASE_FILE, deferred, durable, openDatabase, type SyncMode } from '../../src/storage/database.ts';
import { type StorageFailure, storageFailure } from '../../src/storage/failure.ts';
import type { Database } from '../../src/storage/schema.ts';

/** A disk whose syncs are let go by hand. */
class SlowDisk {
  readonly waiting: { resolve(): void; reject(error: Error): void }[] = [];
  readonly synced: number[] = [];
  #arrived: () => void = () => undefined;

  readonly sync = (descriptor: number): Promise<void> => {
    this.synced.push(fstatSync(descriptor).ino);
    const done = new Promise<void>((resolve, reject) => this.waiting.push({ resolve, reject }));
    this.#arrived();
    return done;
  };

  /** Resolves once a sync waits to be let go. */
  async asked(): Promise<void> {
    if (this.waiting.length > 0) return;
    await new Promise<void>((resolve) => {
      this.#arrived = resolve;
    });
  }

  finish(): void {
    this.waiting.shift()?.resolve();
  }

  fail(): void {
    this.waiting.shift()?.reject(new Error('EIO'));
  }
}

let dataDir: string;
let disk: SlowDisk;
let db: Kysely<Database>;
let lost: StorageFailure[];

async function open(sync: SyncMode): Promise<void> {
  lost = [];
  db = await openDatabase({
    dataDir,
    sync,
    syncFile: disk.sync,
    onSyncFailed: (failure) => lost.push(failure),
  });
}

const put = (to: Kysely<Database>, value: number) => sql`insert into t values (${value})`.execute(to);

/** What another process sees: committed values alone. */
async function stored(): Promise<unknown[]> {
  const other = await openDatabase({ dataDir });
  const { rows } = await sql<{ v: number }>`select v from t order by v`.execute(other);
  await other.destroy();
  return rows.map((row) => row.v);
}

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'wuts-durability-'));
  disk = new SlowDisk();
  await open('normal');
  await sql`create table t (v integer)`.execute(db);
  await db.destroy();
});
afterEach(async () => {
  await db.destroy();
  await rm(dataDir, { recursive: true, force: true });
});

describe('a commit with sync full', () => {
  it('resolves when the write-ahead log is on the disk, not earlier', async () => {
    await open('full');
    let resolved = false;
    const written = db
      .transaction()
      .execute((trx) => put(trx, 1))
      .then(() => {
        resolved = true;
      });
    await disk.asked();
    // Committed for others, and still not reported.
    expect(await stored()).toEqual([1]);
    expect(resolved).toBe(false);
    disk.finish();
    await written;
    expect(disk.synced).toEqual([statSync(join(dataDir, `${DATABASE_FILE}-wal`)).ino]);
  });

  it('shares its sync with those that were made meanwhile', async () => {
    await open('full');
    const first = put(db, 1);
    await disk.asked();
    const others = [2, 3, 4, 5].map((value) => put(db, value));
    await sql`select 1`.execute(db);
    expect(await stored()).toEqual([1, 2, 3, 4, 5]);
    disk.finish();
    await first;
    await disk.asked();
    disk.finish();
    await Promise.all(others);
    expect(disk.synced).toHaveLength(2);
  });

  it('rejects when the disk does, and nothing is durable from then on, whatever the next sync says', async () => {
    await open('full');
    const first = put(db, 1);
    await disk.asked();
    await put(deferred(db), 2);
    const second = durable(db);
    disk.fail();
    await expect(first).rejects.toThrow('EIO');
    await expect(second).rejects.toThrow('EIO');
    const failure = await put(db, 3).catch((error: unknown) => error);
    expect(storageFailure(failure)?.kind).toBe('io');
    await expect(durable(db)).rejects.toThrow('EIO');
    expect(disk.waiting).toEqual([]);
    expect(lost).toHaveLength(1);
    expect(await stored()).toEqual([1, 2]);
  });

  it('of a deferred writer resolves at once, and `durable` waits for the disk', async () => {
    await open('full');
    await put(deferred(db), 1);
    expect(await stored()).toEqual([1]);
    expect(disk.synced).toEqual([]);
    let onDisk = false;
    const waiting = durable(db).then(() => {
      onDisk = true;
    });
    await disk.asked();
    expect(onDisk).toBe(false);
    disk.finish();
    await waiting;
    await durable(db);
    expect(disk.synced).toHaveLength(1);
  });
});

it('with sync normal waits for no disk', async () => {
  await open('normal');
  await put(db, 1);
  await durable(db);
  expect(disk.synced).toEqual([]);
});

it('undoes a transaction that fails, and goes on', async () => {
  await open('normal');
  const failing = db.transaction().execute(async (trx) => {
    await put(trx, 1);
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  await Promise.all([2, 3].map((value) => db.transaction().execute((trx) => put(trx, value))));
  expect(await stored()).toEqual([2, 3]);
});
