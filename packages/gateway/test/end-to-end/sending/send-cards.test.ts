/** What is more than words or a file, as the receiving phone decrypts it. */
import type { Phone } from '@wuts/sandbox';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Api, type Json, until, type World } from '../harness.ts';
import { jpeg } from '../samples.ts';
import { openShop } from '../shop.ts';
import { type SendsTo, sendsTo } from './sends-to.ts';

let world: World;
let api: Api;
let shop: Phone;
let contact: Phone;
let friend: Phone;
let group: string;
let sent: SendsTo['sent'];
let refused: SendsTo['refused'];

beforeAll(async () => {
  ({ world, api, shop, contact, friend } = await openShop({
    tenant: 'cards',
    settings: { WUTS_ALLOW_NETWORKS: '127.0.0.0/8' },
  }));
  group = (await shop.createGroup('Team', [contact, friend])).jid;
  ({ sent, refused } = sendsTo(api, contact));
});
afterAll(() => world.destroy());

const simple = (answer: Answer, message: string) =>
  expect(answer.body).toEqual(
    expect.objectContaining({
      success: true,
      message_id: expect.any(String),
      timestamp: expect.any(String),
      message,
    }),
  );

describe('location', () => {
  const place = { latitude: -23.5505, longitude: -46.6333 };

  test('a place with name, address, link and picture', async () => {
    const thumbnail = (await jpeg()).toString('base64');
    const { answer, message } = await sent('location', {
      ...place,
      name: 'Praça da Sé',
      address: 'Centro',
      url: 'https://example.com/se',
      comment: 'Here',
      thumbnail,
    });
    simple(answer, 'Location sent successfully');
    expect(message.locationMessage).toMatchObject({
      degreesLatitude: place.latitude,
      degreesLongitude: place.longitude,
      name: 'Praça da Sé',
      address: 'Centro',
      url: 'https://example.com/se',
      comment: 'Here',
    });
    expect((await sharp(message.locationMessage.jpegThumbnail).metadata()).format).toBe('jpeg');
  });

  test.each([
    ['latitude', { latitude: 90.1 }],
    ['longitude', { longitude: '-46' }],
    ['latitude', { latitude: null }],
    ['name', { name: 'x'.repeat(1025) }],
    ['thumbnail_url', { thumbnail: 'aGk=', thumbnail_url: 'https://example.com/x.jpg' }],
  ])('refuses a bad %s', async (field, bad) => {
    await refused('location', { ...place, ...bad }, field);
  });

  test('refuses a thumbnail that is no picture', async () => {
    await refused('location', { ...place, thumbnail: 'aGk=' }, 'thumbnail', 'INVALID_MEDIA');
  });

  test('a live position', async () => {
    const { answer, message } = await sent('live-location', {
      ...place,
      accuracy_in_meters: 12,
      speed_in_mps: 1.5,
      degrees_clockwise_from_magnetic_north: 270,
      caption: 'On my way',
      sequence_number: 1_700_000_000_000_001,
      time_offset: 5,
      duration_in_seconds: 900,
    });
    simple(answer, 'Live location sent successfully');
    const live = message.liveLocationMessage;
    expect(live).toMatchObject({
      degreesLatitude: place.latitude,
      accuracyInMeters: 12,
      speedInMps: 1.5,
      degreesClockwiseFromMagneticNorth: 270,
      caption: 'On my way',
      timeOffset: 5,
    });
    expect(Number(live.sequenceNumber)).toBe(1_700_000_000_000_001);
    await refused('live-location', { ...place, accuracy_in_meters: -1 }, 'accuracy_in_meters');
  });
});

describe('contacts', () => {
  const maria = {
    display_name: 'Maria; Silva, Jr',
    phone: '+55 (11) 98888-7777',
    first_name: 'Maria',
    last_name: 'Silva\nJr',
    company: 'Acme',
    email: 'maria@example.com',
  };

  test('one card, with what would end a line escaped', async () => {
    const { answer, message } = await sent('contact', { contact: maria });
    simple(answer, 'Contact sent successfully');
    expect(message.contactMessage.displayName).toBe('Maria; Silva, Jr');
    expect(message.contactMessage.vcard.split('\n')).toEqual([
      'BEGIN:VCARD',
      'VERSION:3.0',
      'N:Silva\\nJr;Maria;;;',
      'FN:Maria\\; Silva\\, Jr',
      'ORG:Acme',
      'TEL;type=CELL;type=VOICE;waid=5511988887777:+5511988887777',
      'EMAIL:maria@example.com',
      'END:VCARD',
    ]);
  });

  test('several cards in one message', async () => {
    const { answer, message } = await sent('contacts', {
      contacts: [maria, { display_name: 'João', phone: '5511977776666' }],
    });
    simple(answer, 'Contacts sent successfully');
    expect(answer.body.contact_count).toBe(2);
    const cards: Json[] = message.contactsArrayMessage.contacts;
    expect(cards.map(({ displayName }) => displayName)).toEqual(['Maria; Silva, Jr', 'João']);
    expect(cards[1].vcard).toContain('waid=5511977776666');
  });

  test('refuses what is no contact', async () => {
    await refused('contacts', { contacts: [] }, 'contacts');
    await refused('contacts', { contacts: [maria, { display_name: 'x' }] }, 'contacts.1.phone');
    await refused('contact', { contact: { ...maria, phone: '12' } }, 'contact.phone');
    await refused('contact', { contact: { ...maria, email: 'nobody' } }, 'contact.email');
    await refused('contact', { contact: { phone: maria.phone } }, 'contact.display_name');
    await refused('contact', { contact: { ...maria, display_name: '  ' } }, 'contact.display_name');
  });
});

describe('polls and events', () => {
  const options = [{ option_name: 'Today' }, { option_name: 'Tomorrow' }];

  test.each([
    [false, 'pollCreationMessageV3', 1],
    [true, 'pollCreationMessage', 0],
  ])('a poll, several answers: %s; its votes can be read', async (several, member, selectable) => {
    const { answer, got, message } = await sent('poll', {
      question: 'When?',
      options,
      allow_multiple_answers: several,
    });
    simple(answer, 'Poll sent successfully');
    expect(answer.body).toMatchObject({ options_count: 2, multiple_choice: several });
    expect(message[member]).toMatchObject({ name: 'When?', selectableOptionsCount: selectable });
    expect(message[member].options.map(({ optionName }: Json) => optionName)).toEqual(['Today', 'Tomorrow']);
    expect(got.stanza?.type).toBe('poll');
    expect(got.stanza?.nodes).toContainEqual(
      expect.objectContaining({ tag: 'meta', attrs: { polltype: 'creation' } }),
    );
    await contact.sendPollVote(shop, got.id, ['Tomorrow']);
    await until('the vote is reported', async () => {
      const { body } = await api.get('/events?limit=500');
      return body.events.some(
        ({ event, data }: Json) =>
          event === 'message.poll_vote' && data.message_id === got.id && data.options.includes('Tomorrow'),
      );
    });
  });

  test('refuses what is no poll', async () => {
    const few = await refused('poll', { question: 'When?', options: options.slice(1) }, 'options');
    expect(few.body.error).toBe('Poll must have between 2 and 12 options');
    const many = Array.from({ length: 13 }, (_, n) => ({ option_name: `${n}` }));
    await refused('poll', { question: 'When?', options: many }, 'options');
    await refused('poll', { question: 'When?', options: [options[0], options[0]] }, 'options.1.option_name');
    await refused('poll', { question: ' ', options }, 'question');
    await refused(
      'poll',
      { question: 'When?', options: [{ option_name: 'x'.repeat(101) }, options[0]] },
      'options.0.option_name',
    );
  });

  test('a calendar event', async () => {
    const { answer, got, message } = await sent('event', {
      name: 'Inventory',
      description: 'Bring gloves',
      start_time: '2026-12-01T14:00:00-03:00',
      end_time: '2026-12-01T18:00:00Z',
      location: { name: 'Warehouse', latitude: -23.5, longitude: -46.6 },
      extra_guests_allowed: true,
    });
    simple(answer, 'Event sent successfully');
    expect(message.eventMessage).toMatchObject({
      name: 'Inventory',
      description: 'Bring gloves',
      extraGuestsAllowed: true,
      location: { name: 'Warehouse', degreesLatitude: -23.5 },
    });
    expect(Number(message.eventMessage.startTime)).toBe(Date.parse('2026-12-01T17:00:00Z') / 1000);
    expect(message.messageContextInfo.messageSecret).toHaveLength(32);
    expect(got.stanza?.nodes).toContainEqual(
      expect.objectContaining({ tag: 'meta', attrs: { event_type: 'creation' } }),
    );
    const event = await until('it is reported', async () => {
      const { body } = await api.get('/events?limit=500');
      return body.events.find(({ data }: Json) => data.message_id === got.id);
    });
    expect(event.data).toMatchObject({
      message_type: 'event',
      details: { name: 'Inventory', start_time: '2026-12-01T17:00:00.000Z', location: { name: 'Warehouse' } },
    });
    const bad = { name: 'x', start_time: '2026-12-01T14:00:00Z' };
    await refused('event', { ...bad, end_time: '2026-12-01T13:00:00Z' }, 'end_time');
    await refused('event', { ...bad, start_time: 'soon' }, 'start_time');
    await refused('event', { ...bad, location: { latitude: 1 } }, 'location');
  });
});

describe('reactions', () => {
  test('to a message of theirs and back', async () => {
    const { id } = await contact.sendText(shop, 'good news');
    const { answer, got } = await sent('reaction', { messageId: id, reaction: '👍🏽' });
    expect(answer.body).toMatchObject({
      status: 'sent',
      metadata: { original_message_id: id, reaction_emoji: '👍🏽' },
    });
    expect(got).toMatchObject({ kind: 'reaction', reactionTo: id, emoji: '👍🏽' });
    expect(got.stanza?.type).toBe('reaction');
    expect((await sent('reaction', { message_id: id, reaction: '' })).got.emoji).toBe('');
    await sent('reaction', { message_id: id, reaction: '👍' });
    expect((await sent('reaction', { message_id: id, reaction: null })).got.emoji).toBe('');
  });

  test('to a message in a group, whose author the archive knows', async () => {
    const { id } = await friend.sendText(group, 'hello all');
    await until(
      'it is stored',
      async () =>
        (await world.gateway.parts.archive.stored.withId(
          (await api.get('/user')).body?.user?.tenant_id ?? '',
          id,
        )) !== null,
    );
    const { message } = await sent('reaction', { to: group, messageId: id, reaction: '❤️' });
    expect(message.reactionMessage.key).toMatchObject({ id, fromMe: false, participant: friend.jid });
  });

  test('refuses what is no reaction', async () => {
    await refused('reaction', { messageId: 'X1', reaction: 'ok' }, 'reaction');
    await refused('reaction', { messageId: 'X1', reaction: '👍👍' }, 'reaction');
    await refused('reaction', { messageId: ' ', reaction: '👍' }, 'messageId');
    await refused('reaction', { reaction: '👍' }, 'messageId');
    await refused('reaction', { messageId: 'X1' }, 'reaction');
    const unknown = { to: group, messageId: '3EB0000000', reaction: '👍' };
    await refused('reaction', unknown, 'participant');
    await refused('reaction', { ...unknown, participant: 'nobody' }, 'participant');
  });
});

describe('mentions', () => {
  test('everybody and one, the tag in the text becomes what clients look for', async () => {
    const { answer, message } = await sent('text/mentions', {
      to: group,
      text: 'Olá 👋 @Ana and @todos',
      mentions: {
        mentionAll: true,
        mentionAllPosition: [15, 21],
        specificUsers: [{ jid: contact.jid, name: 'Ana', position: [6, 10] }],
      },
    });
    const { text, contextInfo } = message.extendedTextMessage;
    expect(text).toBe(`Olá 👋 @${contact.number} and @todos`);
    expect([...contextInfo.mentionedJid].sort()).toEqual([shop.jid, contact.jid, friend.jid].sort());
    expect(answer.body.metadata).toMatchObject({
      mentions_processed: 3,
      mention_all_applied: true,
      specific_mentions: 1,
      silent_mentions: false,
      group_participants: 3,
    });
  });

  test('silent: notifies and leaves the text alone', async () => {
    const { message } = await sent('text/mentions', {
      to: group,
      text: 'quiet @Ana',
      mentions: { silent: true, specificUsers: [{ jid: contact.number, name: 'Ana' }] },
    });
    expect(message.extendedTextMessage.text).toBe('quiet @Ana');
    expect(message.extendedTextMessage.contextInfo.mentionedJid).toEqual([contact.jid]);
  });

  test('refuses an individual, nobody, and positions that are none', async () => {
    const users = { specificUsers: [{ jid: '5511999997002' }] };
    await refused('text/mentions', { text: 'x', mentions: users }, 'to');
    await refused('text/mentions', { to: group, text: 'x', mentions: {} }, 'mentions');
    await refused('text/mentions', { to: group, text: 'x' }, 'mentions');
    const bad = (position: number[]) => ({ specificUsers: [{ jid: '5511999997002', position }] });
    const field = 'mentions.specificUsers.0.position';
    await refused('text/mentions', { to: group, text: 'x', mentions: bad([3, 1]) }, field);
    await refused('text/mentions', { to: group, text: 'x', mentions: bad([1]) }, field);
    await refused(
      'text/mentions',
      { to: group, text: 'x', mentions: { specificUsers: [{ jid: 'nobody' }] } },
      'mentions.specificUsers.0',
    );
  });
});
