/** What is round a message, and what is round nothing. */
import type { Phone } from '@wuts/sandbox';
import { proto } from 'baileys';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Api, type Json, untilReceived, type World } from '../harness.ts';
import { openShop } from '../shop.ts';

let world: World;
let api: Api;
let shop: Phone;
let contact: Phone;

beforeAll(async () => {
  ({ world, api, shop, contact } = await openShop({ tenant: 'envelopes' }));
});
afterAll(() => world.destroy());

const events = async (): Promise<Json[]> => (await api.get('/events?limit=1000')).body.events;

/** Everything that was told of these ids once a later message is here. */
async function toldOf(...ids: string[]): Promise<Json[]> {
  await untilReceived(api, (await contact.sendText(shop.number, 'and on')).id);
  return (await events()).filter(({ data }) => ids.includes(data.message_id));
}

/** A length-delimited field of less than 128 bytes. */
function field(number: number, content: Uint8Array): Buffer {
  const tag = number * 8 + 2;
  return Buffer.concat([Buffer.from([(tag % 128) + 128, Math.floor(tag / 128), content.length]), content]);
}

test('an empty message, and one with nothing but a secret, are no event', async () => {
  const empty = await contact.hostile.sendPlaintext(shop.jid, Buffer.alloc(0));
  const { id: secret } = await contact.sendRaw(shop.number, {});
  // waE2E.Message.groupRootKeyShare, keys of a group that the library's schema does not have.
  const keys = await contact.hostile.sendPlaintext(shop.jid, field(123, Buffer.from([10, 2, 10, 0])));
  const { id: wrapped } = await contact.sendRaw(shop.number, { ephemeralMessage: { message: {} } });
  expect(await toldOf(empty, secret, keys, wrapped)).toEqual([]);
  expect((await api.get(`/messages/${secret}`)).status).toBe(404);
});

test('the same from our own phone', async () => {
  const { id } = await shop.sendRaw(contact.number, {});
  expect(await toldOf(id)).toEqual([]);
});

test('an envelope that no schema has yet is opened, a kind that none has is told', async () => {
  const text = proto.Message.encode({ conversation: 'inside' }).finish();
  const enveloped = await contact.hostile.sendPlaintext(
    shop.jid,
    field(1900, Buffer.from([10, text.length, ...text])),
  );
  const strange = await contact.hostile.sendPlaintext(shop.jid, field(1901, Buffer.from('something')));
  // Of the shape of an envelope, and none.
  const named = await contact.hostile.sendPlaintext(shop.jid, field(1902, Buffer.from([10, 3, 97, 98, 99])));
  const told = await toldOf(enveloped, strange, named);
  expect(told.map(({ event, data }) => [event, data.message_type, data.content])).toEqual([
    ['message.received', 'text', 'inside'],
    ['message.received', 'unknown', ''],
    ['message.received', 'unknown', ''],
  ]);
});

test.each([
  'groupMentionedMessage',
  'botInvokeMessage',
  'questionMessage',
  'statusMentionMessage',
  'associatedChildMessage',
] as const)('%s is opened, for what it says and for what it adds', async (envelope) => {
  const locationMessage = { degreesLatitude: -23.5, degreesLongitude: -46.6, name: 'Pier' };
  const { id } = await contact.sendRaw(shop.number, { [envelope]: { message: { locationMessage } } });
  await untilReceived(api, id);
  const { message } = (await api.get(`/messages/${id}`)).body;
  expect(message).toMatchObject({ message_type: 'location', content: 'Pier', details: { latitude: -23.5 } });
});

test('what is quoted shows through its envelope, and is quoted without it', async () => {
  const imageMessage = {
    ...(await contact.uploadMedia('image', Buffer.from('a picture'))),
    caption: 'this one',
  };
  const envelope = { groupMentionedMessage: { message: { imageMessage } } };
  const { id } = await contact.sendRaw(shop.number, envelope);
  await untilReceived(api, id);
  const body = { number: contact.number, text: 'which?', quoted: { message_id: id } };
  const sent = (await api.post('/send/text', body)).body.message_id;
  const got = await contact.waitForMessage((message) => message.id === sent);
  const context = got.message.extendedTextMessage?.contextInfo;
  expect(context?.quotedMessage?.imageMessage?.caption).toBe('this one');
  const contextInfo = { stanzaId: id, participant: contact.jid, quotedMessage: envelope };
  const answer = await contact.sendRaw(shop.number, { extendedTextMessage: { text: 'it', contextInfo } });
  await untilReceived(api, answer.id);
  const { message } = (await api.get(`/messages/${answer.id}`)).body;
  expect(message.quoted).toMatchObject({ message_id: id, body: 'this one' });
});
