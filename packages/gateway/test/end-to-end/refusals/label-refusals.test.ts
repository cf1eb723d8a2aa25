/** What WhatsApp refuses of labels, or does not answer: one mapping, and nothing is kept of it. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Api, type Json, until, untilReceived, World } from '../harness.ts';

let world: World;
let api: Api;
let contact: Phone;
let label: string;
let message: string;

beforeAll(async () => {
  world = await World.create({ patience: { ackTimeoutMs: 1_500, queryTimeoutMs: 1_500 } });
  const token = await world.tenant('labels-refused');
  const shop = await world.sandbox.createPhone({ number: '5511933340001', name: 'Shop' });
  contact = await world.sandbox.createPhone({ number: '5511933340002', name: 'Contact' });
  await shop.becomeBusiness({ name: 'Shop' });
  await world.linkByQr(token, shop);
  api = world.as(token);
  message = await untilReceived(api, (await contact.sendText(shop, 'an order')).id);
  label = (await api.post('/labels', { name: 'Paid' })).body.label.id;
});
afterAll(() => world?.destroy());

test.each([
  [400, 422],
  [403, 422],
  [404, 404],
  [409, 422],
  [429, 429],
  [500, 502],
  [503, 502],
  ['silence', 504],
] as const)('a refusal with %s is answered %i', async (code, expected) => {
  const changes = [
    () => api.post('/labels', { name: 'Refused' }),
    () => api.call('PATCH', `/labels/${label}`, { name: 'Refused' }),
    () => api.put(`/labels/${label}/chats/${contact.number}`, undefined),
    () => api.put(`/labels/${label}/messages/${message}`, undefined),
    () => api.delete(`/labels/${label}`),
  ];
  // A change that is not answered costs the connection, whichever it was.
  for (const change of code === 'silence' ? changes.slice(0, 1) : changes) {
    await until('the device is connected', async () => (await api.post('/connect')).status === 200);
    world.sandbox.faults.refuseQuestions(code, { xmlns: 'w:sync:app:state' });
    const { status, body } = await change();
    world.sandbox.faults.clear();
    expect(status, JSON.stringify(body)).toBe(expected);
  }
  const { labels } = (await api.get('/labels')).body;
  expect(labels.map(({ name, chats, messages }: Json) => [name, chats, messages])).toEqual([['Paid', 0, 0]]);
});
