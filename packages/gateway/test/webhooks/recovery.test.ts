import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PARKED } from '../../src/webhooks/queue.ts';
import { gate, HOUR, MINUTE, WebhookWorld } from './webhook-world.ts';

let world: WebhookWorld;
beforeEach(async () => {
  world = await WebhookWorld.create();
});
afterEach(() => world.destroy());

const range = (length: number) => Array.from({ length }, (_, index) => index);

describe('a new process', () => {
  test('delivers what the old one left pending', async () => {
    const { receiver, device, endpoint } = await world.connected();
    receiver.behave = () => 500;
    await world.record(device, 'a', 1, 2);
    await world.untilAttempts(endpoint, 1);
    await world.restart();
    receiver.behave = () => 200;
    world.clock.advance(5000);
    await world.untilStates(endpoint, 'delivered', 'delivered');
    expect(receiver.numbers()).toEqual([1, 1, 2]);
  });

  test('makes an attempt again whose answer the old one did not wait for', async () => {
    const { receiver, device, endpoint } = await world.connected();
    const { opened, open } = gate();
    receiver.behave = async () => {
      await opened;
      return 200;
    };
    await world.record(device, 'a', 1, 2);
    await receiver.count(1);
    await world.stop();
    expect((await world.deliveries(endpoint)).map((row) => [row.state, row.attempts])).toEqual([
      ['pending', 0],
      ['pending', 0],
    ]);
    open();
    await world.restart();
    await world.untilStates(endpoint, 'delivered', 'delivered');
    expect(receiver.numbers()).toEqual([1, 1, 2]);
  });

  test('delivers events that were recorded while nothing was delivered', async () => {
    const { receiver, device, endpoint } = await world.connected();
    await world.stop();
    await world.record(device, 'a', 1, 2, 3);
    await world.restart();
    await world.untilStates(endpoint, 'delivered', 'delivered', 'delivered');
    expect(receiver.numbers()).toEqual([1, 2, 3]);
  });

  test('finds a chat whose head went missing', async () => {
    const { receiver, device, endpoint } = await world.connected();
    await world.stop();
    await world.record(device, 'a', 1, 2);
    await world.db.updateTable('webhook_deliveries').set({ next_attempt_at: PARKED }).execute();
    await world.restart();
    await world.untilStates(endpoint, 'delivered', 'delivered');
    expect(receiver.numbers()).toEqual([1, 2]);
  });

  test('a running one finds it within a quarter of an hour', async () => {
    const { device, endpoint } = await world.connected();
    await world.untilStates(endpoint);
    await world.stop();
    await world.record(device, 'a', 1);
    await world.restart();
    await world.untilStates(endpoint, 'delivered');
    await world.record(device, 'a', 2);
    await world.untilStates(endpoint, 'delivered', 'delivered');
    await world.db
      .updateTable('webhook_deliveries')
      .set({ state: 'pending', next_attempt_at: PARKED })
      .execute();
    world.clock.advance(15 * MINUTE);
    await world.untilStates(endpoint, 'delivered', 'delivered');
  });
});

describe('stopping', () => {
  test('waits for an answer that comes in time', async () => {
    const { receiver, device, endpoint } = await world.connected();
    const { opened, open } = gate();
    receiver.behave = async () => {
      await opened;
      return 200;
    };
    await world.record(device, 'a', 1, 2);
    await receiver.count(1);
    const stopped = world.webhooks.stop();
    open();
    await stopped;
    expect((await world.deliveries(endpoint)).map((row) => row.state)).toEqual(['delivered', 'pending']);
    expect(receiver.received).toHaveLength(1);
  });
});

describe('a database that fails', () => {
  test('neither loses nor repeats an outcome that could not be stored', async () => {
    const { receiver, device, endpoint } = await world.connected();
    await sql`create trigger full before insert on webhook_attempts
      begin select raise(abort, 'database or disk is full'); end`.execute(world.db);
    await world.record(device, 'a', 1, 2);
    await receiver.count(1);
    const passing = setInterval(() => world.clock.advance(1000), 5);
    await receiver.count(2);
    await sql`drop trigger full`.execute(world.db);
    await world.untilStates(endpoint, 'delivered', 'delivered');
    clearInterval(passing);
    expect(receiver.numbers()).toEqual([1, 2]);
  });
});

describe('one receiver does not stand in the way of another', () => {
  test('slow: other endpoints and, up to its share, its own other chats go on', async () => {
    const slow = await world.connected();
    const { opened, open } = gate();
    slow.receiver.behave = async ({ event }) => {
      if ((event.data as { n: number }).n < 100) await opened;
      return 200;
    };
    for (const n of range(30)) await world.record(slow.device, `chat ${n}`, n);
    const quick = await world.connected();
    await world.record(quick.device, 'chat', 1, 2, 3);
    await world.untilStates(quick.endpoint, 'delivered', 'delivered', 'delivered');
    await slow.receiver.count(8);
    expect(slow.receiver.received).toHaveLength(8);
    open();
    await slow.receiver.count(30);
    await world.until(async () => {
      return (await world.deliveries(slow.endpoint)).every((row) => row.state === 'delivered');
    });
  });

  test('many that fail slowly leave room for those that work', async () => {
    await world.destroy();
    world = await WebhookWorld.create({ concurrency: 4 });
    const { opened, open } = gate();
    const failing: Awaited<ReturnType<WebhookWorld['connected']>>[] = [];
    for (const _ of range(4)) {
      const made = await world.connected({ retryAttempts: 12 });
      made.receiver.behave = () => 500;
      for (const n of range(5)) await world.record(made.device, `chat ${n}`, n);
      failing.push(made);
    }
    await world.settled();
    for (const { receiver } of failing) {
      receiver.behave = async () => {
        await opened;
        return 500;
      };
    }
    const asked = () => failing.reduce((sum, { receiver }) => sum + receiver.received.length, 0);
    const before = asked();
    world.clock.advance(5000);
    await world.until(async () => asked() === before + 2);
    const works = await world.connected();
    await world.record(works.device, 'chat', 1, 2, 3);
    await world.untilStates(works.endpoint, 'delivered', 'delivered', 'delivered');
    expect(asked()).toBe(before + 2);
    open();
    await world.settled();
  });

  test('a receiver with a long backlog, back after hours, does not delay a new event elsewhere', async () => {
    const back = await world.connected({ retryAttempts: 12 });
    back.receiver.behave = () => 503;
    for (const chat of range(20)) await world.record(back.device, `chat ${chat}`, ...range(10));
    await world.pass(3 * HOUR, 15 * MINUTE);
    back.receiver.behave = () => 200;
    const fresh = await world.connected();
    await world.pass(5 * HOUR, HOUR);
    await world.record(fresh.device, 'chat', 1);
    await world.untilStates(fresh.endpoint, 'delivered');
    await world.settled();
    for (const chat of range(20)) {
      const rows = (await world.deliveries(back.endpoint)).filter((row) => row.order_key === `chat ${chat}`);
      expect(rows.map((row) => row.state)).toEqual(Array(10).fill('delivered'));
    }
  });
});

test('a clock that is set back keeps no receiver waiting', async () => {
  const { receiver, device, endpoint } = await world.connected();
  receiver.behave = () => 500;
  await world.record(device, 'a', 1);
  await world.untilAttempts(endpoint, 1);
  receiver.behave = () => 200;
  world.clock.setBack(HOUR);
  // Of the first retry, with its jitter.
  world.clock.advance(10_000);
  await world.untilStates(endpoint, 'delivered');
  expect(receiver.numbers()).toEqual([1, 1]);
});
