/** What WhatsApp refuses, or does not answer, of businesses, of the account's own profile and privacy, and of stories. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Api, until, untilReceived, World } from '../harness.ts';
import { jpeg } from '../samples.ts';
import { expectRefused, type Operation, REFUSALS, statusFor } from './refusal-table.ts';

const HAT = { id: '5550001', name: 'Hat' };

let world: World;
let api: Api;
let contact: Phone;
let order: { id: string; token: string };
let ordered: string;
let picture: string;
let seen: string;

beforeAll(async () => {
  world = await World.create({
    settings: { WUTS_PACE_PER_MINUTE: '0' },
    patience: { ackTimeoutMs: 2_000, queryTimeoutMs: 2_000 },
  });
  const token = await world.tenant('business-refused');
  const shop = await world.sandbox.createPhone({ number: '5511933380001', name: 'Shop' });
  contact = await world.sandbox.createPhone({ number: '5511933380002', name: 'Contact' });
  await shop.becomeBusiness({ name: 'Hats & Co', address: '1 Hat Street' });
  world.sandbox.stock(shop, {
    products: [HAT],
    collections: [{ id: 'c1', name: 'Summer', products: ['5550001'] }],
  });
  order = world.sandbox.placeOrder(shop, [{ product: HAT, quantity: 1 }]);
  await world.linkByQr(token, shop);
  api = world.as(token);
  picture = (await jpeg()).toString('base64');
  const sent = await contact.sendRaw(shop, { orderMessage: { orderId: order.id, token: order.token } });
  ordered = await untilReceived(api, sent.id);
  seen = await untilReceived(api, (await contact.stories.postText('From the contact', { to: [shop] })).id);
});
afterAll(() => world.destroy());
afterEach(() => world.sandbox.faults.clear());

const QUESTIONS: readonly Operation[] = [
  ['a catalogue', () => api.get('/business/catalog')],
  ['a product', () => api.get('/business/catalog/5550001')],
  ['collections', () => api.get('/business/collections')],
  ['an order', () => api.get(`/orders/${order.id}?token=${encodeURIComponent(order.token)}`)],
  ['the order of a message', () => api.get(`/messages/${ordered}/order`)],
  ['a profile of a business', () => api.get('/business/profile')],
  ['a change of it', () => api.put('/business/profile', { address: '2 Hat Street' })],
  ['our profile', () => api.get('/profile')],
  ['another about text', () => api.put('/profile', { about: 'Open' })],
  ['another default timer', () => api.put('/profile', { disappearing_seconds: 86_400 })],
  ['another picture', () => api.post('/profile/picture', { image_base64: picture })],
  ['no picture', () => api.delete('/profile/picture')],
  ['our privacy', () => api.get('/privacy')],
  ['another privacy', () => api.put('/privacy', { last_seen: 'none' })],
];

/** Stories have words of their own for what is refused; the status is that of the mapping. */
const STORY_FAILED = 502;
const STORIES: readonly Operation[] = [
  ['who sees stories', () => api.get('/status/privacy')],
  ['a story', () => api.post('/status/text', { text: 'Open', audience: ['5511933380003'] })],
  [
    'a story with a file',
    () => api.post('/status/media', { data: picture, media_type: 'image', audience: ['5511933380003'] }),
  ],
];

const connected = () =>
  until('the device is connected', async () => (await api.post('/connect')).status === 200);

test.each(REFUSALS)('every question about a business and of the account is refused with %s', async (code) => {
  await connected();
  await expectRefused(world.sandbox.faults, { code, operations: QUESTIONS });
});

test.each(REFUSALS)('every question that a story asks is refused with %s', async (code) => {
  await connected();
  // Of an account that never chose who sees them the server says 404.
  const operations = code === 404 ? STORIES.slice(1) : STORIES;
  await expectRefused(world.sandbox.faults, { code, operations, rejected: STORY_FAILED });
});

test.each(REFUSALS)('a story, and its end, are refused with %s', async (code) => {
  await connected();
  const { faults } = world.sandbox;
  const audience = [contact.number];
  const { message_id: story } = (await api.post('/status/text', { text: 'Open', audience })).body;
  for (const [name, run] of [
    ['a story', () => api.post('/status/text', { text: 'Still open', audience })],
    ['a picture', () => api.post('/status/media', { data: picture, media_type: 'image', audience })],
    ['its end', () => api.delete(`/stories/${story}`)],
  ] satisfies Operation[]) {
    if (code === 'silence') faults.silenceAck();
    else faults.nextAckError(code);
    const { status, body } = await run();
    faults.clear();
    expect([name, status], JSON.stringify(body)).toEqual([name, statusFor(code, STORY_FAILED)]);
  }
});

test.each(REFUSALS)('choosing who sees stories is refused with %s, and nobody is chosen', async (code) => {
  await connected();
  world.sandbox.faults.refuseQuestions(code, { xmlns: 'w:sync:app:state' });
  const { status, body } = await api.put('/status/privacy', { type: 'whitelist', list: [contact.number] });
  world.sandbox.faults.clear();
  expect(status, JSON.stringify(body)).toBe(statusFor(code, STORY_FAILED));
  await connected();
  expect((await api.get('/status/privacy')).body.lists[0].type).toBe('contacts');
});

test('a story that is seen needs no answer', async () => {
  world.sandbox.faults.refuseQuestions('silence');
  expect((await api.post(`/stories/${seen}/seen`)).status).toBe(200);
});

test('a picture that is not there is not refused', async () => {
  world.sandbox.faults.refuseQuestions(404);
  const { status, body } = await api.get('/profile/picture');
  expect([status, body.error_code]).toEqual([404, 'NOT_FOUND']);
});
