/** What WhatsApp refuses of channels, or does not answer: the directory, posts, who runs one, and the channel itself. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Api, until, World } from '../harness.ts';
import { jpeg } from '../samples.ts';
import { expectRefused, type Operation, REFUSALS, statusFor } from './refusal-table.ts';

let world: World;
let api: Api;
let admin: Phone;
let channel: string;
let post: string;
let picture: string;

beforeAll(async () => {
  world = await World.create({
    settings: { WUTS_PACE_PER_MINUTE: '0' },
    patience: { ackTimeoutMs: 2_000, queryTimeoutMs: 2_000 },
  });
  const token = await world.tenant('channels-refused');
  const shop = await world.sandbox.createPhone({ number: '5511933370001', name: 'Shop' });
  admin = await world.sandbox.createPhone({ number: '5511933370002', name: 'Admin' });
  await world.linkByQr(token, shop);
  api = world.as(token);
  picture = (await jpeg()).toString('base64');
  channel = (await api.post('/newsletters', { name: 'Offers' })).body.newsletter.jid;
  const posted = await api.post(`/newsletters/${channel}/messages`, { text: 'Hats' });
  expect(posted.status, JSON.stringify(posted.body)).toBe(200);
  post = posted.body.message_id;
  // Whom the questions name is known: what is refused is what is asked for of the channel.
  expect((await api.post('/contact/check', { numbers: [admin.number] })).status).toBe(200);
});
afterAll(() => world.destroy());
afterEach(() => world.sandbox.faults.clear());

const at = (path = '') => `/newsletters/${channel}${path}`;

const QUESTIONS: readonly Operation[] = [
  ['the directory', () => api.get('/newsletters/search')],
  ['a search', () => api.get('/newsletters/search?query=hats')],
  ['another name', () => api.call('PATCH', at(), { name: 'Better offers' })],
  ['another picture', () => api.call('PATCH', at(), { picture })],
  ['no picture', () => api.delete(at('/picture'))],
  ['the followers', () => api.get(at('/followers'))],
  ['the admins', () => api.get(at('/admins'))],
  ['an invitation of an admin', () => api.post(at('/admins/invites'), { number: admin.number })],
  ['an invitation taken back', () => api.delete(at(`/admins/invites/${admin.number}`))],
  ['becoming an admin', () => api.post(at('/admins/accept'))],
  ['an admin no more', () => api.delete(at(`/admins/${admin.number}`))],
  ['another owner', () => api.put(at('/owner'), { number: admin.number })],
  ['a mute', () => api.post(at('/mute'), { muted: true })],
  ['hearing of views', () => api.post(at('/live-updates'))],
  ['following no more', () => api.delete(at('/subscribe'))],
  ['an end', () => api.delete(at())],
];

/** What is published is refused by its ack. */
const POSTS: readonly Operation[] = [
  ['a post', () => api.post(at('/messages'), { text: 'More hats' })],
  ['a post with a file', () => api.post(at('/media'), { media: picture, media_type: 'image' })],
  ['an edit of a post', () => api.put(at(`/messages/${post}`), { text: 'Caps' })],
  ['a post taken back', () => api.delete(at(`/messages/${post}`))],
];

const connected = () =>
  until('the device is connected', async () => (await api.post('/connect')).status === 200);

test.each(REFUSALS)('every question of a channel is refused with %s', async (code) => {
  await connected();
  await expectRefused(world.sandbox.faults, { code, operations: QUESTIONS });
});

test.each(REFUSALS)('every post is refused with %s', async (code) => {
  await connected();
  const { faults } = world.sandbox;
  for (const [name, run] of POSTS) {
    if (code === 'silence') faults.silenceAck();
    else faults.nextAckError(code);
    const { status, body } = await run();
    faults.clear();
    expect([name, status], JSON.stringify(body)).toEqual([name, statusFor(code)]);
  }
});

test('after all of it the channel is as it was', async () => {
  expect((await api.get(at())).body.newsletter.name).toBe('Offers');
});
