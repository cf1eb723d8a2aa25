import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HotQuery, slotsOf } from '../../src/storage/hot-query.ts';
import type { Database } from '../../src/storage/schema.ts';
import { TestStore } from './stored.ts';

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.open();
});
afterAll(() => store.close());

let built = 0;
const INSERT = new HotQuery<Database['blobs'], unknown>((db, row) => {
  built += 1;
  return db
    .insertInto('blobs')
    .values(slotsOf(row, ['sha256', 'size', 'created_at', 'last_used_at']))
    .onConflict((conflict) => conflict.doNothing());
});
const BETWEEN = new HotQuery<{ size: number; created: number }, { sha256: string }>((db, { size, created }) =>
  db
    .selectFrom('blobs')
    .select('sha256')
    .where((eb) => eb.or([eb('size', '=', size), eb('last_used_at', '=', size)]))
    .where('created_at', '>', created)
    .where('sha256', '!=', 'never')
    .orderBy('sha256'),
);

const blob = (sha256: string, size: number, at: number) => ({
  sha256,
  size,
  created_at: at,
  last_used_at: at,
});

describe('a hot query', () => {
  it('is built once and takes its parameters each time, in a transaction too', async () => {
    expect(await INSERT.affected(store.db, blob('a', 1, 5))).toBe(1);
    await store.db.transaction().execute(async (trx) => {
      expect(await INSERT.affected(trx, blob('b', 2, 6))).toBe(1);
      expect(await INSERT.affected(trx, blob('b', 2, 6))).toBe(0);
    });
    expect(built).toBe(1);
    expect(await BETWEEN.rows(store.db, { size: 2, created: 5 })).toEqual([{ sha256: 'b' }]);
    // One parameter in two places.
    expect(await BETWEEN.rows(store.db, { size: 5, created: 4 })).toEqual([{ sha256: 'a' }]);
    expect(await BETWEEN.rows(store.db, { size: 5, created: 5 })).toEqual([]);
  });
});
