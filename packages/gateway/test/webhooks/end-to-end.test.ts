/** From a phone's message on the simulated network to the receiver, through the whole gateway. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until, World } from '../end-to-end/harness.ts';
import { Receiver } from './receiver.ts';

let world: World;
let receiver: Receiver;
let token: string;
let deviceId: string;
let friend: Phone;
let shop: Phone;

beforeAll(async () => {
  world = await World.create({
    sandbox: { companionRegRefresh: 'never' },
    settings: { WUTS_ALLOW_NETWORKS: '127.0.0.0/8' },
  });
  receiver = await Receiver.start();
  shop = await world.sandbox.createPhone({ number: '5511999993001', name: 'Shop' });
  friend = await world.sandbox.createPhone({ number: '5511999993002', name: 'Friend' });
  await shop.past.fill(friend, 3);
});
afterAll(async () => {
  await world?.destroy();
  await receiver?.stop();
});

const named = (name: string) => receiver.received.filter(({ event }) => event.event === name);

async function untilNamed(name: string, count: number): Promise<void> {
  for (let least = receiver.received.length; named(name).length < count; least += 1) {
    await receiver.count(least + 1);
  }
}

test('the address given at registration is applied when the device connects', async () => {
  const registered = await world.master.post('/register', {
    tenant_name: 'shop',
    email: 'admin@shop.example',
    password: 'correct horse battery',
    webhook_url: receiver.url,
  });
  expect(registered.body).toMatchObject({
    webhook_configured: true,
    webhook_url: receiver.url,
    note: 'Webhook will be auto-configured when WhatsApp device is connected',
  });
  token = registered.body.token;
  deviceId = await world.linkByQr(token, shop);
  await untilNamed('device.connected', 1);
  expect(receiver.received[0]?.event).toMatchObject({ event: 'device.connected', device_id: deviceId });
  const { body } = await world.as(token).get('/devices');
  expect(body.devices[0].webhook_url).toBe(receiver.url);
});

test('the history that the phone sends is pushed, a piece at a time', async () => {
  const told = () =>
    named('history.sync').flatMap(({ event }) => (event.data as { messages: object[] }).messages);
  for (let count = 1; told().length < 3; count += 1) await untilNamed('history.sync', count);
  expect(told()).toHaveLength(3);
  expect(named('message.received')).toEqual([]);
});

test('messages arrive in the order in which they were sent', async () => {
  const texts = Array.from({ length: 20 }, (_, index) => `message ${index}`);
  for (const text of texts) await friend.sendText(shop.number, text);
  await untilNamed('message.received', texts.length);
  const contents = named('message.received').map(({ event }) => (event.data as { content: string }).content);
  expect(contents).toEqual(texts);
});

test('what the receiver missed while it was down comes after a restart of the gateway', async () => {
  const before = named('message.received').length;
  // Back with the new secret, however often it is tried before.
  receiver.behave = ({ event }) => (event.signature ? 200 : 503);
  const sent = await friend.sendText(shop.number, 'are you there?');
  await untilNamed('message.received', before + 1);
  await world.restartGateway();
  await world.as(token).post('/webhook', {
    webhook_url: receiver.url,
    enabled_events: ['message.received'],
    secret: 'a new secret',
  });
  const tried = () => named('message.received').slice(before);
  const again = await until('it is signed', async () => tried().find(({ event }) => event.signature)?.event);
  receiver.behave = () => 200;
  expect(again).toMatchObject({ id: tried()[0]?.event.id, data: { message_id: sent.id } });
  expect(again.signature).toMatch(/^sha256=[0-9a-f]{64}$/);
});

test('the metrics tell what came in and what was delivered', async () => {
  // Of this process: the one after the restart.
  const page = await until('a delivery is counted', async () => {
    const text = (await world.as(null).get('/metrics')).bytes.toString('utf8');
    return /wuts_webhook_deliveries_total\{outcome="delivered"\} [1-9]/.test(text) && text;
  });
  expect(page).toContain('wuts_inbound_journal_messages 0');
  await friend.sendText(shop.number, 'one more');
  await until('it is counted', async () => {
    const text = (await world.as(null).get('/metrics')).bytes.toString('utf8');
    return text.includes('wuts_inbound_messages_total{outcome="stored"} 1');
  });
  await world.as(token).get('/messages/unknown/media');
  const after = (await world.as(null).get('/metrics')).bytes.toString('utf8');
  expect(after).toContain('wuts_media_requests_total{outcome="message_not_found"} 1');
});
