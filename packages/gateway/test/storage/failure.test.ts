import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DATABASE_FILE, openDatabase } from '../../src/storage/database.ts';
import { isStorageFailure, StorageFailure, storageFailure } from '../../src/storage/failure.ts';
import { TestStore } from './stored.ts';

let store: TestStore;
beforeEach(async () => {
  store = await TestStore.open();
});
afterEach(() => store.close());

const pragma = (text: string) => sql.raw(`pragma ${text}`).execute(store.db);
const write = (id: string, size = 0) =>
  store.db
    .insertInto('blobs')
    .values({ sha256: id.padEnd(size, 'x'), size, created_at: 0, last_used_at: 0 })
    .execute();

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  );
}

test('a full, a locked, a read-only and a closed store say that it is the store', async () => {
  const kinds: (string | undefined)[] = [];
  const fails = async (work: Promise<unknown>): Promise<void> => {
    kinds.push(storageFailure(await failureOf(work))?.kind);
  };
  await pragma('max_page_count = 1');
  await fails(write('large', 100_000));
  await pragma('max_page_count = 1000000');
  await pragma('query_only = 1');
  await fails(write('read-only'));
  await pragma('query_only = 0');

  await pragma('busy_timeout = 1');
  const other = await openDatabase({ dataDir: store.dataDir });
  await other.transaction().execute(async () => {
    await fails(write('locked'));
    await fails(store.db.transaction().execute(async () => undefined));
  });
  await other.destroy();
  const closed = await openDatabase({ dataDir: store.dataDir });
  await sql`select 1`.execute(closed);
  const running = closed.transaction().execute(async (trx) => {
    void closed.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    await sql`select 1`.execute(trx);
  });
  await fails(running);
  expect(kinds).toEqual(['full', 'read_only', 'busy', 'busy', 'closed']);
});

test('a store that cannot be opened says so', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'wuts-failure-'));
  await mkdir(join(dataDir, DATABASE_FILE));
  expect(storageFailure(await failureOf(openDatabase({ dataDir })))?.kind).toBe('cannot_open');
  await rm(dataDir, { recursive: true, force: true });
});

test('what is wrong with a query is none of the store', async () => {
  await write('once');
  expect(isStorageFailure(await failureOf(write('once')))).toBe(false);
  expect(isStorageFailure(await failureOf(sql`select nothing`.execute(store.db)))).toBe(false);
});

test('it is found behind what wraps it', () => {
  const failure = new StorageFailure('io', new Error('disk'));
  expect(storageFailure(new Error('outer', { cause: new Error('inner', { cause: failure }) }))).toBe(failure);
  const circle = new Error('a');
  circle.cause = circle;
  expect(isStorageFailure(circle)).toBe(false);
  expect(isStorageFailure('text')).toBe(false);
});
