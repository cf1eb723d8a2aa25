/** Who calls, as it is known and remembered; and what the platform's owner sees of all tenants. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../src/clock.ts';
import { Authentication } from '../../src/tenancy/authentication.ts';
import type { Caller } from '../../src/tenancy/caller.ts';
import { Tenants } from '../../src/tenancy/tenants.ts';
import { hashToken } from '../../src/tenancy/tokens.ts';
import { addDevice, addTenant, addUser, openTestDatabase, type TestDatabase } from '../worlds/database.ts';

const NOW = Date.UTC(2026, 5, 15, 12);

let store: TestDatabase;
let authentication: Authentication;
let user: Caller;
let token: string;

beforeAll(async () => {
  store = await openTestDatabase({ sync: 'normal' });
});
afterAll(() => store.close());
beforeEach(async () => {
  authentication = new Authentication(store.db, 'master');
  user = await addUser(store.db, NOW, { tenantId: await addTenant(store.db, NOW), role: 'manager' });
  token = randomUUID();
  await change({ token_hash: hashToken(token) });
});

const change = (to: { token_hash?: string; active?: number; role?: Caller['role'] }) =>
  store.db.updateTable('users').set(to).where('id', '=', user.userId).execute();
const FORBIDDEN = expect.objectContaining({ code: 'FORBIDDEN' });

test('a token is known in either case, and another one is not', async () => {
  for (const text of [token, token.toUpperCase()])
    expect(await authentication.authenticate(text)).toEqual(user);
  for (const text of [randomUUID(), '', 'master']) expect(await authentication.authenticate(text)).toBeNull();
  expect(['master', 'Master', token].map((text) => authentication.isMasterToken(text))).toEqual([
    true,
    false,
    false,
  ]);
});

test('what is remembered of a caller is forgotten with a change, and who asked for that is told', async () => {
  const told: string[] = [];
  authentication.onChange((tenantId) => told.push(tenantId));
  await authentication.authenticate(token);
  await change({ role: 'user' });
  authentication.forget(user.tenantId);
  expect(await authentication.authenticate(token)).toEqual({ ...user, role: 'user' });
  expect(told).toEqual([user.tenantId]);
});

test('what was read before a change is not remembered after it', async () => {
  const reading = authentication.authenticate(token);
  authentication.forget(user.tenantId);
  expect(await reading).toEqual(user);
  await change({ active: 0 });
  await expect(authentication.authenticate(token)).rejects.toEqual(FORBIDDEN);
});

test('a stored request acts with the rights that its user has today', async () => {
  const { tenantId, userId } = user;
  await change({ role: 'admin' });
  expect(await authentication.callerById(tenantId, userId)).toEqual({ ...user, role: 'admin' });
  expect(await authentication.callerById(await addTenant(store.db, NOW), userId)).toBeNull();
  expect(await authentication.callerById(tenantId, randomUUID())).toBeNull();
  await change({ active: 0 });
  expect(await authentication.callerById(tenantId, userId)).toBeNull();
});

test('the console finds users by id or address, in any tenant, but none that is leaving', async () => {
  const tenants = platform();
  const find = async (text: string) => (await tenants.findUsers(text)).map(({ id }) => id);
  for (const text of [user.userId, ` ${user.userId}@EXAMPLE.com`])
    expect(await find(text)).toEqual([user.userId]);
  expect(await find(randomUUID())).toEqual([]);
  await store.db.updateTable('users').set({ deleting_at: NOW }).where('id', '=', user.userId).execute();
  expect(await find(user.userId)).toEqual([]);
});

test('devices are counted by what they are in, and those that may begin no chats', async () => {
  const tenants = platform();
  const [one, other] = [await addDevice(store.db, NOW, user), await addDevice(store.db, NOW, user)];
  await addDevice(store.db, NOW, user);
  await store.db
    .updateTable('devices')
    .set({ state: 'disconnected', state_reason: 'logged_out', limit_until: NOW })
    .where('id', 'in', [one, other])
    .where('tenant_id', '=', user.tenantId)
    .execute();
  expect((await tenants.devicesByState()).sort((a, b) => a.count - b.count)).toEqual([
    { state: 'connected', reason: 'created', count: 1 },
    { state: 'disconnected', reason: 'logged_out', count: 2 },
  ]);
  expect([await tenants.limitedDevices(NOW - 1), await tenants.limitedDevices(NOW)]).toEqual([2, 0]);
});

const platform = () =>
  new Tenants({ db: store.db, clock: new ManualClock(NOW), deletions: { begin: async () => 'deleted' } });
