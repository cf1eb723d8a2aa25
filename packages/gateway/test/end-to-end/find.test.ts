import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, until, untilReceived, World } from './harness.ts';
import { jpeg } from './samples.ts';

let world: World;
let admin: Api;
let clerk: Api;
let stranger: Api;
let shop: Phone;
let contact: Phone;
let friend: Phone;
let group: string;
let shopDevice: string;
let clerkDevice: string;
/** Ids in the order in which they were written, all on the shop's device. */
const id: Record<string, string> = {};

beforeAll(async () => {
  world = await World.create();
  const { sandbox } = world;
  shop = await sandbox.createPhone({ number: '5511999994001', name: 'Shop' });
  contact = await sandbox.createPhone({ number: '5511999994002', name: 'Contact' });
  friend = await sandbox.createPhone({ number: '5511999994003', name: 'Friend' });
  const till = await sandbox.createPhone({ number: '5511999994004', name: 'Till' });
  const adminToken = await world.tenant('finding');
  shopDevice = await world.linkByQr(adminToken, shop);
  admin = world.as(adminToken);
  stranger = world.as(await world.tenant('elsewhere'));
  const user = { email: 'clerk@finding.example', password: 'long enough to be good', role: 'user' };
  const clerkToken = (await admin.post('/users', user)).body.user.token;
  clerkDevice = await world.linkByQr(clerkToken, till);
  clerk = world.as(clerkToken);
  group = (await shop.createGroup('Team', [contact, friend])).jid;

  id.first = await received(contact, shop.number, 'Good morning');
  id.answer = await sent({ number: contact.number, text: 'Good morning to you' });
  id.photo = (await contact.sendImage(shop.number, { bytes: await jpeg(), caption: 'Our door' })).id;
  await untilReceived(admin, id.photo);
  id.inGroup = await received(friend, group, 'Hello team');
  id.place = (
    await admin.post('/send/location', {
      number: friend.number,
      latitude: -23.5,
      longitude: -46.6,
      name: 'Here',
    })
  ).body.message_id;
  const reaction = { number: contact.number, messageId: id.first, reaction: '👍' };
  id.reaction = (await admin.post('/send/reaction', reaction)).body.message_id;
  id.till = (
    await clerk.post('/send/text', { number: contact.number, text: 'from the till' })
  ).body.message_id;
});
afterAll(() => world.destroy());

async function sent(body: Json): Promise<string> {
  const answer = await admin.post(`/send/text?device_id=${shopDevice}`, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body.message_id;
}

async function received(from: Phone, to: string, text: string): Promise<string> {
  const message = await from.sendText(to, text);
  await untilReceived(admin, message.id);
  return message.id;
}

/** Names of the messages that a list shows, in its order. */
async function list(query = '', api: Api = admin): Promise<string[]> {
  const answer = await api.get(`/messages${query}`);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body.messages.map(named);
}

function named(message: Json): string {
  return Object.keys(id).find((name) => id[name] === message.message_id) ?? message.message_id;
}

const onShop = (query: string): string => `?device_id=${shopDevice}&${query}`;

describe('the list', () => {
  test('everything that a chat shows, the newest first, of all devices that the caller may see', async () => {
    expect(new Set(await list())).toEqual(new Set(['till', 'place', 'inGroup', 'photo', 'answer', 'first']));
    expect(await list(onShop('order=asc'))).toEqual(['first', 'answer', 'photo', 'inGroup', 'place']);
    expect(await list('', clerk)).toEqual(['till']);
    expect(await list('', stranger)).toEqual([]);
  });

  test('a message as its event tells it, with how far it came', async () => {
    const { messages } = (await admin.get(`/messages${onShop(`chat=${contact.number}`)}`)).body;
    const events = (await admin.get('/events?limit=1000&event=message.received,message.sent')).body.events;
    for (const message of messages) {
      const event = events.find(({ data }: Json) => data.message_id === message.message_id);
      expect(message).toMatchObject({ ...event.data, device_id: event.device_id });
    }
    const [photo, answer, first] = messages;
    expect(photo).toMatchObject({ status: null, error: null, starred: false, media: { kind: 'image' } });
    expect(['pending', 'delivered', 'read']).toContain(answer.status);
    expect(first.content).toBe('Good morning');
  });

  test.each([
    ['direction=in', ['inGroup', 'photo', 'first']],
    ['direction=out', ['place', 'answer']],
    ['kind=image', ['photo']],
    ['kind=location, image', ['place', 'photo']],
    ['kind=reaction', ['reaction']],
    ['starred=true', []],
    ['starred=false&kind=image', ['photo']],
  ])('%s', async (query, expected) => {
    expect(await list(onShop(query))).toEqual(expected);
  });

  test.each([
    ['its number', () => contact.number],
    ['its number as people write it', () => `+55 (11) 99999-4002`],
    ['its JID', () => contact.jid],
    ['its LID', () => contact.lid],
  ])('one chat, by %s', async (_how, chat) => {
    expect(await list(onShop(`chat=${encodeURIComponent(chat())}`))).toEqual(['photo', 'answer', 'first']);
  });

  test('a group, and a chat in which nothing was written', async () => {
    expect(await list(`?chat=${group}`)).toEqual(['inGroup']);
    expect(await list('?chat=5511999994999')).toEqual([]);
    expect(await list('?chat=status@broadcast')).toEqual([]);
  });

  test('a span of time: its begin belongs to it, its end does not', async () => {
    const { messages } = (await admin.get(`/messages${onShop('')}`)).body;
    const times = messages.map(({ timestamp }: Json) => timestamp);
    const [newest, oldest] = [times[0], times.at(-1)];
    const before = (await list(onShop(`before=${newest}`))).length;
    expect(before).toBe(times.filter((each: string) => each < newest).length);
    expect(await list(onShop(`after=${oldest}`))).toHaveLength(5);
    // As programs write it that do not encode their queries: the + is a space by then.
    expect(await list(onShop(`after=${oldest.replace('Z', '+00:00')}`))).toHaveLength(5);
    expect(await list(onShop(`after=2020-01-01T00:00:00Z&before=2020-01-02T00:00:00Z`))).toEqual([]);
  });

  test.each(['asc', 'desc'])('page by page, %s, with nothing twice and nothing left out', async (order) => {
    const whole = await list(`?order=${order}`);
    const pages: string[] = [];
    let cursor: string | null = null;
    do {
      const next: Json = (
        await admin.get(`/messages?order=${order}&limit=2${cursor ? `&cursor=${cursor}` : ''}`)
      ).body;
      expect(next.messages.length).toBeLessThanOrEqual(2);
      pages.push(...next.messages.map(named));
      cursor = next.next_cursor;
    } while (cursor);
    expect(pages).toEqual(whole);
  });

  test.each([
    ['kind=fax', 'kind'],
    ['chat=nobody', 'chat'],
    ['direction=up', 'direction'],
    ['after=yesterday', 'after'],
    ['limit=501', 'limit'],
    ['limit=-1', 'limit'],
    ['cursor=abc', 'cursor'],
    ['order=random', 'order'],
  ])('refuses %s', async (query, field) => {
    const answer = await admin.get(`/messages?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.body.validation.map((each: Json) => each.field)).toContain(field);
  });

  test('a device that the caller may not see is unknown', async () => {
    for (const [api, device] of [
      [clerk, shopDevice],
      [stranger, clerkDevice],
    ] as const) {
      const answer = await api.get(`/messages?device_id=${device}`);
      expect([answer.status, answer.body.error_code]).toEqual([404, 'DEVICE_NOT_FOUND']);
    }
  });
});

describe('one message', () => {
  test('is what the list shows', async () => {
    const { messages } = (await admin.get('/messages')).body;
    for (const message of messages) {
      expect((await admin.get(`/messages/${message.message_id}`)).body).toEqual({ success: true, message });
    }
    const place = (await admin.get(`/messages/${id.place}`)).body.message;
    expect(place.details).toMatchObject({ latitude: -23.5, name: 'Here' });
  });

  test('follows its edit and its deletion', async () => {
    const text = await sent({ number: contact.number, text: 'befor' });
    await admin.put(`/messages/${text}`, { to: contact.number, message: 'before' });
    const edited = (await admin.get(`/messages/${text}`)).body.message;
    expect(edited).toMatchObject({ content: 'before', revoked_at: null, edited_at: expect.any(String) });
    const deletion = { messageId: text, chatJid: contact.jid };
    await admin.call('DELETE', '/messages/delete', { ...deletion, deleteType: 'for_everyone' });
    expect((await admin.get(`/messages/${text}`)).body.message.revoked_at).toEqual(expect.any(String));
    await admin.call('DELETE', '/messages/delete', { ...deletion, deleteType: 'for_me' });
    expect((await admin.get(`/messages/${text}`)).body.error_code).toBe('MESSAGE_NOT_FOUND');
    expect(await list(`?chat=${contact.number}`)).not.toContain(text);
  });

  test('of another tenant, of a device that the caller may not see, or unknown: not found', async () => {
    for (const [api, message] of [
      [stranger, id.first],
      [clerk, id.first],
      [admin, '3EB000000000000000'],
    ] as const) {
      const answer = await api.get(`/messages/${message}`);
      expect([answer.status, answer.body.error_code]).toEqual([404, 'MESSAGE_NOT_FOUND']);
    }
    expect((await admin.get(`/messages/${id.first}?device_id=${clerkDevice}`)).status).toBe(404);
  });
});

describe('search', () => {
  const found = async (q: string, filter = '', api: Api = admin): Promise<string[]> => {
    const answer = await api.get(`/messages/search?q=${encodeURIComponent(q)}${filter}`);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    expect(answer.body.complete).toBe(true);
    return answer.body.messages.map(named);
  };

  beforeAll(async () => {
    id.menu = (
      await contact.sendDocument(shop.number, {
        bytes: Buffer.from('soup'),
        fileName: 'Cardápio-verão.pdf',
        mimeType: 'application/pdf',
      })
    ).id;
    await untilReceived(admin, id.menu);
    id.poll = (await contact.sendPoll(shop.number, 'Which colour?', ['blue', 'red'])).id;
    await untilReceived(admin, id.poll);
  });

  test.each([
    ['good morning', ['answer', 'first']],
    ['GOOD', ['answer', 'first']],
    ['"good morning to"', ['answer']],
    ['"morning good"', []],
    ['morn*', ['answer', 'first']],
    ['"morning to yo"*', ['answer']],
    ['verão-pd*', ['menu']],
    ['verão-p*', 400],
    ['你*', []],
    ['our door', ['photo']],
    ['cardapio verao', ['menu']],
    ['verão.pdf', ['menu']],
    ['colour', ['poll']],
    ['here', ['place']],
    ['good AND team', []],
    ['good NOT morning', []],
    ['from the till', ['till']],
    ['👍', 400],
    ['*', 400],
    ['m*', 400],
    ['""', 400],
    ['', 400],
  ] as [string, string[] | number][])('%s', async (q, expected) => {
    if (Array.isArray(expected)) {
      expect(await found(q)).toEqual(expected);
      return;
    }
    const answer = await admin.get(`/messages/search?q=${encodeURIComponent(q)}`);
    expect([answer.status, answer.body.error_code]).toEqual([400, 'VALIDATION_ERROR']);
    expect(answer.body.validation[0].field).toBe('q');
  });

  test.each([
    ['good', `&chat=`, () => contact.number, ['answer', 'first']],
    ['good', `&chat=`, () => contact.lid, ['answer', 'first']],
    ['good', `&chat=`, () => friend.number, []],
    ['good', `&direction=`, () => 'out', ['answer']],
    ['our', `&kind=`, () => 'image', ['photo']],
    ['our', `&kind=`, () => 'text,live_location', []],
    ['good', `&starred=`, () => 'true', []],
    ['good', `&starred=`, () => 'false', ['answer', 'first']],
    ['good', `&order=`, () => 'asc', ['first', 'answer']],
    ['good', `&before=`, () => '2020-01-01T00:00:00Z', []],
    ['good', `&after=`, () => '2020-01-01T00:00:00Z', ['answer', 'first']],
  ])('%s %s', async (q, name, value, expected) => {
    expect(await found(q, name + encodeURIComponent(value()))).toEqual(expected);
  });

  test('finds nothing of others', async () => {
    const page = (await clerk.get('/messages/search?q=good&limit=1')).body;
    expect([page.messages, page.next_cursor]).toEqual([[], null]);
    expect(await found('till', '', clerk)).toEqual(['till']);
    expect(await found('good', '', stranger)).toEqual([]);
    const answer = await clerk.get(`/messages/search?q=good&device_id=${shopDevice}`);
    expect(answer.body.error_code).toBe('DEVICE_NOT_FOUND');
  });

  test('follows edits and deletions', async () => {
    id.typo = await sent({ number: contact.number, text: 'Opne on Monday' });
    expect(await found('opne')).toEqual(['typo']);
    await admin.put(`/messages/${id.typo}`, { to: contact.number, message: 'Open on Monday' });
    expect(await found('opne')).toEqual([]);
    expect(await found('open monday')).toEqual(['typo']);
    const deletion = { messageId: id.typo, chatJid: contact.jid, deleteType: 'for_everyone' };
    await admin.call('DELETE', '/messages/delete', deletion);
    expect(await found('open monday')).toEqual([]);
    id.secret = await sent({ number: contact.number, text: 'Hideous' });
    expect(await found('hideous')).toEqual(['secret']);
    const hiding = { messageId: id.secret, chatJid: contact.jid, deleteType: 'for_me' };
    await admin.call('DELETE', '/messages/delete', hiding);
    expect(await found('hideous')).toEqual([]);
  });
});

test('why a message failed', async () => {
  world.sandbox.faults.nextAckError(463);
  const refused = await admin.post(`/send/text?device_id=${shopDevice}`, {
    number: contact.number,
    text: 'no',
  });
  expect(refused.status).toBeGreaterThanOrEqual(400);
  const failed = await until('the list has it', async () =>
    (await admin.get(`/messages${onShop('direction=out')}`)).body.messages.find(
      ({ status }: Json) => status === 'failed',
    ),
  );
  expect(failed.error).toContain('463');
});
