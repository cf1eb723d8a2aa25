/** A contact whom WhatsApp calls by LID today and by number tomorrow is one person, in one order. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Receiver } from '../../webhooks/receiver.ts';
import { type Api, type Json, until, World } from '../harness.ts';

let world: World;
let receiver: Receiver;
let api: Api;
let shop: Phone;

beforeAll(async () => {
  world = await World.create({ settings: { WUTS_ALLOW_NETWORKS: '127.0.0.0/8' } });
  receiver = await Receiver.start();
  shop = await world.sandbox.createPhone({ number: '5511955570001', name: 'Shop' });
  const token = await world.tenant('names');
  api = world.as(token);
  await world.linkByQr(token, shop);
});
afterAll(async () => {
  await world.destroy();
  await receiver.stop();
});

const configure = () =>
  api.post('/webhook', { webhook_url: receiver.url, enabled_events: ['message.received'] });

const pending = async (): Promise<Json[]> =>
  (await api.get('/webhook/deliveries?state=pending')).body.deliveries;

test.each([
  ['LID', 'number', 'lid', 'pn', '5511955570002'],
  ['number', 'LID', 'pn', 'lid', '5511955570003'],
] as const)('known by %s at first, by %s as well later', async (_, _later, first, second, number) => {
  const yuri = await world.sandbox.createPhone({ number, name: 'Yuri' });
  await configure();
  receiver.behave = () => 503;
  const asked = receiver.received.length;
  world.sandbox.faults.hideOtherName(yuri.number);
  await yuri.sendText(shop, 'Y1', { addressing: first });
  await receiver.count(asked + 1);
  await yuri.sendText(shop, 'Y2', { addressing: first });
  await until('two wait', async () => (await pending()).length === 2);
  world.sandbox.faults.hideOtherName(yuri.number, false);
  await yuri.sendText(shop, 'Y3', { addressing: second });
  await until('three wait', async () => (await pending()).length === 3);
  expect(new Set((await pending()).map((delivery) => delivery.order_key))).toEqual(new Set([yuri.lid]));
  receiver.behave = () => 200;
  const before = receiver.received.length;
  await configure();
  await until('nothing waits', async () => (await pending()).length === 0);
  const contents = receiver.received.slice(before).map(({ event }) => (event.data as Json).content);
  expect(contents).toEqual(['Y1', 'Y2', 'Y3']);
});
