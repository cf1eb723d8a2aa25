import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestStore } from './stored.ts';

/** SQLite asks it about every part of a statement that is being prepared. */
let asked = 0;
const database = new DatabaseSync(':memory:') as DatabaseSync & {
  /** Of Node 24.10, which the types do not have yet. */
  setAuthorizer(allow: () => number): void;
};
let store: TestStore;
beforeAll(async () => {
  store = await TestStore.open();
  database.exec('create table parcels (id text, house text, state text, at integer)');
  database.exec("create index waiting on parcels (house, at) where state = 'waiting'");
  database.setAuthorizer(() => {
    asked += 1;
    return 0;
  });
});
afterAll(async () => {
  database.close();
  await store.close();
});

/** Prepares what the gateway would prepare, and runs it with values that differ each time. */
function preparations({ sql, parameters }: { sql: string; parameters: readonly unknown[] }): number {
  const statement = database.prepare(sql);
  asked = 0;
  for (let run = 0; run < 10; run += 1) {
    statement.all(...parameters.map((each) => (typeof each === 'number' ? each + run : `${each} ${run}`)));
  }
  return asked;
}

const PARCELS = 'parcels' as never;
const column = (name: string) => name as never;

test.each([
  ['a limit', () => store.db.selectFrom(PARCELS).select(column('id')).limit(5)],
  [
    'a column that a partial index speaks of',
    () =>
      store.db
        .selectFrom(PARCELS)
        .select(column('id'))
        .where(column('house'), '=', 'a' as never)
        .where(column('state'), '=', 'waiting' as never),
  ],
])('a statement with %s is prepared once, whatever is bound', (_, query) => {
  expect(preparations(query().compile())).toBe(0);
});
