/** What WhatsApp refuses of chats' settings, or does not answer: one mapping, and the list stays as it was. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Api, until, untilReceived, World } from '../harness.ts';

let world: World;
let api: Api;
let shop: Phone;
let contact: Phone;

beforeAll(async () => {
  world = await World.create({ patience: { ackTimeoutMs: 1_500, queryTimeoutMs: 1_500 } });
  const token = await world.tenant('chats-refused');
  shop = await world.sandbox.createPhone({ number: '5511933350001', name: 'Shop' });
  contact = await world.sandbox.createPhone({ number: '5511933350002', name: 'Contact' });
  await world.linkByQr(token, shop);
  api = world.as(token);
  await untilReceived(api, (await contact.sendText(shop, 'an order')).id);
});
afterAll(() => world?.destroy());

const chat = async () => (await api.get(`/chats/${contact.number}`)).body.chat;

test.each([
  [400, 422],
  [401, 422],
  [403, 422],
  [404, 404],
  [405, 422],
  [409, 422],
  [410, 404],
  [429, 429],
  [500, 502],
  [503, 502],
  ['silence', 504],
] as const)('a refusal with %s is answered %i', async (code, expected) => {
  const path = `/chats/${contact.number}`;
  const changes = [
    () => api.post(`${path}/pin`),
    () => api.delete(`${path}/pin`),
    () => api.post(`${path}/mute`, { muted: true }),
    () => api.post(`${path}/archive`, { archived: true }),
    () => api.post(`${path}/unread`),
    () => api.post(`${path}/clear`),
    () => api.delete(path),
  ];
  await until('the device is connected', async () => (await api.post('/connect')).status === 200);
  const before = await chat();
  expect(before.last_message.content).toBe('an order');
  world.sandbox.faults.refuseQuestions(code, { xmlns: 'w:sync:app:state' });
  // A change that is not answered costs the connection, whichever it was.
  for (const change of code === 'silence' ? changes.slice(0, 1) : changes) {
    const { status, body } = await change();
    expect(status, JSON.stringify(body)).toBe(expected);
  }
  world.sandbox.faults.clear();
  expect(await chat()).toEqual(before);
});
