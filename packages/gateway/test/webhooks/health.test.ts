import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EVENT_CATALOGUE } from '../../src/events/catalogue.ts';
import { DAY, HOUR, WebhookWorld } from './webhook-world.ts';

let world: WebhookWorld;
beforeEach(async () => {
  world = await WebhookWorld.create();
});
afterEach(() => world.destroy());

async function pausedEvents() {
  const rows = await world.db.selectFrom('events').selectAll().where('name', '=', 'webhook.paused').execute();
  return rows.map((row) => JSON.parse(row.data));
}

describe('410 Gone', () => {
  test('ends the endpoint: it is disabled, and what waited for it has failed', async () => {
    const { receiver, device, endpoint } = await world.connected();
    receiver.behave = () => 410;
    await world.record(device, 'a', 1, 2);
    await world.untilStates(endpoint, 'failed', 'failed');
    expect(await world.endpoint(endpoint.id)).toMatchObject({
      enabled: 0,
      state: 'gone',
      state_reason: 'the receiver answered 410 Gone',
    });
    const attempts = await world.db.selectFrom('webhook_attempts').selectAll().execute();
    expect(attempts).toHaveLength(1);
    expect(attempts[0]).toMatchObject({ status: 410, error: 'gone' });
    await world.record(device, 'a', 3);
    expect(await world.deliveries(endpoint)).toHaveLength(2);
    expect(receiver.received).toHaveLength(1);
  });

  test('the owner is told on other endpoints', async () => {
    const { receiver, caller, device } = await world.connected();
    await world.configure(caller, device, { url: `${receiver.url}?token=secret` });
    const watcher = await world.receiver();
    await world.webhooks.endpoints.create(caller, device.id, {
      url: watcher.url,
      events: ['webhook.paused'],
    });
    receiver.behave = () => 410;
    await world.record(device, 'a', 1);
    await watcher.count(1);
    expect(watcher.received[0]?.event).toMatchObject({
      event: 'webhook.paused',
      data: { state: 'gone', reason: 'status 410', url: receiver.url },
    });
  });

  test('configured again, it takes events again', async () => {
    const { receiver, caller, device, endpoint } = await world.connected();
    receiver.behave = () => 410;
    await world.record(device, 'a', 1);
    await world.untilStates(endpoint, 'failed');
    receiver.behave = () => 200;
    const again = await world.configure(caller, device, { url: receiver.url });
    expect(again).toMatchObject({ id: endpoint.id, enabled: true, state: 'active', failures: 0 });
    await world.record(device, 'a', 2);
    await world.untilStates(endpoint, 'failed', 'delivered');
  });
});

describe('failing for long', () => {
  /** The first event has then failed (13 attempts take 68 hours), the second is being tried. */
  async function failFor(days: number) {
    const made = await world.connected({ retryAttempts: 12 });
    made.receiver.behave = () => 500;
    await world.record(made.device, 'a', 1, 2);
    await world.pass(days * DAY, 5 * HOUR);
    return made;
  }

  test('is counted from the first failure, and forgotten with the first success', async () => {
    const { receiver, endpoint } = await failFor(1);
    const failing = await world.endpoint(endpoint.id);
    expect(failing.failing_since).not.toBeNull();
    expect(failing.failures).toBeGreaterThan(5);
    receiver.behave = () => 200;
    await world.pass(10 * HOUR, 5 * HOUR);
    expect(await world.endpoint(endpoint.id)).toMatchObject({ failing_since: null, failures: 0 });
  });

  test('pauses the endpoint after five days; nothing is attempted, nothing is lost', async () => {
    const { receiver, device, endpoint } = await failFor(6);
    const paused = await world.endpoint(endpoint.id);
    expect(paused).toMatchObject({ state: 'paused', enabled: 1 });
    expect(paused.state_reason).toContain('no success since');
    const asked = receiver.received.length;
    await world.record(device, 'b', 3);
    await world.pass(2 * DAY, 10 * HOUR);
    expect(receiver.received).toHaveLength(asked);
    const states = (await world.deliveries(endpoint)).map((row) => row.state);
    expect(states).toEqual(['failed', 'pending', 'pending']);
  });

  test('says so with webhook.paused, as its schema promises', async () => {
    const { endpoint, receiver } = await failFor(6);
    const [data, ...more] = await pausedEvents();
    expect(more).toEqual([]);
    expect(data).toEqual({
      webhook_id: endpoint.id,
      url: receiver.url,
      state: 'paused',
      reason: 'status 500',
      failing_since: expect.stringMatching(/^\d{4}-.*Z$/),
      failures: expect.any(Number),
    });
    expect(Object.keys(data).sort()).toEqual(
      Object.keys(EVENT_CATALOGUE['webhook.paused'].example as object).sort(),
    );
  });

  test('POST /webhook again delivers all that waited, in order', async () => {
    const { receiver, caller, device, endpoint } = await failFor(6);
    await world.record(device, 'a', 3);
    await world.record(device, 'b', 4);
    receiver.behave = () => 200;
    const before = receiver.received.length;
    await world.configure(caller, device, { url: receiver.url });
    await world.untilStates(endpoint, 'failed', 'delivered', 'delivered', 'delivered');
    const numbers = receiver.numbers().slice(before);
    expect([...numbers].sort()).toEqual([2, 3, 4]);
    expect(numbers.filter((n) => n < 4)).toEqual([2, 3]);
  });

  test('PUT enabled:true does the same', async () => {
    const { receiver, caller, endpoint } = await failFor(6);
    receiver.behave = () => 200;
    await world.webhooks.endpoints.update(caller, endpoint.id, { enabled: true });
    await world.untilStates(endpoint, 'failed', 'delivered');
  });

  test.each([
    { failures: 1, afterMs: HOUR, state: 'active' },
    { failures: 2, afterMs: HOUR - 1, state: 'active' },
    { failures: 2, afterMs: HOUR, state: 'paused' },
  ])('takes both the time and the failures: $failures in $afterMs ms', async ({
    failures,
    afterMs,
    state,
  }) => {
    await world.destroy();
    world = await WebhookWorld.create({ pauseAfterMs: HOUR, pauseAfterFailures: 2 });
    const { receiver, device, endpoint } = await world.connected({ retryAttempts: 0 });
    receiver.behave = () => 500;
    if (failures === 2) {
      await world.record(device, 'a', 1);
      await world.untilStates(endpoint, 'failed');
    }
    world.clock.advance(afterMs);
    await world.record(device, 'a', 2);
    await world.untilStates(endpoint, ...Array<string>(failures).fill('failed'));
    expect(await world.endpoint(endpoint.id)).toMatchObject({ state, failures });
  });

  test('few failures in many days do not pause', async () => {
    const { receiver, device, endpoint } = await world.connected({ retryAttempts: 0 });
    receiver.behave = () => 500;
    for (const n of [1, 2, 3]) {
      await world.record(device, 'a', n);
      await world.pass(3 * DAY, DAY);
    }
    expect(await world.endpoint(endpoint.id)).toMatchObject({ state: 'active', failures: 3 });
  });
});

describe('changing the configuration', () => {
  test('enabled: false holds back what waits, true lets it go, and nothing is enlisted meanwhile', async () => {
    const { receiver, caller, device, endpoint } = await world.connected();
    receiver.behave = () => 500;
    await world.record(device, 'a', 1);
    await world.untilAttempts(endpoint, 1);
    await world.configure(caller, device, { url: receiver.url, enabled: false });
    receiver.behave = () => 200;
    await world.record(device, 'a', 2);
    await world.pass(HOUR, HOUR);
    expect(receiver.numbers()).toEqual([1]);
    await world.configure(caller, device, { url: receiver.url });
    await world.untilStates(endpoint, 'delivered');
    expect(receiver.numbers()).toEqual([1, 1]);
  });

  test('a new URL applies at once, also to what waits', async () => {
    const { receiver, caller, device, endpoint } = await world.connected();
    receiver.behave = () => 500;
    await world.record(device, 'a', 1);
    await world.untilAttempts(endpoint, 1);
    const next = await world.receiver();
    await world.configure(caller, device, { url: next.url });
    await world.untilStates(endpoint, 'delivered');
    expect(next.numbers()).toEqual([1]);
  });

  test('other events apply to the very next one', async () => {
    const { receiver, caller, device, endpoint } = await world.connected();
    await world.record(device, 'a', 1);
    await world.configure(caller, device, { url: receiver.url, events: ['message.read'] });
    await world.record(device, 'a', 2);
    await world.recordEvent(device, 'message.read', 'a', { n: 3 });
    await world.untilStates(endpoint, 'delivered', 'delivered');
    expect(receiver.numbers()).toEqual([1, 3]);
  });

  test('a removed endpoint gets nothing more, and an attempt under way ends quietly', async () => {
    const { receiver, caller, device, endpoint } = await world.connected();
    let answered = () => {};
    const answer = new Promise<void>((resolve) => {
      answered = resolve;
    });
    receiver.behave = async () => {
      await answer;
      return 200;
    };
    await world.record(device, 'a', 1, 2);
    await receiver.count(1);
    await world.webhooks.endpoints.removeDefault(caller, device.id);
    answered();
    await world.record(device, 'a', 3);
    expect(await world.deliveries(endpoint)).toEqual([]);
    const fresh = await world.receiver();
    const second = await world.configure(caller, device, { url: fresh.url });
    await world.record(device, 'a', 4);
    await world.untilStates(second, 'delivered');
    expect(receiver.numbers()).toEqual([1]);
    expect(fresh.numbers()).toEqual([4]);
  });
});
