import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { VERSION } from '../../src/version.ts';
import { DAY, eventDevice, gate, HOUR, MINUTE, SCHEDULE, WebhookWorld } from './webhook-world.ts';

let world: WebhookWorld;
beforeEach(async () => {
  world = await WebhookWorld.create();
});
afterEach(() => world.destroy());

const range = (length: number) => Array.from({ length }, (_, index) => index);

describe('what is sent', () => {
  test('the envelope, with the headers of the delivery and those of the configuration', async () => {
    const { receiver, device, endpoint } = await world.connected({ headers: { 'X-Tenant-Id': 'acme' } });
    await world.record(device, 'chat', 1);
    await world.untilStates(endpoint, 'delivered');
    const [delivery] = await world.deliveries(endpoint);
    const [got] = receiver.received;
    expect(got?.event).toEqual({
      id: delivery?.event_id,
      event: 'message.received',
      timestamp: Math.floor(world.clock.now() / 1000),
      device_id: device.id,
      user_id: device.userId,
      data: { n: 1 },
    });
    expect(got?.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': `WUTS/${VERSION}`,
      'webhook-id': delivery?.event_id,
      'webhook-timestamp': String(Math.floor(world.clock.now() / 1000)),
      'x-wuts-event': 'message.received',
      'x-wuts-delivery': delivery?.id,
      'x-wuts-attempt': '1',
      'x-tenant-id': 'acme',
    });
    expect(got?.headers).not.toHaveProperty('webhook-signature');
    expect(got?.headers).not.toHaveProperty('x-wuts-signature');
  });

  test('every header of the configuration, those that we would set ourselves as well', async () => {
    const headers = {
      'User-Agent': 'acme/1',
      'Content-Type': 'application/json; charset=utf-8',
      'Accept-Encoding': 'identity',
      'Proxy-Authorization': 'Basic eDp5',
      'Webhook-Route': 'eu',
      'X-Wuts-Tenant': 'acme',
      'X-Empty': '',
    };
    const { receiver, device, endpoint } = await world.connected({ headers });
    await world.record(device, 'chat', 1);
    await world.untilStates(endpoint, 'delivered');
    const asSent = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
    expect(receiver.received[0]?.headers).toMatchObject(Object.fromEntries(asSent));
  });

  test('only events that are subscribed to, and nothing that is quiet', async () => {
    const { receiver, device, endpoint } = await world.connected();
    await world.recordEvent(device, 'message.read', 'chat', { n: 1 });
    await world.db.transaction().execute((trx) =>
      world.outbox.record(trx, eventDevice(device), {
        name: 'message.received',
        orderKey: 'chat',
        data: { n: 2 },
        quiet: true,
      }),
    );
    await world.record(device, 'chat', 3);
    await world.untilStates(endpoint, 'delivered');
    expect(receiver.numbers()).toEqual([3]);
  });

  test('nothing of a transaction that was rolled back', async () => {
    const { receiver, device, endpoint } = await world.connected();
    const failing = world.db.transaction().execute(async (trx) => {
      const event = { name: 'message.received', orderKey: 'chat', data: { n: 1 } } as const;
      await world.outbox.record(trx, eventDevice(device), event);
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    await world.record(device, 'chat', 2);
    await world.untilStates(endpoint, 'delivered');
    expect(receiver.numbers()).toEqual([2]);
  });

  test('to every endpoint of the device, each by its own events', async () => {
    const { receiver, caller, device } = await world.connected();
    const other = await world.receiver();
    const second = await world.webhooks.endpoints.create(caller, device.id, {
      url: other.url,
      events: ['message.received', 'message.read'],
    });
    await world.record(device, 'chat', 1);
    await world.recordEvent(device, 'message.read', 'chat', { n: 2 });
    await world.untilStates(second, 'delivered', 'delivered');
    await receiver.count(1);
    expect(receiver.numbers()).toEqual([1]);
    expect(other.numbers()).toEqual([1, 2]);
  });

  test('not to other devices, users or tenants', async () => {
    const mine = await world.connected();
    const neighbour = await world.device(mine.caller);
    const stranger = await world.connected();
    await world.record(neighbour.device, 'chat', 1);
    await world.record(stranger.device, 'chat', 2);
    await world.record(mine.device, 'chat', 3);
    await world.untilStates(mine.endpoint, 'delivered');
    await world.untilStates(stranger.endpoint, 'delivered');
    expect(mine.receiver.numbers()).toEqual([3]);
    expect(stranger.receiver.numbers()).toEqual([2]);
  });
});

describe('order', () => {
  test('each chat in its order, chats side by side', async () => {
    const { receiver, device, endpoint } = await world.connected();
    const chats = range(6).map((index) => `chat ${index}`);
    for (const n of range(25))
      for (const chat of chats) await world.recordEvent(device, 'message.received', chat, { n, chat });
    await receiver.count(150);
    for (const chat of chats) {
      const numbers = receiver.numbers(({ event }) => (event.data as { chat: string }).chat === chat);
      expect(numbers).toEqual(range(25));
    }
    await world.until(async () =>
      (await world.deliveries(endpoint)).every((row) => row.state === 'delivered'),
    );
  });

  test('more of one chat than fits into one turn', async () => {
    const { receiver, device } = await world.connected();
    await world.record(device, 'chat', ...range(100));
    await receiver.count(100);
    expect(receiver.numbers()).toEqual(range(100));
  });

  test('a delivery that fails holds up its chat and no other', async () => {
    const { receiver, device, endpoint } = await world.connected();
    let broken = true;
    receiver.behave = ({ event }) => (broken && (event.data as { n: number }).n === 1 ? 503 : 200);
    await world.record(device, 'a', 1, 2, 3);
    await world.record(device, 'b', 4, 5);
    await world.untilStates(endpoint, 'pending', 'pending', 'pending', 'delivered', 'delivered');
    expect(receiver.numbers()).toEqual(expect.arrayContaining([1, 4, 5]));
    broken = false;
    await world.untilAttempts(endpoint, 1);
    world.clock.advance(5000);
    await world.untilStates(endpoint, ...Array<string>(5).fill('delivered'));
    expect(receiver.numbers(({ event }) => (event.data as { n: number }).n <= 3)).toEqual([1, 1, 2, 3]);
  });

  test('after its last attempt it has failed, and the chat goes on', async () => {
    const { receiver, device, endpoint } = await world.connected({ retryAttempts: 1 });
    receiver.behave = ({ event }) => ((event.data as { n: number }).n === 1 ? 500 : 200);
    await world.record(device, 'a', 1, 2);
    await world.untilAttempts(endpoint, 1);
    world.clock.advance(5000);
    await world.untilStates(endpoint, 'failed', 'delivered');
    expect(receiver.numbers()).toEqual([1, 1, 2]);
  });
});

describe('the schedule', () => {
  test('5 s, 30 s, 5 min, 30 min, 2 h, 5 h, then every 10 h', async () => {
    const { receiver, device, endpoint } = await world.connected({ retryAttempts: 12 });
    receiver.behave = () => 500;
    await world.record(device, 'chat', 1);
    for (const [index, wait] of SCHEDULE.entries()) {
      const { state, dueIn } = await world.untilAttempts(endpoint, index + 1);
      expect([state, dueIn]).toEqual(['pending', wait]);
      world.clock.advance(wait);
    }
    expect((await world.untilAttempts(endpoint, 13)).state).toBe('failed');
    expect(receiver.received).toHaveLength(13);
    const attempts = await world.db.selectFrom('webhook_attempts').selectAll().orderBy('id').execute();
    expect(attempts.map((row) => row.attempt)).toEqual(range(13).map((index) => index + 1));
    expect(attempts[0]).toMatchObject({ status: 500, error: 'status', response_head: 'answer 500' });
  });

  test('what becomes due while the worker looks for what is due', async () => {
    const { receiver, device, endpoint } = await world.connected();
    receiver.behave = () => (receiver.received.length === 1 ? 500 : 200);
    await world.record(device, 'chat', 1);
    const { dueIn } = await world.untilAttempts(endpoint, 1);
    await world.settled();
    // The timer is a millisecond early, as timers may be: the time comes while the worker looks.
    const due = world.clock.now() + dueIn;
    let readings = 0;
    world.clock.now = () => due - (readings++ === 0 ? 1 : 0);
    world.clock.advance(dueIn);
    await world.until(async () => {
      world.clock.advance(0);
      return (await world.deliveries(endpoint))[0]?.state === 'delivered';
    });
  });

  test('the same event id at each attempt, a new timestamp', async () => {
    const { receiver, device, endpoint } = await world.connected();
    receiver.behave = () => (receiver.received.length === 1 ? 500 : 200);
    await world.record(device, 'chat', 1);
    await world.untilAttempts(endpoint, 1);
    world.clock.advance(5000);
    await world.untilStates(endpoint, 'delivered');
    const [first, second] = receiver.received;
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    expect(Number(second?.headers['webhook-timestamp']) - Number(first?.headers['webhook-timestamp'])).toBe(
      5,
    );
    expect(second?.headers['x-wuts-attempt']).toBe('2');
    expect(second?.text).toBe(first?.text);
  });

  test.each([
    ['120', 120_000],
    ['1', 5000],
    ['999999', DAY],
    ['soon', 5000],
    ['in 5 minutes', 5000],
  ])('Retry-After: %s', async (header, wait) => {
    const { receiver, device, endpoint } = await world.connected();
    receiver.behave = (_request, response) => {
      response.setHeader('retry-after', header);
      return 429;
    };
    await world.record(device, 'chat', 1);
    expect((await world.untilAttempts(endpoint, 1)).dueIn).toBe(wait);
  });

  test('Retry-After as a date', async () => {
    const { receiver, device, endpoint } = await world.connected();
    const at = new Date(world.clock.now() + 10 * MINUTE).toUTCString();
    receiver.behave = (_request, response) => {
      response.setHeader('retry-after', at);
      return 503;
    };
    await world.record(device, 'chat', 1);
    expect((await world.untilAttempts(endpoint, 1)).dueIn).toBe(10 * MINUTE);
  });

  test('Retry-After holds back the other chats of the endpoint too', async () => {
    const { receiver, device, endpoint } = await world.connected();
    receiver.behave = (_request, response) => {
      response.setHeader('retry-after', '60');
      return 429;
    };
    await world.record(device, 'a', 1);
    await world.untilAttempts(endpoint, 1);
    receiver.behave = () => 200;
    await world.record(device, 'b', 2);
    world.clock.advance(59_000);
    await world.until(async () => (await world.deliveries(endpoint)).length === 2);
    expect(receiver.numbers()).toEqual([1]);
    world.clock.advance(1000);
    await world.untilStates(endpoint, 'delivered', 'delivered');
  });
});

describe('what counts as failure', () => {
  test.each([200, 204, 299])('%i is success, whatever its Retry-After', async (status) => {
    const { receiver, device, endpoint } = await world.connected();
    receiver.behave = (_request, response) => {
      response.setHeader('retry-after', '60');
      return status;
    };
    await world.record(device, 'chat', 1);
    await world.untilStates(endpoint, 'delivered');
    await world.record(device, 'other', 2);
    await world.untilStates(endpoint, 'delivered', 'delivered');
  });

  test.each([
    [300, 'redirect'],
    [399, 'redirect'],
    [400, 'status'],
    [500, 'status'],
  ])('%i is none: %s', async (status, error) => {
    const { receiver, device, endpoint } = await world.connected();
    receiver.behave = () => status;
    await world.record(device, 'chat', 1);
    await world.untilAttempts(endpoint, 1);
    expect(await lastError()).toEqual({ status, error });
  });

  test('a redirect, which is not followed', async () => {
    const { receiver, device, endpoint } = await world.connected();
    const elsewhere = await world.receiver();
    receiver.behave = (_request, response) => {
      response.setHeader('location', elsewhere.url);
      return 307;
    };
    await world.record(device, 'chat', 1);
    await world.untilAttempts(endpoint, 1);
    expect(elsewhere.received).toHaveLength(0);
    expect(await lastError()).toEqual({ status: 307, error: 'redirect' });
  });

  test('no answer within the timeout', async () => {
    const { receiver, device, endpoint } = await world.connected({ timeoutSeconds: 10 });
    const { opened, open } = gate();
    receiver.behave = async () => {
      await opened;
      return 200;
    };
    await world.record(device, 'chat', 1);
    await receiver.count(1);
    world.clock.advance(10_000);
    await world.untilAttempts(endpoint, 1);
    expect(await lastError()).toEqual({ status: null, error: 'timeout' });
    open();
  });

  test('nobody listening', async () => {
    const { receiver, device, endpoint } = await world.connected();
    await receiver.stop();
    await world.record(device, 'chat', 1);
    await world.untilAttempts(endpoint, 1);
    expect(await lastError()).toEqual({ status: null, error: 'refused' });
  });

  test('a connection that is cut', async () => {
    const { receiver, device, endpoint } = await world.connected();
    receiver.behave = (_request, response) => {
      response.destroy();
      return undefined;
    };
    await world.record(device, 'chat', 1);
    await world.untilAttempts(endpoint, 1);
    expect(await lastError()).toEqual({ status: null, error: 'reset' });
  });

  test('an address that is not public, however its name got there', async () => {
    const { device, endpoint } = await world.connected();
    const set = { url: 'http://[::1]:9/hook' };
    await world.db.updateTable('webhook_endpoints').set(set).where('id', '=', endpoint.id).execute();
    await world.record(device, 'chat', 1);
    await world.untilAttempts(endpoint, 1);
    expect(await lastError()).toEqual({ status: null, error: 'blocked_address' });
  });

  test('but neither a large nor a compressed answer: its status counts', async () => {
    const { receiver, device, endpoint } = await world.connected();
    receiver.behave = (_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end(Buffer.alloc(3_000_000, 'x'));
      return undefined;
    };
    await world.record(device, 'chat', 1);
    await world.untilStates(endpoint, 'delivered');
    const row = await world.db.selectFrom('webhook_attempts').selectAll().executeTakeFirstOrThrow();
    expect(row.response_head).toBe('x'.repeat(1024));
  });

  async function lastError() {
    const row = await world.db
      .selectFrom('webhook_attempts')
      .select(['status', 'error'])
      .orderBy('id', 'desc')
      .executeTakeFirstOrThrow();
    return row;
  }
});

describe('time is the driven clock alone', () => {
  test('a receiver that is down for two days gets everything, in order', async () => {
    const { receiver, device, endpoint } = await world.connected({ retryAttempts: 12 });
    receiver.behave = () => 502;
    for (const hour of range(48)) {
      await world.record(device, `chat ${hour % 3}`, hour);
      await world.pass(HOUR, 15 * MINUTE);
    }
    receiver.behave = () => 200;
    const back = receiver.received.length;
    await world.pass(10 * HOUR, HOUR);
    expect((await world.deliveries(endpoint)).every((row) => row.state === 'delivered')).toBe(true);
    for (const chat of range(3)) {
      const numbers = receiver.received
        .slice(back)
        .map(({ event }) => (event.data as { n: number }).n)
        .filter((n) => n % 3 === chat);
      expect(numbers).toEqual(range(16).map((index) => index * 3 + chat));
    }
  });
});
