import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AdvancingClock } from '../../src/clock.ts';
import type { EventName } from '../../src/events/catalogue/names.ts';
import { type Api, type Json, until, World } from '../end-to-end/harness.ts';
import { jpeg, oggOpus } from '../end-to-end/samples.ts';
import { problems } from './schema.ts';

const clock = new AdvancingClock();
let world: World;
let api: Api;
let token: string;
let deviceId: string;
let shop: Phone;
let contact: Phone;
/** Where this test's events begin. */
let after: string;

beforeAll(async () => {
  world = await World.create({ clock });
  token = await world.tenant('events');
  api = world.as(token);
  shop = await world.sandbox.createPhone({ number: '5511999994001', name: 'Shop' });
  contact = await world.sandbox.createPhone({ number: '5511999994002', name: 'Contact' });
  deviceId = await world.linkByQr(token, shop);
});
afterAll(() => world.destroy());
beforeEach(async () => {
  after = (await api.get('/events?after=latest')).body.next;
});

/** Waits for the events of these names, in this order; each must be as its schema says. */
async function expectEvents(names: EventName[], from = after): Promise<Json[]> {
  const asked = [...new Set(names)].map((name) => `event=${name}`).join('&');
  let seen: string[] = [];
  const events = await until(`${names.join(', ')} are recorded`, async () => {
    const page: Json[] = (await api.get(`/events?after=${from}&${asked}`)).body.events;
    seen = page.map((event) => event.event);
    return page.length >= names.length && page;
  }).catch((error: Error) => {
    throw new Error(`${error.message}; there are: ${seen.join(', ')}`);
  });
  expect(events.map((event) => event.event)).toEqual(names);
  for (const event of events) {
    expect(problems(event.event, event.data), `${event.event} ${JSON.stringify(event.data)}`).toEqual([]);
    expect(event.device_id).toBe(deviceId);
  }
  return events.map((event) => event.data);
}

const shopPerson = () => ({ jid: shop.jid, lid: shop.lid, phone_number: shop.number });
const contactPerson = () => ({ jid: contact.jid, lid: contact.lid, phone_number: contact.number });
const companion = () => `${shop.number}:${shop.companions[0]}@s.whatsapp.net`;

describe('linking', () => {
  test('the QR, the phone, the connection', async () => {
    const [qr, pair, connected] = await expectEvents(
      ['qr.generated', 'pair.success', 'device.connected'],
      '0',
    );
    expect(qr.qr_code).toMatch(/^2@/);
    expect(qr.qr_url).toBe(`https://wa.me/settings/linked_devices#${qr.qr_code}`);
    expect(pair).toMatchObject({ jid: shop.jid, phone_number: shop.number });
    expect(connected).toMatchObject({ jid: shop.jid, state: 'connected', reason: 'open' });
  });
});

describe('messages from others', () => {
  test('a text, with both names of its sender', async () => {
    const sent = await contact.sendText(shop.number, 'good morning');
    const [data] = await expectEvents(['message.received']);
    expect(data).toMatchObject({
      message_id: sent.id,
      chat_jid: contact.jid,
      chat_lid: contact.lid,
      from: contact.jid,
      to: shop.jid,
      sender: { ...contactPerson(), push_name: 'Contact' },
      content: 'good morning',
      message_type: 'text',
      source: 'phone',
    });
  });

  test('a picture: its descriptor, and its bytes under the url it names', async () => {
    const bytes = await jpeg();
    await contact.sendImage(shop.number, { bytes, caption: 'look' });
    const [data] = await expectEvents(['message.received']);
    expect(data).toMatchObject({ content: 'look', message_type: 'image', media: { size: bytes.length } });
    const file = await until('the file is served', async () => {
      const answer = await api.get(data.media.url);
      return answer.status === 200 && answer;
    });
    expect(file.bytes.equals(bytes)).toBe(true);
  });

  test('an answer, a location, an edit, a reaction, a revoke', async () => {
    const first = await contact.sendText(shop.number, 'one');
    await contact.sendText(shop.number, 'two', { quoted: first });
    await contact.sendLocation(shop.number, { latitude: -23.5, longitude: -46.6, name: 'Market' });
    await contact.sendEdit(shop.number, first, 'first');
    await contact.sendReaction(shop.number, first, '👍');
    await contact.sendRevoke(shop.number, first);
    const [, answer, place, edit, , reaction, revoke] = await expectEvents([
      'message.received',
      'message.received',
      'message.received',
      'message.edited',
      'message.received',
      'message.reaction',
      'message.revoked',
    ]);
    expect(answer.quoted).toMatchObject({ message_id: first.id, body: 'one' });
    expect(place.details).toMatchObject({ latitude: -23.5, longitude: -46.6, name: 'Market' });
    expect(edit).toMatchObject({ message_id: first.id, content: 'first' });
    expect(reaction).toMatchObject({ message_id: first.id, reaction: '👍' });
    expect(revoke).toMatchObject({ message_id: first.id, sender: contactPerson() });
  });

  test('a poll and a vote', async () => {
    const poll = await contact.sendPoll(shop.number, 'When?', ['Monday', 'Tuesday']);
    await contact.sendPollVote(shop.number, poll, ['Tuesday']);
    const [asked, vote] = await expectEvents(['message.received', 'message.poll_vote']);
    expect(asked.details).toMatchObject({ name: 'When?', options: ['Monday', 'Tuesday'] });
    expect(vote).toMatchObject({ message_id: poll.id, poll_name: 'When?', options: ['Tuesday'] });
  });

  test('a message that cannot be decrypted, then the message', async () => {
    const sent = await contact.sendText(shop.number, 'garbled', { corrupt: 'companions' });
    const [data, message] = await expectEvents(['message.undecryptable', 'message.received']);
    expect(message).toMatchObject({ message_id: sent.id, content: 'garbled' });
    expect(data).toMatchObject({ message_id: sent.id, sender: contactPerson() });
  });
});

describe('messages of ours', () => {
  test('sent over the API, delivered, read', async () => {
    const { body } = await api.post('/send/text', {
      number: contact.number,
      text: 'hello @5511999994002',
      mentioned: [contact.number],
    });
    await contact.waitForMessage((message) => message.id === body.message_id);
    await expectEvents(['message.sent', 'mention.sent', 'message.delivered']);
    await contact.markRead(shop.jid, [body.message_id]);
    const [sent, mention, delivered, read] = await expectEvents([
      'message.sent',
      'mention.sent',
      'message.delivered',
      'message.read',
    ]);
    expect(sent).toMatchObject({
      message_id: body.message_id,
      from: shop.jid,
      to: contact.jid,
      sender: shopPerson(),
      is_from_me: true,
      source: 'api',
    });
    expect(mention).toMatchObject({ message_id: body.message_id, mentions: [contact.jid] });
    expect(delivered).toMatchObject({ status: 'delivered', recipient: contactPerson() });
    expect(read).toMatchObject({ message_id: body.message_id, status: 'read', recipient: contactPerson() });
  });

  test('a voice note is played; an edit is an edit', async () => {
    const voice = { number: contact.number, audio: oggOpus().toString('base64'), ptt: true };
    const { body } = await api.post('/send/audio', voice);
    await contact.waitForMessage((message) => message.id === body.message_id);
    await contact.markPlayed(shop.jid, [body.message_id]);
    const [sent, played] = await expectEvents(['message.sent', 'message.played']);
    expect(sent.media).toMatchObject({ kind: 'voice', url: `/messages/${body.record_id}/media` });
    expect(played).toMatchObject({ status: 'played' });
    const text = (await api.post('/send/text', { number: contact.number, text: 'a' })).body.message_id;
    const edit = await api.put(`/messages/${text}`, { to: contact.number, message: 'b' });
    const [edited] = await expectEvents(['message.edited']);
    expect(edited).toMatchObject({ message_id: text, edit_id: edit.body.message_id, content: 'b' });
  });

  test('written on the phone', async () => {
    const sent = await shop.sendText(contact.number, 'from the phone');
    const [data] = await expectEvents(['message.sent']);
    expect(data).toMatchObject({ message_id: sent.id, source: 'phone', is_from_me: true, to: contact.jid });
  });

  test('refused by WhatsApp', async () => {
    world.sandbox.faults.nextAckError(463);
    const answer = await api.post('/send/text', { number: contact.number, text: 'no' });
    expect(answer.status).toBe(429);
    const [data] = await expectEvents(['message.failed']);
    expect(data.error).toContain('463');
  });

  test('a group: each member answers for himself', async () => {
    const friend = await world.sandbox.createPhone({ number: '5511999994003', name: 'Friend' });
    const group = await contact.createGroup('Events', [shop, friend]);
    const { body } = await api.post('/send/text', { number: group.jid, text: 'all of you' });
    const events = await expectEvents(['message.delivered', 'message.delivered']);
    expect(events.map((data) => data.message_id)).toEqual([body.message_id, body.message_id]);
    const lids = events.map((data) => data.recipient.lid);
    expect(new Set(lids)).toEqual(new Set([contact.lid, friend.lid]));
    expect(events[0]).toMatchObject({ is_group: true, chat_jid: group.jid });
  });
});

describe('media that WhatsApp no longer has', () => {
  test.each([
    ['reupload', 'success', true],
    ['not_found', 'not_found', false],
    ['error_node', 'not_found', false],
    ['general_error', 'general_error', false],
  ] as const)('the phone answers: %s', async (mood, result, success) => {
    const bytes = await jpeg();
    const sent = await contact.sendImage(shop.number, { bytes });
    await until(
      'the file is cached',
      async () => (await api.get(`/messages/${sent.id}/media`)).status === 200,
    );
    await until('the cache is empty', async () => (await world.gateway.parts.media.emptyCache()) === 0);
    world.sandbox.cdn.expire(world.sandbox.cdn.objects().at(-1)?.path ?? '');
    shop.mediaRetry = mood;
    expect((await api.get(`/messages/${sent.id}/media`)).status).toBe(202);
    const [data] = await expectEvents(['media.retry']);
    const { record_id } = (await api.get(`/messages/${sent.id}`)).body.message;
    expect(data).toEqual({
      message_id: sent.id,
      record_id,
      chat_jid: contact.jid,
      chat_lid: contact.lid,
      from: contact.jid,
      to: shop.jid,
      is_from_me: false,
      success,
      result,
      url: `/messages/${record_id}/media`,
    });
  });
});

describe('the connection', () => {
  test('lost and back', async () => {
    world.sandbox.faults.drop(companion());
    await world.sandbox.waitForOffline(companion());
    const [lost] = await expectEvents(['device.disconnected']);
    expect(lost).toMatchObject({ state: 'reconnecting', will_retry: true });
    clock.advance(60_000);
    await expectEvents(['device.connected']);
  });

  test('disconnected and connected again by its owner', async () => {
    await api.post('/disconnect');
    await api.post('/connect');
    const [down, asked, up] = await expectEvents([
      'device.disconnected',
      'connection.manual_reconnect',
      'device.connected',
    ]);
    expect(down).toMatchObject({ state: 'disconnected', reason: 'requested', will_retry: false });
    expect(asked).toMatchObject({ state: 'reconnecting', reason: 'connect_requested' });
    expect(up).toMatchObject({ state: 'connected' });
  });

  test('a gateway that stops and starts', async () => {
    await world.restartGateway();
    api = world.as(token);
    await world.untilConnected(token, deviceId);
    const [down] = await expectEvents(['device.disconnected', 'device.connected']);
    expect(down).toMatchObject({ reason: 'gateway_stopped', will_retry: true });
  });

  test.each([
    ['outdated', 'connection.failure', 405],
    ['banned', 'connection.failure', 403],
    ['replaced', 'connection.stream_replaced', 440],
  ] as const)('ends as %s', async (fault, name, code) => {
    world.sandbox.faults.streamError(companion(), fault);
    const [down, why] = await expectEvents(['device.disconnected', name]);
    expect(down).toMatchObject({ state: fault, will_retry: fault === 'outdated' });
    expect(why).toMatchObject({ state: fault, reason: fault, status_code: code });
    expect((await api.post('/connect')).status).toBe(200);
    await world.untilConnected(token, deviceId);
  });

  test('a ban that ends by itself', async () => {
    const attrs = { code: '104', expire: '7200' };
    world.sandbox.faults.refuseLogin(402, { number: shop.number, times: 1, attrs });
    world.sandbox.faults.drop(companion());
    clock.advance(60_000);
    const [ban] = await expectEvents(['connection.temporary_ban']);
    expect(ban).toMatchObject({
      state: 'banned',
      reason: 'temporary_ban',
      status_code: 402,
      will_retry: true,
      ban: { code: 104, why: 'the same message to too many people' },
    });
    const { data } = (await api.get('/status')).body;
    expect(data.ban).toEqual(ban.ban);
    const left = Date.parse(data.ban.until) - clock.now();
    expect(left).toBeGreaterThan(7_000_000);
    expect(left).toBeLessThanOrEqual(7_200_000);
    expect(data.hint).toContain(`until ${data.ban.until}`);
    expect((await api.post('/connect')).status).toBe(200);
    await world.untilConnected(token, deviceId);
  });

  test('unlinked on the phone', async () => {
    await shop.unlink(shop.companions[0] ?? 1);
    const [, out] = await expectEvents(['device.disconnected', 'device.logged_out']);
    expect(out).toMatchObject({ state: 'logged_out', reason: 'logged_out' });
  });
});
