/** Whom a message names, and where its writer came from. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, until, type World } from '../harness.ts';
import { openShop } from '../shop.ts';

let world: World;
let api: Api;
let shop: Phone;
let contact: Phone;
let friend: Phone;
let group: { jid: string };

beforeAll(async () => {
  ({ world, api, shop, contact, friend } = await openShop({ tenant: 'people' }));
  group = await contact.createGroup('People', [shop, friend]);
  // From then on the device knows both names of the friend.
  await told('message.received', (await friend.sendText(group.jid, 'here')).id);
});
afterAll(() => world.destroy());

/** The event of that name with this id in one of its members. */
const told = (name: string, id: string): Promise<Json> =>
  until(`${name} of ${id}`, async () => {
    const { events } = (await api.get(`/events?limit=1000&event=${name}`)).body;
    return events.find(({ data }: Json) => Object.values(data).includes(id))?.data;
  });

const person = ({ jid, lid, number }: Phone) => ({ jid, lid, phone_number: number });

describe('who is mentioned', () => {
  test.each(['lid', 'jid'] as const)('under every name, when the message has one: %s', async (name) => {
    const mentions = [friend[name], shop[name]];
    const { id } = await contact.sendText(group.jid, '@Friend @Shop', { mentions });
    const data = await told('message.received', id);
    expect(data).toMatchObject({ mentions, mentioned: [person(friend), person(shop)], mentions_me: true });
    const { message } = (await api.get(`/messages/${id}`)).body;
    expect(message).toMatchObject({ mentioned: data.mentioned, mentions_me: true });
  });

  test('not us, and everyone', async () => {
    const other = await contact.sendText(group.jid, '@Friend', { mentions: [friend.lid] });
    expect(await told('message.received', other.id)).toMatchObject({ mentions_me: false });
    const extendedTextMessage = { text: '@all', contextInfo: { nonJidMentions: 1 } };
    const all = await contact.sendRaw(group.jid, { extendedTextMessage });
    expect(await told('message.received', all.id)).toMatchObject({ mentioned: [], mentions_me: true });
  });

  test('a stranger whom nobody knows, by the name that is there', async () => {
    const mentions = ['999999999999999@lid'];
    const { id } = await contact.sendText(group.jid, '@nobody', { mentions });
    const nobody = { jid: null, lid: mentions[0], phone_number: null };
    expect(await told('message.received', id)).toMatchObject({ mentions, mentioned: [nobody] });
  });

  test('of what we send', async () => {
    const mentions = { specificUsers: [{ jid: friend.jid }] };
    const body = { number: group.jid, text: 'look', mentions };
    const { message_id } = (await api.post('/send/text/mentions', body)).body;
    const names = { mentions: [friend.jid], mentioned: [{ jid: friend.jid, phone_number: friend.number }] };
    expect(await told('mention.sent', message_id)).toMatchObject(names);
  });
});

test('whom a message answers, and whom a change speaks of', async () => {
  const { id } = await friend.sendText(group.jid, 'which?');
  await contact.waitForMessage((message) => message.id === id);
  const quoted = { stanzaId: id, participant: friend.lid, quotedMessage: { conversation: 'which?' } };
  const answer = await contact.sendRaw(group.jid, {
    extendedTextMessage: { text: 'this', contextInfo: quoted },
  });
  expect(await told('message.received', answer.id)).toMatchObject({
    quoted: { message_id: id, participant: friend.lid, author: person(friend) },
  });
  const reaction = await contact.sendReaction(group.jid, id, '👍');
  expect(await told('message.reaction', reaction.id)).toMatchObject({
    target_sender: person(friend),
    sender: person(contact),
  });
  expect(await told('message.received', reaction.id)).toMatchObject({ target_sender: person(friend) });
});

test('where a customer came from', async () => {
  const contextInfo = {
    conversionSource: 'FB_Ads',
    entryPointConversionSource: 'ctwa_ad',
    entryPointConversionApp: 'facebook',
    externalAdReply: {
      title: 'Half price',
      body: 'Hats',
      mediaType: 1,
      thumbnailUrl: 'https://example.com/hat.jpg',
      sourceType: 'ad',
      sourceId: '120200000000000000',
      sourceUrl: 'https://fb.me/hat',
      sourceApp: 'facebook',
      ctwaClid: 'ARAkLkA8rmlFeiCktEJQ',
      ref: `a${'\0'}b`,
    },
  };
  const { id } = await contact.sendRaw(shop.number, { extendedTextMessage: { text: 'Hi', contextInfo } });
  const referral = {
    title: 'Half price',
    body: 'Hats',
    source_type: 'ad',
    source_id: '120200000000000000',
    source_url: 'https://fb.me/hat',
    source_app: 'facebook',
    media_type: 'image',
    media_url: null,
    thumbnail_url: 'https://example.com/hat.jpg',
    ctwa_clid: 'ARAkLkA8rmlFeiCktEJQ',
    ref: 'ab',
    conversion_source: 'FB_Ads',
    entry_point: 'ctwa_ad',
    entry_point_app: 'facebook',
  };
  expect(await told('message.received', id)).toMatchObject({ referral });
  expect((await api.get(`/messages/${id}`)).body.message).toMatchObject({ referral });
  const plain = await contact.sendText(shop.number, 'Hello');
  expect(await told('message.received', plain.id)).toMatchObject({ referral: null });
});
