/** The account's default timer: chats that we begin have it from the first message on, whatever is sent. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, until, untilReceived, World } from '../harness.ts';
import { jpeg } from '../samples.ts';
import { timerIn } from '../timers.ts';

const DAY = 86_400;
const WEEK = 604_800;

let world: World;
let api: Api;
let shop: Phone;
let next = 5_511_999_991_500;

beforeAll(async () => {
  world = await World.create();
  const token = await world.tenant('begun');
  shop = await world.sandbox.createPhone({ number: '5511999991499', name: 'Shop' });
  await world.linkByQr(token, shop);
  api = world.as(token);
  expect((await api.put('/profile', { disappearing_seconds: WEEK })).status).toBe(200);
});
afterAll(() => world.destroy());

const somebody = (): Promise<Phone> => {
  next += 1;
  return world.sandbox.createPhone({ number: String(next), name: `P${next}` });
};

async function send(path: string, to: Phone, body: object): Promise<Json> {
  const answer = await api.post(path, { to: to.number, ...body });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  const { message } = await to.waitForMessage(({ id }) => id === answer.body.message_id);
  const [content] = Object.entries<Json>(message).filter(([name]) => /Message(?:V\d)?$/.test(name));
  return content?.[1]?.contextInfo ?? null;
}

const picture = async () => (await jpeg(80, 80)).toString('base64');

describe('a chat that we begin', () => {
  test.each([
    ['/send/text', async () => ({ text: 'Hello' })],
    ['/send/image', async () => ({ image: await picture() })],
    ['/send/location', async () => ({ latitude: 1, longitude: 2 })],
    ['/send/contact', async () => ({ contact: { display_name: 'Ana', phone: '5511999990001' } })],
    [
      '/send/poll',
      async () => ({ question: 'Which?', options: [{ option_name: 'a' }, { option_name: 'b' }] }),
    ],
  ])('with %s has it, and keeps it', async (path, body) => {
    const phone = await somebody();
    const first = await send(path, phone, await body());
    expect(first).toMatchObject({
      expiration: WEEK,
      disappearingMode: { initiator: 1, trigger: 2, initiatedByMe: true },
    });
    expect(Number(first.ephemeralSettingTimestamp)).toBeGreaterThan(0);
    expect(await send('/send/text', phone, { text: 'And again' })).toMatchObject({ expiration: WEEK });
    const chat = (await api.get(`/chats/${phone.number}`)).body.chat;
    expect(chat.ephemeral_seconds).toBe(WEEK);
  });

  test('with an album or by passing a message on has it too, in every part', async () => {
    const [album, forward] = [await somebody(), await somebody()];
    const media = [{ image: await picture() }, { image: await picture(), caption: 'And this' }];
    const { body } = await api.post('/send/album', { to: album.number, media });
    const known = await somebody();
    const { message_id: id } = (await api.post('/send/text', { to: known.number, text: 'Pass it on' })).body;
    const passed = await api.post(`/messages/${id}/forward`, { to: forward.number });
    for (const [phone, ids] of [
      [album, [body.message_id, ...body.items.map((item: Json) => item.message_id)]],
      [forward, [passed.body.message_id]],
    ] as const) {
      for (const each of ids) {
        const { message } = await phone.waitForMessage((got) => got.id === each);
        expect(timerIn(message)?.expiration, each).toBe(WEEK);
      }
      expect((await api.get(`/chats/${phone.number}`)).body.chat.ephemeral_seconds).toBe(WEEK);
    }
  });

  test('has another one where the request says so', async () => {
    const [day, never] = [await somebody(), await somebody()];
    expect(await send('/send/text', day, { text: 'A day', ephemeral_seconds: DAY })).toMatchObject({
      expiration: DAY,
    });
    expect((await send('/send/text', never, { text: 'Stays', ephemeral_seconds: 0 }))?.expiration ?? 0).toBe(
      0,
    );
  });
});

test('a chat that somebody else began stays as it is', async () => {
  const phone = await somebody();
  const { id } = await phone.sendText(shop.number, 'Good morning');
  await untilReceived(api, id);
  expect((await send('/send/text', phone, { text: 'Good morning' }))?.expiration ?? 0).toBe(0);
});

test('what is scheduled and sent in bulk has it too, and nothing once it is off', async () => {
  const [one, two, later] = [await somebody(), await somebody(), await somebody()];
  const bulk = await api.post('/bulk', {
    recipients: [one.number, two.number],
    message: { type: 'text', text: 'For both' },
    min_pause_seconds: 0,
    max_pause_seconds: 0,
  });
  expect(bulk.status).toBe(202);
  for (const phone of [one, two]) {
    const { message } = await phone.waitForMessage(({ text }) => text === 'For both');
    expect(message.extendedTextMessage?.contextInfo?.expiration).toBe(WEEK);
  }
  expect((await api.put('/profile', { disappearing_seconds: 0 })).status).toBe(200);
  expect((await send('/send/text', later, { text: 'Stays' }))?.expiration ?? 0).toBe(0);
  // The chats that were begun keep theirs.
  await until(
    'the bulk is over',
    async () => (await api.get(`/bulk/${bulk.body.bulk.id}`)).body.bulk.open === 0,
  );
  expect(await send('/send/text', one, { text: 'Still' })).toMatchObject({ expiration: WEEK });
});
