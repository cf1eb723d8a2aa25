import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestStore } from './stored.ts';

const OTHER_WRITER = fileURLToPath(new URL('./other-writer.ts', import.meta.url));
const TRANSACTIONS = 100;

let store: TestStore;
beforeAll(async () => {
  store = await TestStore.open();
});
afterAll(() => store.close());

test('a transaction that reads and then writes succeeds beside another process that writes', async () => {
  const other = spawn(process.execPath, [OTHER_WRITER, store.dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(other, 'exit');
  let written = 0;
  other.stdout.on('data', (chunk: Buffer) => {
    written = Number(String(chunk).trim().split('\n').at(-1));
  });
  try {
    await once(other.stdout, 'data');
    const before = written;
    for (let n = 0; n < TRANSACTIONS || written === before; n += 1) {
      await store.db.transaction().execute(async (trx) => {
        const { read } = await trx
          .selectFrom('blobs')
          .select((is) => is.fn.countAll<number>().as('read'))
          .executeTakeFirstOrThrow();
        // The other one has its turn here, if it may.
        await new Promise((resolve) => setImmediate(resolve));
        await trx
          .insertInto('blobs')
          .values({ sha256: `mine ${n}`, size: read, created_at: 0, last_used_at: 0 })
          .execute();
      });
    }
  } finally {
    other.kill();
    await ended;
  }
  const counted = await store.db
    .selectFrom('blobs')
    .select('sha256')
    .where('sha256', 'like', 'mine %')
    .execute();
  expect(counted.length).toBeGreaterThanOrEqual(TRANSACTIONS);
});
