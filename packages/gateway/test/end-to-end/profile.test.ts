/** What an account shows of itself is changed by its device, and others see it. */

import type { Phone } from '@wuts/sandbox';
import sharp from 'sharp';
import { Agent, fetch as fetchBy } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Api, type Json, until, untilReceived, World } from './harness.ts';
import { REFUSALS, statusFor } from './refusals/refusal-table.ts';
import { jpeg } from './samples.ts';

let world: World;
let api: Api;
let shop: Phone;
let contact: Phone;
/** What the contact's own device is told. */
let neighbour: Api;

beforeAll(async () => {
  world = await World.create({
    settings: { WUTS_PACE_PER_MINUTE: '0' },
    patience: { ackTimeoutMs: 1_500, queryTimeoutMs: 1_500 },
  });
  const token = await world.tenant('shown');
  const theirs = await world.tenant('neighbour');
  shop = await world.sandbox.createPhone({ number: '5511999994601', name: 'Shop' });
  contact = await world.sandbox.createPhone({ number: '5511999994602', name: 'Contact' });
  await world.linkByQr(token, shop);
  await world.linkByQr(theirs, contact);
  api = world.as(token);
  neighbour = world.as(theirs);
  // Those who have written to each other are told of changes.
  const { id } = await contact.sendText(shop, 'here I am');
  await untilReceived(api, id);
});
afterAll(() => world.destroy());
afterEach(async () => {
  world.sandbox.faults.clear();
});

const account = () => {
  const found = world.sandbox.network.directory.byUser(shop.number);
  if (!found) throw new Error('the shop has no account');
  return found;
};

const told = (name: string, matches: (data: Json) => boolean): Promise<Json> =>
  until(`${name} is told`, async () => {
    const { events } = (await neighbour.get(`/events?event=${name}&limit=200`)).body;
    return events.map(({ data }: Json) => data).find(matches);
  });

/** What the picture's address gives. */
async function fetched(url: string): Promise<Buffer> {
  const dispatcher = new Agent({ connect: { ca: world.sandbox.caPem } });
  try {
    return Buffer.from(await (await fetchBy(url, { dispatcher })).arrayBuffer());
  } finally {
    await dispatcher.close();
  }
}

describe('the picture', () => {
  test('is set from base64, cut square, seen by others, and removed', async () => {
    const image_base64 = (await jpeg(1200, 800)).toString('base64');
    const set = await api.post('/profile/picture', { image_base64 });
    expect(set.status, JSON.stringify(set.body)).toBe(200);
    const seen = await told('contact.picture', ({ picture_id }) => picture_id === set.body.picture_id);
    expect(seen.contact.jid).toBe(shop.jid);
    const found = (await api.get('/profile/picture')).body;
    expect(found).toMatchObject({ success: true, picture_id: set.body.picture_id, type: 'image' });
    const { format, width, height } = await sharp(await fetched(found.url)).metadata();
    expect({ format, width, height }).toEqual({ format: 'jpeg', width: 640, height: 640 });
    expect((await api.get('/profile')).body.picture_id).toBe(set.body.picture_id);
    expect((await api.delete('/profile/picture')).body).toEqual({ success: true });
    await told('contact.picture', ({ contact: who, removed }) => who.jid === shop.jid && removed === true);
    const none = await api.get('/profile/picture');
    expect([none.status, none.body.error_code]).toEqual([404, 'NOT_FOUND']);
  });

  test('comes as a part of a form, too', async () => {
    const form = new FormData();
    form.set('file', new Blob([new Uint8Array(await jpeg(100, 100))], { type: 'image/jpeg' }), 'x.jpg');
    const token = await world.tenant('by-form');
    const phone = await world.sandbox.createPhone({ number: '5511999994603', name: 'Form' });
    await world.linkByQr(token, phone);
    const answer = await fetch(`${world.gateway.url}/profile/picture`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: form,
    });
    expect(answer.status, await answer.clone().text()).toBe(200);
    // It is not made larger than it is.
    const { url } = (await world.as(token).get('/profile/picture')).body;
    expect((await sharp(await fetched(url)).metadata()).width).toBe(100);
  });

  test.each([
    [{}, 'VALIDATION_ERROR'],
    [{ image_base64: 'aGk=' }, 'INVALID_MEDIA'],
    [{ image_base64: 'aGk=', image_url: 'https://example.com/x.jpg' }, 'VALIDATION_ERROR'],
    [{ image_url: 'http://127.0.0.1:9/x.jpg' }, 'INVALID_MEDIA'],
  ])('%o is none: %s', async (body, code) => {
    const answer = await api.post('/profile/picture', body);
    expect([answer.status, answer.body.error_code], JSON.stringify(answer.body)).toEqual([400, code]);
  });
});

test.each([
  ['Loja 02'],
  ['Loja @centro'],
  ['call me @'],
  ['@'],
  ['a_1:2@x'],
  ['constructor'],
])('the name %s is that which others see with the next message', async (name) => {
  expect((await api.put('/profile', { name })).status).toBe(200);
  await until('the server has it', async () => account().name === name);
  expect((await api.post('/presence', { state: 'available' })).status).toBe(200);
  const sent = await api.post('/send/text', { number: contact.number, text: 'hello' });
  const got = await contact.waitForMessage(({ id }) => id === sent.body.message_id);
  expect(got.pushName).toBe(name);
  expect((await api.get('/status')).body.data.push_name).toBe(name);
  expect((await api.get('/profile')).body.name).toBe(name);
});

test('the about text is told to those who know the account, and can be taken away', async () => {
  for (const about of ['Open till six', '']) {
    expect((await api.put('/profile', { about })).status).toBe(200);
    await told('contact.about', (data) => data.contact.jid === shop.jid && data.about === about);
    expect((await api.get('/profile')).body.about).toBe(about);
  }
});

test('the default timer is the account’s', async () => {
  for (const disappearing_seconds of [604_800, 0]) {
    expect((await api.put('/profile', { disappearing_seconds })).status).toBe(200);
    expect(account().defaultTimer.seconds).toBe(disappearing_seconds);
    expect((await api.get('/profile')).body.disappearing_seconds).toBe(disappearing_seconds);
  }
  const odd = await api.put('/profile', { disappearing_seconds: 5 });
  expect([odd.status, odd.body.validation[0].field]).toEqual([400, 'disappearing_seconds']);
});

describe('privacy', () => {
  const SETTINGS = {
    GroupAdd: ['groupadd', ['all', 'contacts', 'contact_blacklist', 'none']],
    LastSeen: ['last', ['all', 'contacts', 'contact_blacklist', 'none']],
    Status: ['status', ['all', 'contacts', 'contact_blacklist', 'none']],
    Profile: ['profile', ['all', 'contacts', 'contact_blacklist', 'none']],
    ReadReceipts: ['readreceipts', ['none', 'all']],
    CallAdd: ['calladd', ['known', 'all']],
    Online: ['online', ['match_last_seen', 'all']],
    Messages: ['messages', ['contacts', 'all']],
    Defense: ['defense', ['off', 'on_standard']],
    Stickers: ['stickers', ['none', 'contact_allowlist', 'contacts']],
  } as const;

  test.each(Object.entries(SETTINGS))('%s is set to what WhatsApp knows', async (name, [
    wireName,
    values,
  ]) => {
    for (const value of values) {
      const answer = await api.put('/privacy', { [name]: value });
      expect(answer.body.data?.[name], JSON.stringify(answer.body)).toBe(value);
      expect(account().privacy.get(wireName)).toBe(value);
    }
    const read = (await api.get('/privacy')).body;
    expect(Object.keys(read.data).sort()).toEqual(Object.keys(SETTINGS).sort());
    const odd = await api.put('/privacy', { [name]: 'somebody' });
    expect([odd.status, odd.body.error_code]).toEqual([400, 'VALIDATION_ERROR']);
  });

  test('several are set at once, by any spelling, and nothing is nothing', async () => {
    const both = await api.put('/privacy', { last_seen: 'none', readReceipts: 'none' });
    expect(both.body.data).toMatchObject({ LastSeen: 'none', ReadReceipts: 'none' });
    expect((await api.put('/privacy', { LastSeen: 'all', ReadReceipts: 'all' })).status).toBe(200);
    expect((await api.put('/privacy', {})).status).toBe(400);
  });

  test('who hides what was read tells the sender nothing, from the next message on', async () => {
    const read = async () => {
      const { id } = await contact.sendText(shop, 'read me');
      await untilReceived(api, id);
      expect((await api.post(`/messages/${id}/read`, { chat_jid: contact.jid })).status).toBe(200);
      return id;
    };
    const shown = await read();
    await contact.waitForReceipt(({ messageId, type }) => type === 'read' && messageId === shown);
    await api.put('/privacy', { ReadReceipts: 'none' });
    const hidden = await read();
    await api.put('/privacy', { ReadReceipts: 'all' });
    const shownAgain = await read();
    await contact.waitForReceipt(({ messageId, type }) => type === 'read' && messageId === shownAgain);
    await expect(
      contact.waitForReceipt(({ messageId, type }) => type === 'read' && messageId === hidden, {
        timeoutMs: 1,
      }),
    ).rejects.toThrow();
  });
});

test.each(REFUSALS)('what WhatsApp refuses with %s', async (code) => {
  const image_base64 = (await jpeg(80, 80)).toString('base64');
  const operations: [string, () => Promise<Answer>][] = [
    ['privacy', () => api.get('/privacy')],
    ['a setting', () => api.put('/privacy', { LastSeen: 'none' })],
    ['the profile', () => api.get('/profile')],
    ['an about text', () => api.put('/profile', { about: 'x' })],
    ['a timer', () => api.put('/profile', { disappearing_seconds: 0 })],
    ['a picture', () => api.post('/profile/picture', { image_base64 })],
    ['where the picture is', () => api.get('/profile/picture')],
    ['no picture', () => api.delete('/profile/picture')],
    // Last: when it is not answered, the connection begins anew.
    ['a name', () => api.put('/profile', { name: 'Refused' })],
  ];
  for (const [what, run] of operations) {
    world.sandbox.faults.refuseQuestions(code);
    const answer = await run();
    world.sandbox.faults.clear();
    expect(answer.status, `${what}: ${JSON.stringify(answer.body)}`).toBe(statusFor(code));
  }
  await until('the device is connected', async () => (await api.post('/connect')).status === 200);
  expect(account().name).not.toBe('Refused');
});
