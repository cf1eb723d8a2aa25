import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Phone } from '@wuts/sandbox';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from '../../../../demo/free-port.ts';
import { AdvancingClock } from '../../src/clock.ts';
import { type Json, until, World } from '../end-to-end/harness.ts';

const HOUR = 3_600_000;
const DOWN_DAYS = 3;
const RETRIES = 5;

let world: World;
let clock: AdvancingClock;
let receiver: Receiver;
let token: string;
let deviceId: string;
let shop: Phone;
let contacts: Phone[];

/** A receiver on one port that is not always there. */
class Receiver {
  readonly texts: string[] = [];
  #server: Server | null = null;
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hook`;
  }

  async up(): Promise<void> {
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body: Json = JSON.parse(Buffer.concat(chunks).toString('utf8'));
      this.texts.push(body.data.content);
      response.writeHead(200).end();
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
  }

  async down(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (!server) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
}

beforeEach(async () => {
  clock = new AdvancingClock();
  world = await World.create({ clock, settings: { WUTS_ALLOW_NETWORKS: '127.0.0.0/8' } });
  receiver = new Receiver(await freePort());
  await receiver.up();
  token = await world.tenant('patience');
  shop = await world.sandbox.createPhone({ number: '5511999997001', name: 'Shop' });
  const numbers = ['5511999997002', '5511999997003'];
  contacts = await Promise.all(
    numbers.map((number) => world.sandbox.createPhone({ number, name: `Contact ${number.slice(-1)}` })),
  );
  deviceId = await world.linkByQr(token, shop);
  const configured = await world.as(token).post('/webhook', {
    device_id: deviceId,
    webhook_url: receiver.url,
    enabled_events: ['message.received'],
    retry_attempts: RETRIES,
  });
  expect(configured.status).toBe(200);
});
afterEach(async () => {
  await world.destroy();
  await receiver.down();
});

const deliveries = () =>
  world.gateway.parts.db
    .selectFrom('webhook_deliveries')
    .select(['state', 'attempts', 'next_attempt_at'])
    .execute();

/** Everybody writes; resolves when it is stored. */
async function write(label: string): Promise<string[]> {
  const before = (await deliveries()).length;
  const texts: string[] = [];
  for (const contact of contacts) {
    const text = `${label} of ${contact.name}`;
    await contact.sendText(shop, text);
    texts.push(text);
  }
  await until('it is stored', async () => (await deliveries()).length === before + contacts.length);
  return texts;
}

/** What is due has been tried. */
async function attempted(): Promise<void> {
  await until('what is due was tried', async () => {
    const now = clock.now();
    return (await deliveries()).every((row) => row.state !== 'pending' || Number(row.next_attempt_at) > now);
  });
}

test('a receiver that is down for days gets everything: by the schedule, and by replay', async () => {
  const since = new Date(clock.now()).toISOString();
  const expected = await write('before');
  await until('it is delivered', async () => receiver.texts.length === expected.length);

  await receiver.down();
  for (let hour = 0; hour < DOWN_DAYS * 24; hour += 3) {
    if (hour % 6 === 0) expected.push(...(await write(`hour ${hour}`)));
    await attempted();
    clock.advance(3 * HOUR);
    // The process that comes back goes on with what the former one left.
    if (hour === 36) {
      await world.restartGateway();
      await world.untilConnected(token, deviceId);
    }
  }
  await attempted();
  const down = await deliveries();
  expect(down.filter(({ state }) => state === 'failed').length).toBeGreaterThan(0);
  expect(down.filter(({ state }) => state === 'pending').length).toBeGreaterThan(0);
  expect(down.every(({ attempts }) => attempts <= RETRIES + 1)).toBe(true);

  await receiver.up();
  clock.advance(12 * HOUR);
  await until('nothing waits any more', async () =>
    (await deliveries()).every(({ state }) => state !== 'pending'),
  );
  const missing = expected.filter((text) => !receiver.texts.includes(text));
  expect(missing).toHaveLength(down.filter(({ state }) => state === 'failed').length);

  const before = receiver.texts.length;
  const replayed = await world
    .as(token)
    .post('/webhook/replay', { device_id: deviceId, from: since, missing_only: true });
  expect(replayed.status).toBe(202);
  await until('the rest is delivered', async () => expected.every((text) => receiver.texts.includes(text)));
  for (const { name } of contacts) {
    const inChat = (text: string) => text.endsWith(name);
    expect(receiver.texts.slice(before).filter(inChat)).toEqual(missing.filter(inChat));
  }
  expect([...receiver.texts].sort()).toEqual([...expected].sort());
});
