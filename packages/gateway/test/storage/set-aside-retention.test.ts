/** What was set aside is told before it goes, and goes by age and by size, each tenant by itself. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../src/clock.ts';
import { StoredCredentials } from '../../src/storage/credentials.ts';
import {
  type KeptAside,
  type SetAsideParts,
  SetAsideRetention,
} from '../../src/storage/set-aside-retention.ts';
import { type DeviceIds, TestStore } from './stored.ts';

const DAY = 24 * 3_600_000;
const BOUNDS = { ageMs: 10 * DAY, bytes: 10_000 };

let store: TestStore;
let clock: ManualClock;
let retention: SetAsideRetention;
let device: DeviceIds;
let soon: KeptAside[];
let dropped: { tenantId: string; rows: number }[];

beforeAll(async () => {
  store = await TestStore.open();
});
afterAll(() => store.close());
beforeEach(async () => {
  await store.db.deleteFrom('inbound_journal').execute();
  clock = new ManualClock(Date.UTC(2026, 5, 15));
  soon = [];
  dropped = [];
  device = await store.device();
  retention = new SetAsideRetention(partsOf());
});

function partsOf(): SetAsideParts {
  return {
    db: store.db,
    clock,
    bounds: BOUNDS,
    soon: (what) => soon.push(what),
    dropped: (what) => dropped.push(what),
    failed: (error) => {
      throw error;
    },
  };
}

async function setAside(owner: DeviceIds, id: string, bytes = 500): Promise<void> {
  const { db, vault } = store;
  const credentials = new StoredCredentials({ db, vault, clock, device: owner });
  const row = { id, stanza: new Uint8Array(bytes), plaintext: new Uint8Array(0), receivedAt: clock.now() };
  await credentials.write([], [row]);
  await credentials.setAside(id, 'RangeError');
}

async function kept(): Promise<string[]> {
  const rows = await store.db.selectFrom('inbound_journal').select('id').orderBy('id').execute();
  return rows.map(({ id }) => id);
}

test('by age, told when it comes near', async () => {
  await setAside(device, 'a');
  clock.advance(2 * DAY);
  await setAside(device, 'b');
  await retention.sweep();
  expect([soon, dropped]).toEqual([[], []]);
  clock.advance(7 * DAY);
  await retention.sweep();
  await retention.sweep();
  expect(soon).toEqual([
    { tenantId: device.tenantId, rows: 2, bytes: expect.any(Number), oldestAt: clock.now() - 9 * DAY },
  ]);
  expect(await kept()).toEqual(['a', 'b']);
  clock.advance(DAY + 1);
  await retention.sweep();
  expect(dropped).toEqual([{ tenantId: device.tenantId, rows: 1 }]);
  expect(await kept()).toEqual(['b']);
});

test('by size, the oldest first, and of that tenant alone', async () => {
  const other = await store.device();
  await setAside(other, 'other');
  for (const id of ['a', 'b', 'c']) {
    await setAside(device, id, 3000);
    clock.advance(1000);
  }
  await retention.sweep();
  expect(soon.map(({ tenantId, rows }) => [tenantId, rows])).toEqual([[device.tenantId, 3]]);
  await setAside(device, 'd', 3000);
  await retention.sweep();
  expect(dropped).toEqual([{ tenantId: device.tenantId, rows: 1 }]);
  expect(await kept()).toEqual(['b', 'c', 'd', 'other']);
});

test('what waits to be stored is never dropped', async () => {
  const { db, vault } = store;
  const credentials = new StoredCredentials({ db, vault, clock, device });
  const row = { id: 'w', stanza: new Uint8Array(50_000), plaintext: new Uint8Array(0), receivedAt: 1 };
  await credentials.write([], [row]);
  clock.advance(100 * DAY);
  await retention.sweep();
  expect(await kept()).toEqual(['w']);
});

test('many at once go in batches', async () => {
  for (let n = 0; n < 230; n += 1) await setAside(device, `${n}`, 10);
  clock.advance(11 * DAY);
  retention.start();
  await retention.stop();
  // A stop lets the batch under way end.
  expect(dropped).toEqual([{ tenantId: device.tenantId, rows: 200 }]);
  await new SetAsideRetention(partsOf()).sweep();
  expect(await kept()).toEqual([]);
});
