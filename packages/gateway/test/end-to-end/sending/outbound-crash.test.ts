import type { Phone } from '@wuts/sandbox';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { GatewayProcess } from '../gateway-process.ts';
import { Api, type Json, MASTER_TOKEN, until, type World } from '../harness.ts';
import { openShop } from '../shop.ts';

let world: World;
let token: string;
let deviceId: string;
let shop: Phone;
let contact: Phone;
let killed: GatewayProcess | null = null;

beforeEach(async () => {
  ({ world, token, deviceId, shop, contact } = await openShop({ tenant: 'crash' }));
});
afterEach(async () => {
  await killed?.kill().catch(() => undefined);
  await world.destroy();
});

/** Sends over a gateway that never sees the ack, and dies. */
async function sendAndDie(key: string, body: object): Promise<string> {
  await world.gateway.stop();
  killed = await GatewayProcess.on(world, MASTER_TOKEN);
  const api = new Api(killed.url, token);
  await until('the device is connected', async () => {
    const status = await api.get(`/status?device_id=${deviceId}`);
    return status.body.data.connected === true;
  });
  world.sandbox.faults.silenceAck(1, { number: shop.number });
  const before = shop.inbox.length;
  const outcome = api.post('/send/text', body, { 'idempotency-key': key }).then(
    (answer) => `answered ${answer.status}`,
    () => 'cut off',
  );
  // Our own phone gets its copy once the network has routed the message.
  const copy = await until('the network took it', async () =>
    shop.inbox.slice(before).find((message) => message.kind === 'text'),
  );
  await killed.kill();
  killed = null;
  expect(await outcome).toBe('cut off');
  await world.restartGateway();
  return copy.id;
}

test('a send whose ack the crash took is pending, then delivered by its receipt, and never sent twice', async () => {
  await contact.goOffline();
  const body = { number: contact.number, text: 'only once' };
  const id = await sendAndDie('order-1', body);
  const api = world.as(token);
  const status = (await api.get(`/messages/${id}/status`)).body;
  expect(status).toMatchObject({ status: 'pending' });
  const { events } = (await api.get('/events?limit=1000')).body;
  const failed = events.filter(({ data }: Json) => data.message_id === id);
  expect(failed.map(({ event }: Json) => event)).not.toContain('message.failed');

  await world.untilConnected(token, deviceId);
  await contact.goOnline();
  await contact.waitForMessage((message) => message.id === id);
  await until('the receipt outranks it', async () => {
    return (await api.get(`/messages/${id}/status`)).body.status === 'delivered';
  });
  const again = await api.post('/send/text', body, { 'idempotency-key': 'order-1' });
  expect([again.status, again.body.message_id]).toEqual([200, id]);
  const marker = await api.post('/send/text', { number: contact.number, text: 'next' });
  await contact.waitForMessage((message) => message.id === marker.body.message_id);
  expect(contact.inbox.filter((message) => message.text === 'only once')).toHaveLength(1);
});

test('the repeated request is sent under the same id, which the recipient shows once', async () => {
  await contact.goOffline();
  const body = { number: contact.number, text: 'shown once' };
  const id = await sendAndDie('order-2', body);
  const api = world.as(token);
  await world.untilConnected(token, deviceId);
  const again = await api.post('/send/text', body, { 'idempotency-key': 'order-2' });
  expect([again.status, again.body.message_id]).toEqual([200, id]);
  expect((await api.get(`/messages/${id}/status`)).body.status).toBe('pending');
  await contact.goOnline();
  await until('it is delivered', async () => {
    return (await api.get(`/messages/${id}/status`)).body.status === 'delivered';
  });
  expect(contact.conversation(shop).filter((message) => message.text === 'shown once')).toHaveLength(1);
});
