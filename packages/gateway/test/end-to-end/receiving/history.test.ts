import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Json, until, World } from '../harness.ts';

let world: World;
let token: string;
let shop: Phone;
let ana: Phone;
let bia: Phone;
let deviceId: string;
/** In the chat with Ana, oldest first. */
let past: { id: string; timestamp: number; fromMe: boolean }[];

beforeAll(async () => {
  world = await World.create();
  token = await world.tenant('history');
  shop = await world.sandbox.createPhone({ number: '5511955550001', name: 'Shop' });
  ana = await world.sandbox.createPhone({ number: '5511955550002', name: 'Ana' });
  bia = await world.sandbox.createPhone({ number: '5511955550003', name: 'Bia' });
  past = await shop.past.fill(ana, 900);
  const group = await shop.createGroup('Team', [ana, bia]);
  await shop.past.add(group, [
    { from: bia, text: 'from long ago', timestamp: 1_700_000_000, pushName: 'Bia' },
    { fromMe: true, text: 'indeed', timestamp: 1_700_000_060 },
  ]);
  deviceId = await world.linkByQr(token, shop);
});
afterAll(() => world.destroy());

const syncs = async (): Promise<Json[]> => {
  const answer = await world.as(token).get('/events?event=history.sync&limit=500');
  if (answer.status !== 200) throw new Error(`events: ${answer.status} ${answer.bytes}`);
  return answer.body.events.filter((event: Json) => event.event === 'history.sync');
};

describe('linking a phone with a past', () => {
  test('brings all of it, in pieces over the CDN, as history.sync and not message by message', async () => {
    const events = await until('all of the history is there', async () => {
      const found = await syncs();
      const stored = found.reduce((sum, { data }) => sum + data.stored, 0);
      return stored >= past.length + 2 && found;
    });
    expect(events.flatMap(({ data }) => data.messages)).toHaveLength(past.length + 2);
    for (const { data } of events) expect(data.messages.length).toBeLessThanOrEqual(100);
    expect(new Set(events.map(({ data }) => data.kind))).toEqual(
      new Set(['initial', 'recent', 'push_names']),
    );
    expect(world.sandbox.cdn.log.some(({ method, status }) => method === 'GET' && status === 200)).toBe(true);

    const oldest = events
      .flatMap(({ data }) => data.messages)
      .find(({ message_id }) => message_id === past[0]?.id);
    expect(oldest).toMatchObject({
      chat_jid: ana.jid,
      chat_lid: ana.lid,
      from: ana.jid,
      content: 'message 1 of 900',
      source: 'history',
      is_from_me: false,
    });
    const inGroup = events
      .flatMap(({ data }) => data.messages)
      .find(({ content }) => content === 'from long ago');
    // Named by LID alone in the file; who that is stands at its end.
    expect(inGroup).toMatchObject({ is_group: true, sender: { jid: bia.jid, lid: bia.lid } });

    const { body } = await world.as(token).get('/events?limit=500');
    const names = new Set(body.events.map((event: Json) => event.event));
    expect(names).not.toContain('message.received');
    expect(names).toContain('app_state.sync_complete');
  });

  test('a message of it has a status, and comes live after it as usual', async () => {
    const own = past.find(({ fromMe }) => fromMe);
    const status = await world.as(token).get(`/messages/${own?.id}/status`);
    expect(status.body).toMatchObject({ success: true, chat_jid: ana.jid });
    const { id } = await ana.sendText(shop, 'live');
    await until('the live message is an event', async () => {
      const { body } = await world.as(token).get('/events?event=message.received&limit=500');
      return body.events.some((event: Json) => event.data.message_id === id);
    });
  });
});

describe('asking for older messages', () => {
  const ask = (body: object) =>
    world.as(token).post('/messages/history/request', { device_id: deviceId, ...body });

  test('is answered by the phone with history.sync', async () => {
    const older = await shop.past.fill(ana, 30, (past[0]?.timestamp ?? 0) - 60);
    const before = (await syncs()).length;
    const answer = await ask({
      chat_jid: ana.jid,
      last_message_id: past[0]?.id,
      last_message_from_me: false,
      last_message_timestamp: past[0]?.timestamp,
      count: 20,
    });
    expect(answer.body).toEqual({
      success: true,
      message: 'History sync requested. Messages will be delivered via webhook (event: history.sync).',
      chat_jid: ana.jid,
      requested_count: 20,
    });
    const [event] = await until('the answer is there', async () => {
      const found = (await syncs()).slice(before);
      return found.length > 0 && found;
    });
    expect(event.data).toMatchObject({ kind: 'on_demand', count: 20, stored: 20 });
    expect(event.data.messages.map((message: Json) => message.message_id)).toEqual(
      older.slice(10).map(({ id }) => id),
    );
  });

  test('before the first one is answered with nothing', async () => {
    const before = (await syncs()).length;
    await ask({ chat_jid: bia.number, last_message_id: '3EB0NONE', last_message_timestamp: 1_600_000_000 });
    const [event] = await until('the answer is there', async () => {
      const found = (await syncs()).slice(before);
      return found.length > 0 && found;
    });
    expect(event.data).toMatchObject({ kind: 'on_demand', count: 0, messages: [] });
  });

  test('is refused with the field that is wrong, and without a connection', async () => {
    const wrong = await ask({ chat_jid: 'nobody', last_message_id: 'x', last_message_timestamp: 1 });
    expect(wrong.body).toMatchObject({ error_code: 'VALIDATION_ERROR', validation: [{ field: 'chat_jid' }] });
    const inMilliseconds = await ask({
      chat_jid: ana.jid,
      last_message_id: 'x',
      last_message_timestamp: Date.now(),
    });
    expect(inMilliseconds.status).toBe(400);
    await world.as(token).post(`/disconnect?device_id=${deviceId}`);
    const offline = await ask({ chat_jid: ana.jid, last_message_id: 'x', last_message_timestamp: 1 });
    expect(offline.status).toBe(503);
    expect(offline.body.error_code).toBe('DEVICE_NOT_READY');
  });
});

test('history that was announced before a stop is fetched and stored after the next start', async () => {
  const owner = await world.sandbox.createPhone({ number: '5511955550004', name: 'Second shop' });
  const messages = await owner.past.fill(ana, 700);
  world.sandbox.faults.setLatency(0);
  await world.linkByQr(token, owner);
  await world.restartGateway();
  const ids = new Set(messages.map(({ id }) => id));
  await until('all of it is there once', async () => {
    const listed = (await syncs()).flatMap(({ data }) => data.messages.map((each: Json) => each.message_id));
    const mine = listed.filter((id) => ids.has(id));
    expect(mine.length).toBeLessThanOrEqual(ids.size);
    return mine.length === ids.size;
  });
});
