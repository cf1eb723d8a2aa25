import type { Phone } from '@wuts/sandbox';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until, World } from '../end-to-end/harness.ts';

const STORED = 60;
const LIVE = 10;

let world: World;
let shop: Phone;
let contact: Phone;
let deviceId: string;

beforeEach(async () => {
  world = await World.create();
  shop = await world.sandbox.createPhone({ number: '5511999998001', name: 'Shop' });
  contact = await world.sandbox.createPhone({ number: '5511999998002', name: 'Contact' });
  deviceId = await world.linkByQr(await world.tenant('order'), shop);
});
afterEach(() => world.destroy());

test('what is written as the device comes back does not overtake what waited for it', async () => {
  const companion = `${shop.number}:${shop.companions[0]}@s.whatsapp.net`;
  await world.gateway.stop();
  await world.sandbox.waitForOffline(companion);
  const sent: string[] = [];
  const write = async (text: string) => {
    await contact.sendText(shop, text);
    sent.push(text);
  };
  for (let n = 1; n <= STORED; n += 1) await write(`stored ${n}`);
  const [last] = await Promise.all([
    world.sandbox.waitForOnline(companion).then(async () => {
      for (let n = 1; n <= LIVE; n += 1) await write(`live ${n}`);
      return world.sandbox.pendingFor(companion);
    }),
    world.restartGateway(),
  ]);
  // Otherwise there was nothing left to overtake.
  expect(last).toBeGreaterThan(LIVE);
  const received = () =>
    world.gateway.parts.db
      .selectFrom('events')
      .select('data')
      .where('device_id', '=', deviceId)
      .where('name', '=', 'message.received')
      .orderBy('seq')
      .execute();
  await until('everything is stored', async () => (await received()).length === STORED + LIVE);
  const told = (await received()).map(({ data }) => (JSON.parse(data) as { content: string }).content);
  expect(told).toEqual(sent);
});
