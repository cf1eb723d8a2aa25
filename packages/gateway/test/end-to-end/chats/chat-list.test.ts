/** The list of chats, and what a chat shows of who is there. */
import { afterAll, describe, expect, test } from 'vitest';
import { type Json, until } from '../harness.ts';
import { fillChats } from './filled-chats.ts';

const filled = await fillChats({ past: 6 });
const { world, token, device, shop, ana, bia, group } = filled;
let { api } = filled;
afterAll(() => world.destroy());

async function done(method: string, path: string, body?: object): Promise<Json> {
  const answer = await api.call(method, path, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body;
}

const list = async (query = ''): Promise<Json[]> => (await api.get(`/chats${query}`)).body.chats;

function matches(value: object, wanted: object): boolean {
  return Object.entries(wanted).every(([key, each]) => (value as Json)[key] === each);
}

describe('presence', () => {
  test('typing and recording, in a chat and in a group, as others see it', async () => {
    await done('POST', '/presence', {});
    await ana.setPresence('available');
    const states: [object, object, object][] = [
      [{ state: 'typing' }, { state: 'composing', media: 'text' }, { state: 'composing', media: 'text' }],
      [
        { state: 'recording' },
        { state: 'composing', media: 'audio' },
        { state: 'composing', media: 'audio' },
      ],
      [
        { state: 'composing', media: 'audio' },
        { state: 'composing', media: 'audio' },
        { state: 'composing', media: 'audio' },
      ],
      [{ state: 'stop' }, { state: 'paused', media: 'text' }, { state: 'paused', media: 'text' }],
    ];
    for (const [body, answer, seen] of states) {
      expect(await done('POST', `/chats/${ana.jid}/typing`, body)).toEqual({
        success: true,
        chat_jid: ana.jid,
        ...answer,
      });
      await ana.nextPresence((each) => each.kind === 'chat' && each.chat === shop.lid && matches(each, seen));
    }
    await done('POST', `/chats/${group.jid}/typing`, { state: 'typing' });
    await bia.nextPresence(
      (each) => each.kind === 'chat' && each.chat === group.jid && each.from === shop.jid,
    );
  });

  test('the account online and offline, as a contact sees it', async () => {
    await ana.subscribePresence(shop.number);
    expect(await done('POST', '/presence', { state: 'online' })).toEqual({
      success: true,
      state: 'available',
    });
    await ana.nextPresence((each) => each.kind === 'presence' && each.from === shop.jid && each.available);
    expect(await done('POST', '/presence', { state: 'offline' })).toEqual({
      success: true,
      state: 'unavailable',
    });
    await ana.nextPresence((each) => each.kind === 'presence' && each.from === shop.jid && !each.available);
  });

  test('a contact that hides when it was there last is never online', async () => {
    await bia.setPrivacy('last', 'none');
    await bia.setPrivacy('online', 'match_last_seen');
    await done('POST', '/presence/subscribe', { jid: bia.jid, ensure_online: true });
    bia.setPresence('available');
    const told = await until('it is told', async () => {
      const { body } = await api.get('/events?event=contact.presence&limit=200');
      return body.events.find(({ data }: Json) => data.contact.jid === bia.jid);
    });
    expect(told.data).toMatchObject({ state: 'unavailable', last_seen: null });
    bia.setPresence('unavailable');
    await bia.setPrivacy('last', 'all');
  });

  test('a contact that was subscribed to is told by events', async () => {
    expect(await done('POST', '/presence/subscribe', { jid: bia.number, ensure_online: true })).toEqual({
      success: true,
      subject_jid: bia.jid,
    });
    await bia.setPresence('available');
    await until('it is told', async () => {
      const { body } = await api.get('/events?event=contact.presence&limit=200');
      return body.events.some(({ data }: Json) => data.contact.jid === bia.jid && data.state === 'available');
    });
  });
});

describe('the list', () => {
  test('in pages, found by name without accents and by number, and by kind', async () => {
    await shop.account.importContacts(
      Array.from({ length: 25 }, (_, index) => ({
        jid: `5521988880${String(100 + index)}@s.whatsapp.net`,
        fullName: index === 7 ? 'João Conceição' : `Someone ${index}`,
      })),
    );
    const imported = async () => (await list()).filter(({ jid }) => jid.startsWith('5521988880'));
    await until('all are listed', async () => (await imported()).length === 25);
    const all = (await list()).map(({ jid }) => jid);
    const paged: string[] = [];
    let cursor = '';
    do {
      const { body } = await api.get(`/chats?limit=10${cursor}`);
      expect(body.count).toBeLessThanOrEqual(10);
      paged.push(...body.chats.map(({ jid }: Json) => jid));
      cursor = body.next_cursor ? `&cursor=${body.next_cursor}` : '';
    } while (cursor !== '');
    expect(paged).toEqual(all);
    const names = async (q: string) => (await list(`?q=${q}`)).map(({ name }) => name);
    expect(await names('joao')).toEqual(['João Conceição']);
    expect(await names('80107')).toEqual(['João Conceição']);
    expect((await list('?type=group')).map(({ jid }) => jid)).toContain(group.jid);
    expect((await list('?type=contact')).map(({ jid }) => jid)).not.toContain(group.jid);
  });

  test('a chat that nothing is known of, and what is no chat', async () => {
    expect((await api.get('/chats/5511977770000')).status).toBe(404);
    expect((await api.get('/chats/120363000000000001@newsletter')).status).toBe(400);
    expect((await api.post('/chats/nobody/pin')).body.error_code).toBe('INVALID_RECIPIENT');
    expect((await api.post('/chats/5511977770000/pin')).body.error_code).toBe('NOT_ON_WHATSAPP');
    expect((await api.post('/presence/subscribe', { jid: group.jid })).status).toBe(400);
  });

  test('a whole chat, line by line', async () => {
    const { status, headers, bytes } = await api.get(`/chats/${ana.jid}/export`);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('application/x-ndjson');
    const [first, ...lines] = bytes
      .toString('utf8')
      .trimEnd()
      .split('\n')
      .map((each) => JSON.parse(each));
    expect(first.chat).toMatchObject({ jid: ana.jid, name: 'Ana Souza' });
    const last = lines.pop();
    expect(last).toEqual({ complete: true, count: lines.length });
    const listed = (await api.get(`/chats/${ana.jid}/messages?order=asc&limit=500`)).body.messages;
    expect(lines.map(({ message }) => message)).toEqual(listed);
    expect(listed.length).toBeGreaterThan(5);
  });

  test('is the same after a restart, and without a connection', async () => {
    const before = await list();
    await world.restartGateway();
    api = world.as(token);
    await world.untilConnected(token, device);
    expect(await list()).toEqual(before);
    await done('POST', `/disconnect?device_id=${device}`);
    expect(await list()).toEqual(before);
    expect((await api.post(`/chats/${ana.jid}/pin`)).status).toBe(503);
    expect((await api.post(`/connect?device_id=${device}`)).status).toBeLessThan(300);
    await world.untilConnected(token, device);
  });
});

test('another account on the device sees nothing of them', async () => {
  expect((await api.post(`/logout?device_id=${device}`)).status).toBe(200);
  const qr = (await api.get(`/qr?device_id=${device}`)).body.data.qr_code;
  const other = await world.sandbox.createPhone({ number: '5511999994009', name: 'Other' });
  await other.scanQr(qr);
  await world.untilConnected(token, device);
  expect(await list()).toEqual([]);
  expect((await api.get(`/chats/${ana.jid}`)).status).toBe(404);
});
