import { afterEach, beforeEach, expect, test } from 'vitest';
import { Patience } from '../../src/webhooks/expiry.ts';
import { problems } from '../events/schema.ts';
import { WebhookApi } from './webhook-api.ts';
import { DAY, MINUTE, type WebhookWorld } from './webhook-world.ts';

let api: WebhookApi;
let world: WebhookWorld;
beforeEach(async () => {
  api = await WebhookApi.create();
  world = api.world;
});
afterEach(() => api.destroy());

const look = () => world.webhooks.expiry.look();

async function notices(): Promise<object[]> {
  const rows = await world.db
    .selectFrom('events')
    .selectAll()
    .where('name', '=', 'webhook.expiring')
    .orderBy('seq')
    .execute();
  for (const row of rows) expect(problems('webhook.expiring', JSON.parse(row.data))).toEqual([]);
  return rows.map((row) => JSON.parse(row.data));
}

/** An endpoint of a shop whose receiver fails; what is recorded for it waits. */
async function failing() {
  const { caller, device } = await api.shop();
  const receiver = await world.receiver();
  receiver.behave = () => 500;
  const endpoint = await world.configure(caller, device, {
    url: `${receiver.url}?token=1`,
    retryAttempts: 12,
  });
  const show = async () => (await api.call(caller, 'GET', `/webhooks/${endpoint.id}`)).body.webhook;
  const set = (enabled: boolean) =>
    world.configure(caller, device, { url: `${receiver.url}?token=1`, enabled });
  return { caller, device, receiver, endpoint, show, set };
}

const rfc = (ms: number) => new Date(ms).toISOString();

test('what waits for a disabled endpoint is shown, told of three days before, and expires', async () => {
  const { caller, device, receiver, endpoint, show, set } = await failing();
  expect((await show()).waiting).toBeNull();
  const began = world.clock.now();
  await world.record(device, 'a', 1);
  await world.untilAttempts(endpoint, 1);
  await set(false);
  const waiting = { deliveries: 1, since: rfc(began), expires_at: rfc(began + 30 * DAY) };
  expect((await show()).waiting).toEqual(waiting);
  expect((await api.call(caller, 'GET', '/webhook')).body.webhook.waiting).toEqual(waiting);
  expect((await api.call(caller, 'GET', '/webhooks')).body.webhooks[0].waiting).toEqual(waiting);

  world.clock.advance(27 * DAY - 1);
  await look();
  expect(await notices()).toEqual([]);
  world.clock.advance(1);
  await look();
  const notice = {
    webhook_id: endpoint.id,
    url: receiver.url,
    enabled: false,
    state: 'active',
    waiting: 1,
    waiting_since: rfc(began),
    expires_at: rfc(began + 30 * DAY),
  };
  expect(await notices()).toEqual([notice]);

  world.clock.advance(3 * DAY - 1);
  await look();
  await world.untilStates(endpoint, 'pending');
  world.clock.advance(1);
  await look();
  await world.untilStates(endpoint, 'expired');
  expect(await notices()).toEqual([notice]);
  expect((await show()).waiting).toBeNull();
  const log = await api.call(caller, 'GET', '/webhook/deliveries?state=expired');
  expect(log.body.deliveries).toMatchObject([
    { webhook_id: endpoint.id, state: 'expired', waits_for: null, next_attempt_at: null },
  ]);
  expect(log.body.deliveries[0].finished_at).not.toBeNull();
  expect(await world.registry.metrics()).toContain('wuts_webhook_deliveries_total{outcome="expired"} 1');
});

test('an expired one can be delivered again, and goes with its event like any other', async () => {
  const { caller, device, receiver, endpoint, set } = await failing();
  await world.record(device, 'a', 1);
  await world.untilAttempts(endpoint, 1);
  await set(false);
  for (const days of [27, 3]) {
    world.clock.advance(days * DAY);
    await look();
  }
  await world.untilStates(endpoint, 'expired');
  const [expired] = await world.deliveries(endpoint);
  receiver.behave = () => 200;
  await world.webhooks.deliveries.redeliver(caller, expired?.id ?? '');
  await set(true);
  await world.untilStates(endpoint, 'expired', 'delivered');
});

test('nothing expires before its owner was told for as long, also after a gateway was off', async () => {
  const { device, endpoint, show, set } = await failing();
  await world.record(device, 'a', 1);
  await world.untilAttempts(endpoint, 1);
  await set(false);
  world.clock.advance(90 * DAY);
  expect(Date.parse((await show()).waiting.expires_at)).toBe(world.clock.now() + 3 * DAY);
  await look();
  expect(await notices()).toHaveLength(1);
  world.clock.advance(3 * DAY - 1);
  await look();
  await world.untilStates(endpoint, 'pending');
  world.clock.advance(1);
  await look();
  await world.untilStates(endpoint, 'expired');
});

test('the younger ones stay; the next of a chat goes on when its head expires', async () => {
  const { device, receiver, endpoint } = await failing();
  await world.record(device, 'a', 1, 2);
  await world.untilAttempts(endpoint, 1);
  world.clock.advance(1000);
  await world.record(device, 'a', 3);
  // As if the receiver failed for all of it: the retries of a real one end sooner.
  await world.db
    .updateTable('webhook_deliveries')
    .set({ next_attempt_at: world.clock.now() + 60 * DAY })
    .where('attempts', '=', 1)
    .execute();
  world.clock.advance(27 * DAY - 1000);
  await look();
  receiver.behave = () => 200;
  world.clock.advance(3 * DAY);
  await look();
  await world.untilStates(endpoint, 'expired', 'expired', 'delivered');
  expect(receiver.numbers()).toEqual([1, 3]);
});

test('once all is delivered the notice is forgotten: the next time the owner is told again', async () => {
  const { device, receiver, endpoint, set } = await failing();
  for (const n of [1, 2]) {
    receiver.behave = () => 500;
    await world.record(device, 'a', n);
    await world.until(async () => (await world.deliveries(endpoint)).at(-1)?.attempts === 1);
    await set(false);
    world.clock.advance(28 * DAY);
    await look();
    expect(await notices()).toHaveLength(n);
    receiver.behave = () => 200;
    await set(true);
    await world.untilStates(endpoint, ...Array<string>(n).fill('delivered'));
    await look();
  }
});

test('more than one batch expires in one look, and only of the endpoint that waits', async () => {
  const { device, endpoint, set } = await failing();
  const other = await failing();
  await world.record(device, 'a', 1);
  await world.untilAttempts(endpoint, 1);
  await set(false);
  const [first] = await world.deliveries(endpoint);
  if (!first) throw new Error('nothing waits');
  const rows = Array.from({ length: 600 }, (_, n) => ({ ...first, id: `copy ${n}`, order_key: `chat ${n}` }));
  for (let n = 0; n < rows.length; n += 100) {
    await world.db
      .insertInto('webhook_deliveries')
      .values(rows.slice(n, n + 100))
      .execute();
  }
  world.clock.advance(27 * DAY);
  await world.record(other.device, 'a', 2);
  await look();
  world.clock.advance(3 * DAY);
  await look();
  const states = await world.db
    .selectFrom('webhook_deliveries')
    .select((eb) => ['endpoint_id', 'state', eb.fn.countAll().as('count')])
    .groupBy(['endpoint_id', 'state'])
    .execute();
  expect(states).toEqual(
    expect.arrayContaining([
      { endpoint_id: endpoint.id, state: 'expired', count: 601 },
      { endpoint_id: other.endpoint.id, state: 'pending', count: 1 },
    ]),
  );
  expect(states).toHaveLength(2);
});

test('it looks by itself every ten minutes', async () => {
  const { device, endpoint, set } = await failing();
  await world.record(device, 'a', 1);
  await world.untilAttempts(endpoint, 1);
  await set(false);
  await world.until(async () => {
    world.clock.advance(10 * MINUTE);
    return (await notices()).length === 1;
  });
});

test('a stop ends a look before the next endpoint, and no other follows', async () => {
  const { device, endpoint, set } = await failing();
  await world.record(device, 'a', 1);
  await world.untilAttempts(endpoint, 1);
  await set(false);
  world.clock.advance(28 * DAY);
  const looking = look();
  await world.stop();
  await looking;
  world.clock.advance(10 * MINUTE);
  expect(await notices()).toEqual([]);
});

test('a delivery waits as long as the longer retention, and its owner hears of it a quarter of that before', () => {
  for (const retention of [
    { eventMs: 4 * DAY, failedMs: 2 * DAY },
    { eventMs: 2 * DAY, failedMs: 4 * DAY },
  ]) {
    const patience = new Patience(retention);
    expect(patience.warningMs).toBe(DAY);
    expect(patience.overdue(10 * DAY)).toBe(6 * DAY);
    expect(patience.expiresAt(10 * DAY, 11 * DAY)).toBe(14 * DAY);
    expect(patience.expiresAt(10 * DAY, 14 * DAY)).toBe(15 * DAY);
  }
  expect(new Patience({ eventMs: DAY, failedMs: 30 * DAY }).warningMs).toBe(3 * DAY);
});
