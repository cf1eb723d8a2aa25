import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EVENT_CATALOGUE } from '../../src/events/catalogue.ts';
import type { EndpointInput } from '../../src/webhooks/endpoint-input.ts';
import { PARKED } from '../../src/webhooks/queue.ts';
import { DAY, gate, HOUR, WebhookWorld } from './webhook-world.ts';

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

  test('changed, but not switched on again, it stays paused', async () => {
    const { receiver, caller, endpoint } = await failFor(6);
    receiver.behave = () => 200;
    const asked = receiver.received.length;
    const changed = await world.webhooks.endpoints.update(caller, endpoint.id, { timeoutSeconds: 7 });
    expect(changed).toMatchObject({ state: 'paused', enabled: true, timeoutSeconds: 7 });
    await world.pass(HOUR, HOUR);
    expect(receiver.received).toHaveLength(asked);
    expect((await world.deliveries(endpoint))[1]?.state).toBe('pending');
  });

  test('a receiver that answers nothing is paused for the reason of its last attempt', async () => {
    await world.destroy();
    world = await WebhookWorld.create({ pauseAfterMs: 0, pauseAfterFailures: 1 });
    const { receiver, device, endpoint } = await world.connected();
    await receiver.stop();
    await world.record(device, 'a', 1);
    await world.until(async () => (await world.endpoint(endpoint.id)).state === 'paused');
    expect(await pausedEvents()).toMatchObject([{ state: 'paused', reason: 'refused', failures: 1 }]);
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

  test('a retry that was decided on while it was switched off waits as well', async () => {
    const { receiver, caller, device, endpoint } = await world.connected();
    const { opened, open } = gate();
    receiver.behave = () => opened.then(() => 500);
    await world.record(device, 'a', 1);
    await receiver.count(1);
    await world.configure(caller, device, { url: receiver.url, enabled: false });
    open();
    expect(await world.untilAttempts(endpoint, 1)).toEqual({ state: 'pending', dueIn: 5000 });
    const errors = () =>
      world.base.logLines.map((line) => JSON.parse(line)).filter(({ level }) => level > 40);
    world.clock.advance(5000);
    await world.until(
      async () => (await world.deliveries(endpoint))[0]?.next_attempt_at === PARKED || errors().length > 0,
    );
    expect(errors()).toEqual([]);
    expect(receiver.numbers()).toEqual([1]);
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

  /** An endpoint whose receiver keeps the first request waiting, until it answers `answer`. */
  async function held(answer: number, input: Partial<EndpointInput> = {}, headers = {}) {
    const made = await world.connected(input);
    const { opened, open } = gate();
    made.receiver.behave = async (_request, response) => {
      await opened;
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value as string);
      return answer;
    };
    await world.record(made.device, 'a', 1, 2);
    await made.receiver.count(1);
    return { ...made, answer: open };
  }

  test.each([
    { retryAttempts: 3, status: 410 },
    { retryAttempts: 0, status: 500 },
  ])('what the former URL answers late, $status, does nothing to the present one', async (each) => {
    const { caller, device, endpoint, answer } = await held(each.status, each, { 'retry-after': '3600' });
    const present = await world.receiver();
    await world.configure(caller, device, { url: present.url });
    answer();
    await world.untilStates(endpoint, 'delivered', 'delivered');
    expect(present.numbers()).toEqual([1, 2]);
    expect(await world.endpoint(endpoint.id)).toMatchObject({
      enabled: 1,
      state: 'active',
      failures: 0,
      failing_since: null,
    });
    expect(await pausedEvents()).toEqual([]);
    const attempts = await world.db
      .selectFrom('webhook_attempts')
      .select(['attempt', 'status'])
      .orderBy('id')
      .execute();
    expect(attempts).toEqual([
      { attempt: 1, status: each.status },
      { attempt: 2, status: 200 },
      { attempt: 1, status: 200 },
    ]);
  });

  test('what the former URL takes late is delivered, and the failures of the present one stay', async () => {
    const { caller, device, endpoint, answer } = await held(200);
    const present = await world.receiver();
    present.behave = ({ event }) => ((event.data as { n: number }).n === 3 ? 500 : 200);
    await world.configure(caller, device, { url: present.url });
    await world.record(device, 'b', 3);
    await present.count(1);
    await world.until(async () => (await world.endpoint(endpoint.id)).failures === 1);
    // The next one of the chat waits: its success would be the present one's.
    present.behave = () => 500;
    answer();
    await world.untilStates(endpoint, 'delivered', 'pending', 'pending');
    await present.count(2);
    expect(present.numbers().sort()).toEqual([2, 3]);
    await world.until(async () => (await world.endpoint(endpoint.id)).failures === 2);
  });

  test.each([
    ['another secret', 'active', { secret: 'new' }],
    ['no secret', 'active', { secret: null }],
    ['another header', 'active', { headers: { 'X-Route': 'b' } }],
    ['no headers', 'active', { headers: {} }],
    ['the same values', 'gone', { secret: 'old', headers: { 'X-Route': 'a' } }],
    ['other events', 'gone', { events: ['message.received', 'message.read'] }],
  ])('%s: a late 410 leaves it %s', async (_, state, change) => {
    const { receiver, caller, device, endpoint, answer } = await held(410, {
      secret: 'old',
      headers: { 'X-Route': 'a' },
    });
    await world.configure(caller, device, { url: receiver.url, ...change });
    answer();
    await world.until(async () => (await world.endpoint(endpoint.id)).state === 'gone' || state === 'active');
    receiver.behave = () => 200;
    const end = state === 'active' ? 'delivered' : 'failed';
    await world.untilStates(endpoint, end, end);
    expect((await world.endpoint(endpoint.id)).state).toBe(state);
  });

  test('switched off and on again, what was answered before counts for nothing', async () => {
    const { receiver, caller, device, endpoint, answer } = await held(410);
    await world.configure(caller, device, { url: receiver.url, enabled: false });
    await world.configure(caller, device, { url: receiver.url });
    receiver.behave = () => 200;
    answer();
    await world.untilStates(endpoint, 'delivered', 'delivered');
    expect((await world.endpoint(endpoint.id)).state).toBe('active');
  });

  test('another URL begins with a clean record, and with all retries for what waits', async () => {
    const { receiver, caller, device, endpoint } = await world.connected({ retryAttempts: 1 });
    receiver.behave = () => 500;
    await world.record(device, 'a', 1);
    await world.untilAttempts(endpoint, 1);
    expect(await world.endpoint(endpoint.id)).toMatchObject({ failures: 1 });
    const next = await world.receiver();
    const { opened, open } = gate();
    next.behave = () => opened.then(() => 500);
    const moved = await world.configure(caller, device, { url: next.url });
    expect(moved).toMatchObject({ failures: 0, failingSince: null });
    open();
    expect(await world.untilAttempts(endpoint, 2)).toEqual({ state: 'pending', dueIn: 5000 });
    expect(await world.endpoint(endpoint.id)).toMatchObject({ failures: 1 });
    world.clock.advance(5000);
    expect((await world.untilAttempts(endpoint, 3)).state).toBe('failed');
    expect(next.received.map(({ headers }) => headers['x-wuts-attempt'])).toEqual(['2', '3']);
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
