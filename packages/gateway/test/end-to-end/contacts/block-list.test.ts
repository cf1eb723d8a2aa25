/** Whom the account has blocked: changed here and on the phone, kept, and told. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Api, type Json, until, untilReceived, World } from '../harness.ts';

let world: World;
let token: string;
let api: Api;
let shop: Phone;
let ana: Phone;
let bia: Phone;

beforeAll(async () => {
  world = await World.create();
  token = await world.tenant('blocks');
  shop = await world.sandbox.createPhone({ number: '5511999991901', name: 'Shop' });
  ana = await world.sandbox.createPhone({ number: '5511999991902', name: 'Ana' });
  // As WhatsApp knows the number; people write it with the ninth digit.
  bia = await world.sandbox.createPhone({ number: '551187650003', name: 'Bia' });
  await world.linkByQr(token, shop);
  api = world.as(token);
});
afterAll(() => world.destroy());
afterEach(async () => {
  world.sandbox.faults.clear();
  for (const phone of [ana, bia]) await shop.unblock(phone);
  await until('nobody is blocked', async () => (await listed()).length === 0);
});

const list = async () => (await api.get('/contacts/blocklist')).body.data;
const listed = async (): Promise<string[]> => (await list()).items.map(({ jid }: Json) => jid);
/** What the server has. */
const onServer = () => [...(world.sandbox.network.directory.byUser(shop.number)?.blocked ?? [])];

const person = (phone: Phone) => ({ jid: phone.jid, lid: phone.lid, phone_number: phone.number });

test('blocking and unblocking by every name', async () => {
  for (const [name, member] of [
    [ana.number, 'number'],
    [ana.jid, 'jid'],
    [ana.lid, 'jid'],
  ] as const) {
    const blocked = await api.post('/contacts/block', { [member]: name });
    expect(blocked.status, JSON.stringify(blocked.body)).toBe(200);
    expect(blocked.body.data).toMatchObject({ ...person(ana), action: 'block', blocked: true, count: 1 });
    expect(onServer()).toEqual([ana.number]);
    expect(await list()).toMatchObject({
      items: [person(ana)],
      count: 1,
      dhash: blocked.body.data.dhash,
      as_of: expect.any(String),
    });
    const let_in = await api.post(`/contacts/unblock?${member}=${encodeURIComponent(name)}`);
    expect(let_in.body.data).toMatchObject({ ...person(ana), action: 'unblock', blocked: false, count: 0 });
    expect([onServer(), await listed()]).toEqual([[], []]);
  }
});

test('a number that is spelt in another way', async () => {
  const blocked = await api.post('/contacts/block', { number: '+55 (11) 98765-0003' });
  expect(blocked.body.data).toMatchObject(person(bia));
  // Nobody is asked for the name of somebody in the list.
  world.sandbox.faults.refuseQuestions(500, { xmlns: 'usync' });
  const back = await api.post('/contacts/unblock', { number: '5511987650003' });
  expect(back.body.data).toMatchObject({ ...person(bia), count: 0 });
});

test('an account that has no LID', async () => {
  const dora = await world.sandbox.createPhone({ number: '5511999991904', name: 'Dora', lid: null });
  const names = { jid: dora.jid, lid: null, phone_number: dora.number };
  const blocked = await api.post('/contacts/block', { number: dora.number });
  expect(blocked.body.data).toMatchObject({ ...names, count: 1 });
  expect(onServer()).toEqual([dora.number]);
  expect((await list()).items).toEqual([names]);
  const { items } = (await api.post('/contacts/resolve', { jids: [dora.number] })).body;
  expect(items).toMatchObject([{ ...names, lid_jid: null }]);
  expect((await api.get(`/contacts/profile?number=${dora.number}`)).body.data).toMatchObject(names);
  expect((await api.post('/contacts/unblock', { number: dora.number })).body.data.count).toBe(0);
});

test('the phone blocks, and the list and an event say so', async () => {
  expect(await listed()).toEqual([]);
  await shop.block(ana);
  await until('it is in the list', async () => (await listed()).includes(ana.jid));
  await shop.block(bia);
  await until('both are', async () => (await listed()).length === 2);
  const { events } = (await api.get('/events?event=privacy.blocklist&limit=1000')).body;
  const { data } = events.at(-1);
  expect(data).toMatchObject({ blocked: [person(bia)], unblocked: [], dhash: (await list()).dhash });
});

test('what is done here is told as an event too', async () => {
  const { next } = (await api.get('/events?after=latest')).body;
  await api.post('/contacts/block', { number: ana.number });
  const { events } = (await api.get(`/events?after=${next}&event=privacy.blocklist`)).body;
  expect(events.map(({ data }: Json) => data)).toMatchObject([{ blocked: [person(ana)], unblocked: [] }]);
});

test('the list is one query and no traffic, also while the device is away; refresh asks', async () => {
  await api.post('/contacts/block', { number: ana.number });
  world.sandbox.faults.refuseQuestions(500);
  expect(await listed()).toEqual([ana.jid]);
  const asked = await api.get('/contacts/blocklist?refresh=true');
  expect([asked.status, asked.body.error_code]).toEqual([502, 'WHATSAPP_ERROR']);
  world.sandbox.faults.clear();
  await api.post('/disconnect');
  const before = (await list()).as_of;
  expect(await listed()).toEqual([ana.jid]);
  expect((await list()).as_of).toBe(before);
  expect((await api.get('/contacts/blocklist?refresh=true')).status).toBe(503);
  // What the phone does meanwhile comes when the device is back.
  await shop.unblock(ana);
  expect((await api.post('/connect')).status).toBe(200);
  await until('the change has come', async () => (await listed()).length === 0);
});

test('a change that does not follow the list that is stored makes it be read again', async () => {
  await api.post('/contacts/block', { number: ana.number });
  const device = `${shop.jid.replace('@', `:${shop.companions[0]}@`)}`;
  const other = { tag: 'item', attrs: { jid: bia.lid, action: 'block' } };
  world.sandbox.inject(device, {
    tag: 'notification',
    attrs: { from: shop.jid, type: 'account_sync', id: 'OTHER', t: '1781524800' },
    content: [{ tag: 'blocklist', attrs: { dhash: 'new', prev_dhash: 'unknown' }, content: [other] }],
  });
  await until('it is told', async () => {
    const { events } = (await api.get('/events?event=privacy.blocklist&limit=1000')).body;
    return events.some(({ data }: Json) => data.dhash === 'new');
  });
  // The server has only the one.
  expect(await listed()).toEqual([ana.jid]);
});

test('another account on the device has another list', async () => {
  await api.post('/contacts/block', { number: ana.number });
  expect(await listed()).toEqual([ana.jid]);
  const second = await world.sandbox.createPhone({ number: '5511999991909', name: 'Second' });
  const { device_id: id } = (await api.get('/status')).body.data;
  await api.post('/logout');
  const qr = await api.get(`/qr?device_id=${id}`);
  await second.scanQr(qr.body.data.qr_code);
  await world.untilConnected(token, id);
  expect(await listed()).toEqual([]);
  await api.post('/logout');
  const back = await api.get(`/qr?device_id=${id}`);
  await shop.scanQr(back.body.data.qr_code);
  await world.untilConnected(token, id);
  expect(await listed()).toEqual([ana.jid]);
});

test('a blocked person writes to nobody', async () => {
  await api.post('/contacts/block', { number: ana.number });
  await ana.sendText(shop, 'are you there?');
  await api.post('/contacts/unblock', { number: ana.number });
  const { id } = await ana.sendText(shop, 'hello again');
  await untilReceived(api, id);
  const { messages } = (await api.get(`/messages?chat=${ana.number}`)).body;
  expect(messages.map(({ content }: Json) => content)).toEqual(['hello again']);
});

test.each([
  [{}, 400, 'VALIDATION_ERROR'],
  [{ number: '12' }, 400, 'INVALID_RECIPIENT'],
  [{ jid: '120363000000000000@g.us' }, 400, 'VALIDATION_ERROR'],
  [{ number: '5511999991999' }, 404, 'NOT_ON_WHATSAPP'],
])('%o is refused', async (body, status, code) => {
  for (const path of ['/contacts/block', '/contacts/unblock']) {
    const answer = await api.post(path, body);
    expect([answer.status, answer.body.error_code]).toEqual([status, code]);
  }
});
