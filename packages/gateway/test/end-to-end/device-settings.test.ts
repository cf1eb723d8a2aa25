/** What a device does by itself, as its settings say; phones see it. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { AdvancingClock } from '../../src/clock.ts';
import { type Api, type Json, until, untilReceived, World } from './harness.ts';

const DEFAULTS = { ignore: [], mark_read: [], read_receipts: true, presence: 'as_asked' };

let world: World;
let clock: AdvancingClock;
let api: Api;
let token: string;
let device: string;
let shop: Phone;
let contact: Phone;

beforeAll(async () => {
  clock = new AdvancingClock();
  world = await World.create({ clock });
  token = await world.tenant('settled');
  api = world.as(token);
  shop = await world.sandbox.createPhone({ number: '5511999994701', name: 'Shop' });
  contact = await world.sandbox.createPhone({ number: '5511999994702', name: 'Contact' });
  device = await world.linkByQr(token, shop);
});
afterAll(() => world.destroy());
afterEach(() => set(DEFAULTS));

async function set(settings: Json): Promise<Json> {
  const answer = await api.put(`/devices/${device}/settings`, settings);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body;
}

const received = async (): Promise<string[]> => {
  const { events } = (await api.get('/events?event=message.received&limit=200')).body;
  return events.map(({ data }: Json) => data.message_id);
};

test('settings are changed one by one, and survive a restart', async () => {
  expect((await api.get(`/devices/${device}/settings`)).body).toMatchObject({
    ...DEFAULTS,
    updated_at: null,
  });
  expect(await set({ ignore: ['groups', 'status'] })).toMatchObject({
    ...DEFAULTS,
    ignore: ['groups', 'status'],
  });
  const all = await set({ mark_read: ['people'], read_receipts: false, presence: 'daily' });
  expect(all).toMatchObject({ ignore: ['groups', 'status'], mark_read: ['people'], read_receipts: false });
  await world.restartGateway();
  api = world.as(token);
  await world.untilConnected(token, device);
  expect((await api.get(`/devices/${device}/settings`)).body).toEqual(all);
  expect(await set({ ignore: [] })).toMatchObject({ ignore: [], presence: 'daily' });
  const odd = await api.put(`/devices/${device}/settings`, { ignore: ['people'] });
  expect([odd.status, odd.body.error_code]).toEqual([400, 'VALIDATION_ERROR']);
});

test('what a device ignores is acknowledged, and nowhere to be found', async () => {
  const group = await contact.createGroup('Noise', [shop]);
  await set({ ignore: ['groups'] });
  const noise = await contact.sendText(group.jid, 'noise');
  const { id } = await contact.sendText(shop, 'to the shop');
  await untilReceived(api, id);
  const companion = `${shop.number}:${shop.companions[0]}@s.whatsapp.net`;
  await world.sandbox.waitForAcknowledged(companion);
  expect(await received()).not.toContain(noise.id);
  expect((await api.get(`/messages/${noise.id}`)).status).toBe(404);
  // It may be written to all the same.
  const sent = await api.post('/send/text', { number: group.jid, text: 'to the group' });
  expect(sent.status, JSON.stringify(sent.body)).toBe(200);
  await set({ ignore: [] });
  await untilReceived(api, (await contact.sendText(group.jid, 'heard')).id);
  expect(await received()).not.toContain(noise.id);
});

test('messages are marked as read once they are stored, where it is wanted', async () => {
  const group = await contact.createGroup('Read', [shop]);
  await set({ mark_read: ['people'] });
  const inGroup = await contact.sendText(group.jid, 'not this');
  const direct = await contact.sendText(shop, 'this');
  const isRead = (messageId: string) => (receipt: Json) =>
    receipt.type === 'read' && receipt.messageId === messageId;
  await contact.waitForReceipt(isRead(direct.id));
  expect(await received()).toContain(direct.id);
  await set({ mark_read: ['groups'] });
  const second = await contact.sendText(group.jid, 'but this');
  await contact.waitForReceipt(isRead(second.id));
  await expect(contact.waitForReceipt(isRead(inGroup.id), { timeoutMs: 1 })).rejects.toThrow();
});

test('a device that hides what it reads tells its own phone alone', async () => {
  const read = async () => {
    const { id } = await contact.sendText(shop, 'read me');
    await untilReceived(api, id);
    expect((await api.post(`/messages/${id}/read`, { chat_jid: contact.jid })).status).toBe(200);
    return id;
  };
  await set({ read_receipts: false });
  const hidden = await read();
  await set({ read_receipts: true });
  const shown = await read();
  await contact.waitForReceipt(({ type, messageId }) => type === 'read' && messageId === shown);
  await expect(
    contact.waitForReceipt(({ type, messageId }) => type === 'read' && messageId === hidden, {
      timeoutMs: 1,
    }),
  ).rejects.toThrow();
});

test('a device is online while it is connected, or for a moment each day', async () => {
  const available = () =>
    world.sandbox.network.directory.resolveDevice(`${shop.number}:${shop.companions[0]}@s.whatsapp.net`)
      ?.mailbox.available;
  expect(available()).toBe(false);
  await set({ presence: 'online' });
  await until('it is online', async () => available() === true);
  await api.post(`/disconnect?device_id=${device}`);
  await api.post(`/connect?device_id=${device}`);
  await until('it is online again', async () => available() === true);
  await set({ presence: 'daily' });
  await until('it is away', async () => available() === false);
  let times = 0;
  const unwatch = world.sandbox.network.onStanza(({ tag, attrs }, { user, device: number }) => {
    if (tag === 'presence' && attrs.type === 'available' && user === shop.number && number > 0) times += 1;
  });
  // The minute before it is seen begins when the gateway has noticed that it is connected.
  const seenAfter = async (ms: number) => {
    const before = times;
    clock.advance(ms);
    await until('it is seen', async () => {
      if (times > before) return true;
      const { data } = (await api.get(`/status?device_id=${device}`)).body;
      if (data.connected && times === before) clock.advance(5_000);
      return false;
    });
  };
  const away = async () => {
    clock.advance(20_000);
    await until('it is away again', async () => available() === false);
  };
  await seenAfter(60_000);
  await away();
  // Longer than any connection is silent: it may begin anew, and is seen a minute after that.
  await seenAfter(24 * 3600_000);
  await away();
  unwatch();
});

test('a device that is kept offline is never shown as online, and one that is online is so again', async () => {
  const { presences } = world.sandbox.network;
  const told = vi.spyOn(presences, 'presence');
  const shown = (available: boolean) => (each: { kind: string; from: string; available?: boolean }) =>
    each.kind === 'presence' && each.from === shop.jid && each.available === available;
  const sees = (available: boolean) => contact.nextPresence(shown(available));
  const reconnect = async () => {
    await api.post(`/disconnect?device_id=${device}`);
    await api.post(`/connect?device_id=${device}`);
    await world.untilConnected(token, device);
  };
  await contact.subscribePresence(shop.number);
  await api.post('/presence', { state: 'online' });
  await sees(true);

  await set({ presence: 'offline' });
  await sees(false);
  told.mockClear();
  for (const [path, body] of [
    ['/presence', { state: 'online' }],
    ['/presence/subscribe', { jid: contact.jid, ensure_online: true }],
  ] as const) {
    const refused = await api.post(path, body);
    expect([refused.status, refused.body.error_code], path).toEqual([409, 'KEPT_OFFLINE']);
  }
  await reconnect();
  await world.restartGateway();
  api = world.as(token);
  await world.untilConnected(token, device);
  clock.advance(60_000);
  clock.advance(24 * 3600_000);
  await world.untilConnected(token, device);
  await api.post(`/chats/${contact.number}/typing`, { state: 'typing' });
  const sent = await api.post('/send/text', { to: contact.number, text: 'From nowhere' });
  await contact.waitForMessage(({ id }) => id === sent.body.message_id);
  const types = told.mock.calls.map(([, { attrs }]) => attrs.type);
  expect(types).toContain('unavailable');
  expect(types).not.toContain('available');
  await expect(contact.nextPresence(shown(true), { timeoutMs: 1 })).rejects.toThrow();

  await set({ presence: 'online' });
  await sees(true);
  await reconnect();
  await sees(false);
  await sees(true);

  await set({ presence: 'daily' });
  await sees(false);
  clock.advance(60_000);
  await sees(true);
  await set({ presence: 'as_asked' });
  await sees(false);
});
