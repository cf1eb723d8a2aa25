/** What is marked as leaving, composed as the product does it: how a start goes on with it, and what a failure does. */
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../src/clock.ts';
import { noQuotas } from '../../src/quotas/quotas.ts';
import { composeTenancy, type TenancyRoom } from '../../src/tenancy/composition.ts';
import { addDevice, addTenant, addUser, openTestDatabase, type TestDatabase } from '../worlds/database.ts';

const NOW = Date.UTC(2026, 5, 15, 12);

let store: TestDatabase;
let clock: ManualClock;
let logged: Record<string, unknown>[];
/** Whom the parts that run were told to let go. */
let left: string[];
/** Runs before the rows of somebody go. */
let before: () => Promise<void>;

beforeEach(async () => {
  store = await openTestDatabase({ sync: 'normal' });
  clock = new ManualClock(NOW);
  logged = [];
  left = [];
  before = async () => undefined;
});
afterEach(() => store.close());

function room(): TenancyRoom {
  const tenancy = composeTenancy({
    db: store.db,
    clock,
    masterToken: 'master',
    quotas: noQuotas,
    log: pino({ level: 'info' }, { write: (line) => void logged.push(JSON.parse(line)) }),
  });
  tenancy.beforeLeaving(async (tenantId, userId) => {
    left.push(userId === undefined ? tenantId : `${tenantId} ${userId}`);
    await before();
  });
  tenancy.files({ blob: async () => undefined, kept: async () => undefined });
  return tenancy;
}

const lines = (text: string) =>
  logged
    .filter(({ msg }) => msg === text)
    .map(({ tenant_id, user_id, device_id }) => [tenant_id, user_id, device_id]);
const DONE = 'everything of it is deleted';
const AGAIN = 'it is not deleted entirely: tried again later';

const ids = async (table: 'tenants' | 'users' | 'devices') =>
  (await store.db.selectFrom(table).select('id').execute()).map(({ id }) => id).sort();
const mark = (table: 'tenants' | 'users' | 'devices', id: string) =>
  store.db.updateTable(table).set({ deleting_at: NOW }).where('id', '=', id).execute();

/** A tenant with a user who has a device. */
async function tenant() {
  const tenantId = await addTenant(store.db, NOW);
  const { userId } = await addUser(store.db, NOW, { tenantId });
  return { tenantId, userId, deviceId: await addDevice(store.db, NOW, { tenantId, userId }) };
}

test('a start goes on with who is marked, each with all that is his', async () => {
  const [all, one, alone, nobody] = [await tenant(), await tenant(), await tenant(), await tenant()];
  const { userId: stays } = await addUser(store.db, NOW, { tenantId: one.tenantId });
  await mark('tenants', all.tenantId);
  for (const { userId, deviceId } of [all, one]) {
    await mark('users', userId);
    await mark('devices', deviceId);
  }
  await mark('devices', alone.deviceId);
  const tenancy = room();
  await tenancy.step.start?.();
  await tenancy.deletions.idle();
  expect(left).toEqual([all.tenantId, `${one.tenantId} ${one.userId}`]);
  expect(lines(DONE).map(String).sort()).toEqual(
    [
      [all.tenantId, undefined, undefined],
      [one.tenantId, one.userId, undefined],
      [alone.tenantId, undefined, alone.deviceId],
    ]
      .map(String)
      .sort(),
  );
  expect(await ids('tenants')).toEqual([one.tenantId, alone.tenantId, nobody.tenantId].sort());
  expect(await ids('users')).toEqual([stays, alone.userId, nobody.userId].sort());
  expect(await ids('devices')).toEqual([nobody.deviceId]);
});

test('one that fails is tried again after a minute, and not before', async () => {
  const { tenantId } = await tenant();
  before = async () => {
    throw new Error('the disk is full');
  };
  const tenancy = room();
  expect(await tenancy.tenants.delete(tenantId)).toMatchObject({ state: 'deleting' });
  expect(lines(AGAIN)).toEqual([[tenantId, undefined, undefined]]);
  expect((await tenancy.tenants.get(tenantId)).deleting).toBe(true);
  before = async () => undefined;
  clock.advance(59_999);
  await tenancy.deletions.idle();
  expect(await ids('tenants')).toEqual([tenantId]);
  clock.advance(1);
  await tenancy.deletions.idle();
  expect(await ids('tenants')).toEqual([]);
  expect(lines(DONE)).toHaveLength(1);
});

test('a stop ends it without a word, and the next start goes on', async () => {
  const { tenantId } = await tenant();
  await mark('tenants', tenantId);
  let goOn: () => void = () => undefined;
  before = () => new Promise((resolve) => (goOn = resolve));
  const tenancy = room();
  await tenancy.step.start?.();
  const stopping = tenancy.step.stop?.();
  goOn();
  await stopping;
  expect([lines(AGAIN), lines(DONE)]).toEqual([[], []]);
  clock.advance(60_000);
  await tenancy.deletions.idle();
  expect([left.length, await ids('tenants')]).toEqual([1, [tenantId]]);
  before = async () => undefined;
  const next = room();
  await next.step.start?.();
  await next.deletions.idle();
  expect(await ids('tenants')).toEqual([]);
});

test('asked for twice at once it is done once, and later again', async () => {
  const { tenantId, userId } = await tenant();
  const tenancy = room();
  const leaver = { tenantId, userId };
  expect(await Promise.all([tenancy.deletions.begin(leaver), tenancy.deletions.begin(leaver)])).toEqual([
    'deleted',
    'deleted',
  ]);
  expect(left).toHaveLength(1);
  await tenancy.deletions.begin(leaver);
  expect(left).toHaveLength(2);
});

test('of one tenant several may leave at once', async () => {
  const { tenantId, userId } = await tenant();
  const { userId: second } = await addUser(store.db, NOW, { tenantId });
  const { userId: stays } = await addUser(store.db, NOW, { tenantId });
  const others = await addDevice(store.db, NOW, { tenantId, userId: stays });
  const tenancy = room();
  const leavers = [{ userId }, { userId: second }, { userId: stays, deviceId: others }];
  const ends = leavers.map((leaver) => tenancy.deletions.begin({ tenantId, ...leaver }));
  expect(await Promise.all(ends)).toEqual(['deleted', 'deleted', 'deleted']);
  expect([await ids('users'), await ids('devices')]).toEqual([[stays], []]);
});

test('who is changed is authenticated anew', async () => {
  const { tenantId, userId } = await tenant();
  const tenancy = room();
  const admin = { tenantId, userId, role: 'admin' as const };
  const made = { email: 'a@example.com', password: 'correct horse', role: 'user' as const, webhookUrl: null };
  const { user, token } = await tenancy.users.create(admin, made);
  expect(await tenancy.authentication.authenticate(token)).toMatchObject({ role: 'user' });
  await tenancy.users.update(admin, user.id, { role: 'manager' });
  expect(await tenancy.authentication.authenticate(token)).toMatchObject({ role: 'manager' });
});

test('a start that cannot find out who was leaving says so', async () => {
  await store.db.schema.alterTable('tenants').renameTo('away').execute();
  await room().step.start?.();
  expect(lines('it is not known who was being deleted')).toHaveLength(1);
  await store.db.schema.alterTable('away').renameTo('tenants').execute();
});
