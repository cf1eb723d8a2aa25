/** For what the worker waits, and what it does when the database or an endpoint breaks. */
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventDevice, gate, WebhookWorld } from './webhook-world.ts';

let world: WebhookWorld;
beforeEach(async () => {
  world = await WebhookWorld.create();
});
afterEach(() => world.destroy());

/** How long outcomes wait for one another. */
const GATHERING_MS = 20;

/** The further waits that are asked of the clock from now on, milliseconds. `givenBack`: those that were cancelled. */
function waits(givenBack: number[] = []): number[] {
  const { clock } = world;
  const asked: number[] = [];
  const after = clock.after.bind(clock);
  clock.after = (ms, run) => {
    if (ms === GATHERING_MS) return after(ms, run);
    asked.push(ms);
    const cancel = after(ms, run);
    return () => {
      givenBack.push(ms);
      cancel();
    };
  };
  return asked;
}

/**
 * Resolves when nobody has asked for the time for many turns of the loop: whoever goes on and on would have. What
 * waits for the disk or a socket may come later.
 */
async function quiet(): Promise<void> {
  const { clock } = world;
  const now = clock.now.bind(clock);
  let turns = 0;
  clock.now = () => {
    turns = 0;
    return now();
  };
  while (turns < 100) {
    turns += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  clock.now = now;
}

const logged = (message: string) =>
  world.base.logLines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === message);

async function full(): Promise<() => Promise<void>> {
  await sql`create trigger full before insert on webhook_attempts
    begin select raise(abort, 'database or disk is full'); end`.execute(world.db);
  return async () => void (await sql`drop trigger full`.execute(world.db));
}

describe('it waits', () => {
  test('for the first retry, and asks for nothing before', async () => {
    const { receiver, device, endpoint } = await world.connected({ timeoutSeconds: 60 });
    receiver.behave = () => 500;
    const asked = waits();
    await world.record(device, 'a', 1);
    await world.untilAttempts(endpoint, 1);
    await world.until(async () => asked.length > 1);
    await quiet();
    expect(new Set(asked)).toEqual(new Set([60_000, 5000]));
    await world.record(device, 'a', 2);
    await quiet();
    expect(receiver.numbers()).toEqual([1]);
    expect(new Set(asked)).toEqual(new Set([60_000, 5000]));
  });

  test('for the first of several, also when another endpoint asked for more', async () => {
    const patient = await world.connected();
    patient.receiver.behave = (_request, response) => {
      response.setHeader('retry-after', '60');
      return 429;
    };
    await world.record(patient.device, 'a', 1);
    await world.untilAttempts(patient.endpoint, 1);
    const { receiver, device, endpoint } = await world.connected();
    receiver.behave = () => 500;
    const asked = waits();
    await world.record(device, 'a', 2);
    await world.untilAttempts(endpoint, 1);
    await world.until(async () => asked.includes(5000));
    receiver.behave = () => 200;
    world.clock.advance(5000);
    await world.untilStates(endpoint, 'delivered');
  });

  test('for nothing when all is delivered', async () => {
    const { device, endpoint } = await world.connected({ timeoutSeconds: 60 });
    const givenBack: number[] = [];
    const asked = waits(givenBack);
    await world.record(device, 'a', 1);
    await world.untilStates(endpoint, 'delivered');
    await quiet();
    expect(asked).toEqual([60_000]);
    expect(givenBack).toContain(60_000);
  });

  test('for an endpoint that asked for it, when nothing else is due', async () => {
    const { receiver, device, endpoint } = await world.connected({ retryAttempts: 0 });
    receiver.behave = (_request, response) => {
      response.setHeader('retry-after', '60');
      return 429;
    };
    await world.record(device, 'a', 1);
    await world.untilStates(endpoint, 'failed');
    receiver.behave = () => 200;
    await world.record(device, 'b', 2);
    world.clock.advance(59_999);
    await quiet();
    expect(receiver.numbers()).toEqual([1]);
    world.clock.advance(1);
    await world.untilStates(endpoint, 'failed', 'delivered');
  });
});

describe('outcomes that cannot be stored', () => {
  test('are tried after 1 s, 2 s and so on, at most 30 s', async () => {
    const { device, endpoint } = await world.connected({ timeoutSeconds: 60 });
    const empty = await full();
    const asked = waits();
    const tries = () => asked.filter((ms) => ms !== 60_000);
    await world.record(device, 'a', 1);
    const expected = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
    for (const [index, wait] of expected.entries()) {
      await world.until(async () => tries().length > index);
      expect(tries()).toEqual(expected.slice(0, index + 1));
      if (index === expected.length - 1) await empty();
      world.clock.advance(wait);
    }
    await world.untilStates(endpoint, 'delivered');
    expect(logged('webhook results could not be stored')).toHaveLength(expected.length);
  });

  test('do not hold up a stop: they are made again', async () => {
    const { receiver, device, endpoint } = await world.connected({ timeoutSeconds: 60 });
    const empty = await full();
    const asked = waits();
    await world.record(device, 'a', 1);
    for (const wait of [1000, 2000]) {
      await world.until(async () => asked.at(-1) === wait);
      world.clock.advance(wait);
    }
    // Longer than a stop takes.
    await world.until(async () => asked.at(-1) === 4000);
    await world.stop();
    await empty();
    await world.restart();
    await world.untilStates(endpoint, 'delivered');
    expect(receiver.numbers()).toEqual([1, 1]);
  });
});

test('outcomes wait a moment for one another, and no longer', async () => {
  const { receiver, device, endpoint } = await world.connected();
  const gates = [gate(), gate(), gate()];
  receiver.behave = async ({ event }) => {
    await gates[(event.data as { n: number }).n]?.opened;
    return 200;
  };
  await world.db.transaction().execute(async (trx) => {
    const data = (n: number) => ({ name: 'message.received', orderKey: 'a', data: { n } }) as const;
    for (const n of gates.keys()) await world.outbox.record(trx, eventDevice(device), data(n));
  });
  world.outbox.committed();
  gates[0]?.open();
  gates[1]?.open();
  await receiver.count(3);
  await quiet();
  expect((await world.deliveries(endpoint)).map(({ state }) => state)).toEqual(Array(3).fill('pending'));
  world.clock.advance(GATHERING_MS);
  await world.untilStates(endpoint, 'delivered', 'delivered', 'pending');
  gates[2]?.open();
  await world.untilStates(endpoint, 'delivered', 'delivered', 'delivered');
});

test.each([
  { answers: [200, 500], failures: 1 },
  { answers: [500, 200], failures: 0 },
  { answers: [200, 500, 200], failures: 0 },
  { answers: [500, 200, 500], failures: 1 },
])('of outcomes that are stored together the last ones count: $answers', async ({ answers, failures }) => {
  const { receiver, device, endpoint } = await world.connected({ timeoutSeconds: 60 });
  const gates = answers.map(() => gate());
  receiver.behave = async ({ event }) => {
    const { n } = event.data as { n: number };
    await gates[n]?.opened;
    return answers[n] ?? 200;
  };
  const attempts = async () => {
    const counter = await world.registry.getSingleMetric('wuts_webhook_attempts_total')?.get();
    return counter?.values.reduce((sum, { value }) => sum + value, 0) ?? 0;
  };
  const empty = await full();
  // What cannot be stored holds up the others.
  await world.record(device, 'first', 99);
  await world.until(async () => logged('webhook results could not be stored').length > 0);
  for (const n of answers.keys()) await world.record(device, `chat ${n}`, n);
  await receiver.count(1 + answers.length);
  for (const [n, { open }] of gates.entries()) {
    open();
    await world.until(async () => (await attempts()) === n + 2);
  }
  await empty();
  world.clock.advance(1000);
  await world.until(async () => (await world.deliveries(endpoint)).every((row) => row.attempts === 1));
  expect((await world.endpoint(endpoint.id)).failures).toBe(failures);
});

test('a failure counts for nothing once its endpoint is paused, and stands in the log like all', async () => {
  await world.destroy();
  world = await WebhookWorld.create({ pauseAfterMs: 0, pauseAfterFailures: 1 });
  const { receiver, device, endpoint } = await world.connected();
  const { opened, open } = gate();
  receiver.behave = ({ event }) => ((event.data as { n: number }).n === 1 ? 500 : opened.then(() => 500));
  await world.record(device, 'b', 2);
  await receiver.count(1);
  await world.record(device, 'a', 1);
  await world.until(async () => logged('webhook endpoint stopped').length > 0);
  open();
  await world.until(async () => (await world.deliveries(endpoint)).every((row) => row.attempts === 1));
  expect(await world.endpoint(endpoint.id)).toMatchObject({ state: 'paused', failures: 1 });
  expect(logged('webhook endpoint stopped')).toMatchObject([
    { endpoint_id: endpoint.id, device_id: device.id, reason: 'failing' },
  ]);
});

test('an endpoint whose secret cannot be opened is left alone for 5 s, and no other', async () => {
  const { receiver, device, endpoint } = await world.connected({ secret: 'secret' });
  const other = await world.connected();
  const set = (secret: Uint8Array | null) =>
    world.db.updateTable('webhook_endpoints').set({ secret }).where('id', '=', endpoint.id).execute();
  await set(new Uint8Array([1]));
  await world.record(device, 'a', 1);
  await world.record(other.device, 'a', 2);
  await world.untilStates(other.endpoint, 'delivered');
  const message = 'a webhook delivery could not be made';
  await world.until(async () => logged(message).length > 0);
  await quiet();
  expect(logged(message)).toMatchObject([{ endpoint_id: endpoint.id }]);
  await set(null);
  world.clock.advance(4999);
  await quiet();
  expect(receiver.received).toEqual([]);
  world.clock.advance(1);
  await world.untilStates(endpoint, 'delivered');
});

test('deliveries that could not be read are looked for again after 5 s', async () => {
  const { receiver, device, endpoint } = await world.connected();
  receiver.behave = () => 500;
  await world.record(device, 'a', 1);
  await world.untilAttempts(endpoint, 1);
  receiver.behave = () => 200;
  await world.stop();
  world.clock.advance(5000);
  await sql`alter table webhook_deliveries rename to away`.execute(world.db);
  await world.restart();
  const messages = [
    'due webhook deliveries could not be read',
    'webhook deliveries could not be looked through',
    'webhook deliveries that wait for too long could not be looked for',
  ];
  await world.until(async () => messages.every((message) => logged(message).length > 0));
  await quiet();
  expect(messages.map((message) => logged(message).length)).toEqual([1, 1, 1]);
  await sql`alter table away rename to webhook_deliveries`.execute(world.db);
  world.clock.advance(4999);
  await quiet();
  expect(receiver.numbers()).toEqual([1]);
  world.clock.advance(1);
  await world.untilStates(endpoint, 'delivered');
});
