/** A number that is spelt in another way than WhatsApp knows it: who is meant, in every operation. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Api, type Json, untilReceived, World } from '../harness.ts';

/** The account's number, and other ways in which people write it. */
const PEOPLE = {
  brazil: ['551187654321', ['+55 (11) 98765-4321', '5511987654321@c.us', '+55 011 8765.4321']],
  mexico: ['5215574949947', ['+52 55 7494 9947', '0052 55/7494-9947', '525574949947@s.whatsapp.net']],
  argentina: ['5491155552671', ['+54 11 5555-2671', '+54 (11) 15 5555-2671', 'tel:+54-11-5555-2671']],
} as const;
type Country = keyof typeof PEOPLE;
const COUNTRIES = Object.keys(PEOPLE) as Country[];

let world: World;
let api: Api;
let shop: Phone;
let phones: Record<Country, Phone>;
let group: string;

beforeAll(async () => {
  world = await World.create();
  const token = await world.tenant('spellings');
  shop = await world.sandbox.createPhone({ number: '5511999991601', name: 'Shop' });
  const made = await Promise.all(
    COUNTRIES.map((name) => world.sandbox.createPhone({ number: PEOPLE[name][0], name })),
  );
  phones = Object.fromEntries(COUNTRIES.map((name, index) => [name, made[index]])) as typeof phones;
  await world.linkByQr(token, shop);
  api = world.as(token);
  group = (await shop.createGroup('Team', made)).jid;
});
afterAll(() => world.destroy());

async function got(answer: Answer, phone: Phone): Promise<Json> {
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return (await phone.waitForMessage(({ id }) => id === answer.body.message_id)).message;
}

describe.each(COUNTRIES)('%s', (country) => {
  const [number, spellings] = PEOPLE[country];

  test.each(spellings)('a message to %s arrives', async (to) => {
    const phone = phones[country];
    const answer = await api.post('/send/text', { to, text: 'Hello' });
    await got(answer, phone);
    expect(answer.body.chat_jid).toBe(`${number}@s.whatsapp.net`);
    const chat = encodeURIComponent(to);
    const listed = (await api.get(`/messages?chat=${chat}`)).body.messages;
    expect(listed.map((each: Json) => each.message_id)).toContain(answer.body.message_id);
    const edit = await api.put(`/messages/${answer.body.message_id}`, { to, message: 'Hello again' });
    expect(edit.status, JSON.stringify(edit.body)).toBe(200);
  });

  test.each(spellings)('a mention of %s is of the member, and its tag shows the name', async (to) => {
    const phone = phones[country];
    const digits = to.replace(/\D/g, '').replace(/^00/, '');
    const mentioned = await api.post('/send/text', {
      to: group,
      text: `Hello @${digits}, and mail me@example.com`,
      mentioned: [to],
    });
    const { extendedTextMessage } = await got(mentioned, phone);
    expect(extendedTextMessage.text).toBe(`Hello @${number}, and mail me@example.com`);
    expect(extendedTextMessage.contextInfo.mentionedJid).toEqual([phone.jid]);

    const users = [{ jid: to, name: 'you' }];
    const positioned = await api.post('/send/text/mentions', {
      to: group,
      text: 'And @you',
      mentions: { specificUsers: users },
    });
    const { extendedTextMessage: second } = await got(positioned, phone);
    expect([second.text, second.contextInfo.mentionedJid]).toEqual([`And @${number}`, [phone.jid]]);
  });

  test.each(spellings)('what %s wrote is read, reacted to and quoted', async (who) => {
    const phone = phones[country];
    const direct = await phone.sendText(shop.number, 'Read me');
    const inGroup = await phone.sendText(group, 'Read me here');
    for (const { id } of [direct, inGroup]) await untilReceived(api, id);
    for (const [id, body] of [
      [direct.id, { chat_jid: who }],
      [inGroup.id, { chat_jid: group, sender_jid: who }],
      // Never stored: known by the words of the caller alone.
      ['3EB0000000000000000A', { chat_jid: who }],
      ['3EB0000000000000000B', { chat_jid: group, sender_jid: who }],
    ] as const) {
      const answer = await api.post(`/messages/${id}/read`, body);
      expect(answer.status, JSON.stringify(answer.body)).toBe(200);
      const { chat_jid, sender_jid } = answer.body;
      expect([chat_jid, sender_jid]).toEqual([body.chat_jid === group ? group : phone.jid, phone.jid]);
      await phone.waitForReceipt((receipt) => receipt.type === 'read' && receipt.messageId === id);
    }
    const unknown = { messageId: '3EB0000000000000000C', reaction: '👍', participant: who };
    const { reactionMessage } = await got(await api.post('/send/reaction', { to: group, ...unknown }), phone);
    expect(reactionMessage.key.participant).toBe(phone.jid);
    const quoted = { message_id: '3EB0000000000000000D', participant: who, body: 'As you said' };
    const answer = await got(await api.post('/send/text', { to: group, text: 'Yes', quoted }), phone);
    expect(answer.extendedTextMessage.contextInfo.participant).toBe(phone.jid);
  });
});

test('of two accounts that are one number in two spellings, the one that is written with is meant', async () => {
  const old = await world.sandbox.createPhone({ number: '552164180266', name: 'Old' });
  const namesake = await world.sandbox.createPhone({ number: '5521964180266', name: 'Namesake' });
  const { id } = await old.sendText(shop.number, 'I came first');
  await untilReceived(api, id);
  await got(await api.post('/send/text', { to: namesake.number, text: 'Hello' }), old);
});

test('a landline of Argentina is not taken for the mobile that differs by the 9 alone', async () => {
  const mobile = await world.sandbox.createPhone({ number: '5492216234567', name: 'Mobile' });
  const { id } = await mobile.sendText(shop.number, 'I came first');
  await untilReceived(api, id);
  const landline = await world.sandbox.createPhone({ number: '542216234567', name: 'Landline' });
  await got(await api.post('/send/text', { to: '+54 221 623-4567', text: 'Hello' }), landline);
  await got(await api.post('/send/text', { to: '+54 9 221 623-4567', text: 'Hello' }), mobile);
  const listed = (await api.get('/messages?chat=542216234567')).body.messages;
  expect(new Set(listed.map((each: Json) => each.chat_jid))).toEqual(new Set([landline.jid]));
  const read = await api.post('/messages/3EB0000000000000000E/read', { chat_jid: landline.number });
  expect(read.body.chat_jid).toBe(landline.jid);
});

test('the prefix that is dialled within a country may stand behind its code', async () => {
  const indonesia = await world.sandbox.createPhone({ number: '6281234567890', name: 'Indonesia' });
  for (const to of ['62 0812-3456-7890', '+62 (0)812 3456 7890', '62081234567890@c.us']) {
    await got(await api.post('/send/text', { to, text: 'Hello' }), indonesia);
  }
});

test('a number of a small country, which has nine digits, is written to with its +', async () => {
  const andorra = await world.sandbox.createPhone({ number: '376312345', name: 'Andorra' });
  for (const to of ['+376 312 345', '00376312345', 'https://wa.me/376312345', '376312345@c.us']) {
    await got(await api.post('/send/text', { to, text: 'Hello' }), andorra);
  }
  const bare = await api.post('/send/text', { to: '376312345', text: 'Hello' });
  expect([bare.status, bare.body.error_code]).toEqual([400, 'INVALID_RECIPIENT']);
  expect(bare.body.error).toMatch(/small country begins with \+/);
});

test.each([
  ['0151 23456789', 400, 'INVALID_RECIPIENT', /country code is missing/],
  ['+55 11 9999', 400, 'INVALID_RECIPIENT', /is the country code missing/],
  ['11999999999', 404, 'NOT_ON_WHATSAPP', /no country gives out such a number/],
])('%s is told to lack its country code', async (to, status, code, words) => {
  const answer = await api.post('/send/text', { to, text: 'Hello' });
  expect([answer.status, answer.body.error_code]).toEqual([status, code]);
  expect(answer.body.error).toMatch(words);
});
