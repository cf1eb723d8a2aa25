/** Labels, with the account's phone as the witness. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, until, untilReceived, World } from '../harness.ts';

let world: World;
let token: string;
let api: Api;
let shop: Phone;
let ana: Phone;
let deviceId: string;

beforeAll(async () => {
  world = await World.create({ settings: { WUTS_PACE_PER_MINUTE: '0' } });
  token = await world.tenant('labels');
  api = world.as(token);
  shop = await world.sandbox.createPhone({ number: '5511933330001', name: 'Shop' });
  await shop.becomeBusiness({ name: 'Shop' });
  ana = await world.sandbox.createPhone({ number: '5511933330002', name: 'Ana' });
  await shop.account.editLabel({ id: '1', name: 'New customer', color: 3 });
  await shop.account.editLabel({ id: '2', name: 'Gone', color: 4 });
  await shop.account.editLabel({ id: '2', name: 'Gone', color: 4, deleted: true });
  await shop.account.labelChat(ana, '1');
  deviceId = await world.linkByQr(token, shop);
});
afterAll(() => world?.destroy());

const listed = async (by = api): Promise<Json[]> => (await by.get('/labels')).body.labels;
const make = async (name: string, color = 0): Promise<string> => {
  const answer = await api.post('/labels', { name, color });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body.label.id;
};

test('what the phone had before it was linked', async () => {
  await until('they are there', async () => (await listed()).some(({ chats }) => chats === 1));
  expect(await listed()).toEqual([{ id: '1', name: 'New customer', color: 3, chats: 1, messages: 0 }]);
  const { chats, next_cursor } = (await api.get('/labels/1/chats')).body;
  expect(chats).toEqual([expect.objectContaining({ lid: ana.lid, labeled_at: expect.any(String) })]);
  expect(next_cursor).toBeNull();
});

test('made, changed and deleted, as the phone sees it', async () => {
  const made = await api.post('/labels', { name: 'Paid', color: 2 });
  // The second is deleted, and its id is not given out again.
  expect([made.status, made.body]).toMatchObject([
    201,
    { success: true, label: { id: '3', name: 'Paid', color: 2 } },
  ]);
  expect(await shop.account.labels()).toContainEqual({
    id: '3',
    name: 'Paid',
    color: 2,
    chats: [],
    messages: [],
  });
  const changed = await api.call('PATCH', '/labels/3', { color: 7 });
  expect(changed.body).toMatchObject({ success: true, label: { id: '3', name: 'Paid', color: 7 } });
  expect((await api.call('PATCH', '/labels/3', { color: 0 })).body.label.color).toBe(0);
  await api.call('PATCH', '/labels/3', { color: 7, name: 'Paid in full' });
  expect((await listed()).at(-1)).toMatchObject({ id: '3', name: 'Paid in full', color: 7 });
  expect(await shop.account.labels()).toContainEqual(
    expect.objectContaining({ id: '3', name: 'Paid in full', color: 7 }),
  );
  expect((await api.put(`/labels/3/chats/${ana.number}`, undefined)).status).toBe(200);
  expect((await api.delete('/labels/3')).body).toMatchObject({ success: true, label_id: '3', deleted: true });
  expect((await listed()).map(({ id }) => id)).toEqual(['1']);
  expect((await shop.account.labels()).map(({ id }) => id)).toEqual(['1']);
  expect((await api.get('/labels/3/chats')).body.error_code).toBe('LABEL_NOT_FOUND');
  const { events } = (await api.get('/events?event=label.edit&limit=100')).body;
  expect(events.at(-1).data).toMatchObject({ label_id: '3', deleted: true });
});

test('on chats: a person by number, by JID and by LID, and a group', async () => {
  const id = await make('VIP');
  const group = await shop.createGroup('Team', [ana]);
  for (const name of [ana.number, ana.lid, group.jid]) {
    const answer = await api.put(`/labels/${id}/chats/${encodeURIComponent(name)}`, undefined);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  }
  const byNumber = await api.put(`/labels/${id}/chats/${ana.number}`, undefined);
  expect(byNumber.body).toMatchObject({ label_id: id, chat_jid: ana.jid, chat_lid: ana.lid, labeled: true });
  const onPhone = (await shop.account.labels()).find((label) => label.id === id);
  expect(onPhone?.chats).toEqual([ana.lid, group.jid]);
  const { chats } = (await api.get(`/labels/${id}/chats`)).body;
  expect(chats.map(({ jid }: Json) => jid)).toEqual([ana.jid, group.jid]);

  const first = (await api.get(`/labels/${id}/chats?limit=1`)).body;
  expect(first.chats.map(({ jid }: Json) => jid)).toEqual([ana.jid]);
  const second = (await api.get(`/labels/${id}/chats?cursor=${first.next_cursor}`)).body;
  expect([second.chats.map(({ jid }: Json) => jid), second.next_cursor]).toEqual([[group.jid], null]);

  const off = await api.delete(`/labels/${id}/chats/${ana.number}`);
  expect(off.body).toMatchObject({ chat_jid: ana.jid, labeled: false });
  expect((await shop.account.labels()).find((label) => label.id === id)?.chats).toEqual([group.jid]);
  expect((await listed()).find((label) => label.id === id)).toMatchObject({ chats: 1, messages: 0 });
});

test('on messages, of ours and of others', async () => {
  const id = await make('Complaint');
  const { id: theirs } = await ana.sendText(shop, 'it is broken');
  await untilReceived(api, theirs);
  // What was known by the LID alone goes under the number that comes with it.
  expect((await api.get('/labels/1/chats')).body.chats).toMatchObject([{ jid: ana.jid, lid: ana.lid }]);
  const withLabel = async (label: string) => (await api.get(`/chats?label=${label}`)).body.chats;
  expect((await withLabel('1')).map(({ jid }: Json) => jid)).toEqual([ana.jid]);
  const ours = (await api.post('/send/text', { number: ana.number, text: 'sorry' })).body.message_id;
  for (const message of [theirs, ours]) {
    const answer = await api.put(`/labels/${id}/messages/${message}`, undefined);
    expect(answer.body).toMatchObject({ success: true, label_id: id, message_id: message, labeled: true });
  }
  const onPhone = (await shop.account.labels()).find((label) => label.id === id);
  expect(onPhone?.messages).toEqual([
    [ana.lid, theirs],
    [ana.lid, ours],
  ]);
  const { messages } = (await api.get(`/labels/${id}/messages`)).body;
  expect(messages).toMatchObject([
    { message_id: theirs, record_id: expect.any(String), chat_jid: ana.jid, chat_lid: ana.lid },
    { message_id: ours, chat_jid: ana.jid },
  ]);
  // It is on two messages, and not on the chat.
  expect(await withLabel(id)).toEqual([]);
  await api.delete(`/labels/${id}/messages/${theirs}`);
  expect((await api.get(`/labels/${id}/messages`)).body.messages).toHaveLength(1);
  expect((await shop.account.labels()).find((label) => label.id === id)?.messages).toEqual([[ana.lid, ours]]);
});

test('what the phone does is here without asking, and outlives a restart', async () => {
  await shop.account.editLabel({ id: '40', name: 'By the phone', color: 9 });
  await shop.account.labelChat(ana, '40');
  await shop.account.labelMessage(ana, '3EB0NOTSTORED', '40');
  const there = async () => (await listed()).find(({ id, messages }) => id === '40' && messages === 1);
  expect(await until('it is here', there)).toMatchObject({ name: 'By the phone', color: 9, chats: 1 });
  const { messages } = (await api.get('/labels/40/messages')).body;
  expect(messages).toMatchObject([{ message_id: '3EB0NOTSTORED', record_id: null }]);
  const before = await listed();
  await world.restartGateway();
  api = world.as(token);
  expect(await listed()).toEqual(before);
  await world.untilConnected(token, deviceId);
  expect(await make('After that')).toBe('41');
});

test('two devices at once end with the same', async () => {
  const other = await world.linkByQr(token, shop);
  const on = (device: string, path: string) => `${path}?device_id=${device}`;
  const id = await make2(deviceId, 'Busy');
  await until('both have it', async () =>
    (await api.get(on(other, '/labels'))).body.labels.some((label: Json) => label.id === id),
  );
  const changes = await Promise.all([
    api.call('PATCH', on(deviceId, `/labels/${id}`), { name: 'One', color: 1 }),
    api.call('PATCH', on(other, `/labels/${id}`), { name: 'Two', color: 2 }),
    shop.account.editLabel({ id, name: 'Three', color: 3 }),
  ]);
  expect(changes.slice(0, 2).map((answer) => (answer as { status: number }).status)).toEqual([200, 200]);
  await until('all three say the same', async () => {
    const [phone, first, second] = await Promise.all([
      shop.account.labels(),
      api.get(on(deviceId, '/labels')),
      api.get(on(other, '/labels')),
    ]);
    const names = [phone, first.body.labels, second.body.labels].map(
      (labels: Json[]) => labels.find((label) => label.id === id)?.name,
    );
    return new Set(names).size === 1 && names[0] !== undefined;
  });
  async function make2(device: string, name: string): Promise<string> {
    return (await api.post(on(device, '/labels'), { name })).body.label.id;
  }
  const both = await Promise.all(['Left', 'Right'].map((name) => make2(deviceId, name)));
  expect(new Set(both).size).toBe(2);
  await api.call('DELETE', `/devices/${other}?remove=true`);
});

describe('refusals', () => {
  const refused = async (method: string, path: string, body?: Json): Promise<[number, string]> => {
    const answer = await api.call(method, path, body);
    return [answer.status, answer.body.error_code];
  };

  test.each([
    ['POST', '/labels', { name: '' }],
    ['POST', '/labels', { name: 'x'.repeat(101) }],
    ['POST', '/labels', { name: 'x', color: 20 }],
    ['POST', '/labels', { color: 1 }],
    ['PATCH', '/labels/1', { color: -1 }],
    ['GET', '/labels/1/chats?cursor=x', undefined],
    ['GET', '/labels/1/chats?limit=1001', undefined],
  ])('%s %s %j is VALIDATION_ERROR', async (method, path, body) => {
    expect(await refused(method, path, body)).toEqual([400, 'VALIDATION_ERROR']);
  });

  test('labels, chats and messages that are not there', async () => {
    expect(await refused('PATCH', '/labels/999', { name: 'x' })).toEqual([404, 'LABEL_NOT_FOUND']);
    expect(await refused('DELETE', '/labels/999')).toEqual([404, 'LABEL_NOT_FOUND']);
    expect(await refused('PUT', `/labels/999/chats/${ana.number}`)).toEqual([404, 'LABEL_NOT_FOUND']);
    expect(await refused('PUT', '/labels/1/chats/5511933339999')).toEqual([404, 'NOT_ON_WHATSAPP']);
    expect(await refused('PUT', '/labels/1/chats/nobody')).toEqual([400, 'INVALID_RECIPIENT']);
    expect(await refused('PUT', '/labels/1/messages/3EB0NOBODYS')).toEqual([404, 'MESSAGE_NOT_FOUND']);
  });

  test('a personal account shows none and takes none', async () => {
    const personal = world.as(await world.tenant('personal'));
    const phone = await world.sandbox.createPhone({ number: '5511933330003', name: 'Caio' });
    await phone.account.editLabel({ id: '1', name: 'Odd', color: 1 });
    const made = await personal.post('/devices', { name: 'x' });
    await phone.scanQr((await personal.get('/qr')).body.data.qr_code);
    await until('it is connected', async () => (await personal.get('/status')).body.data.connected);
    expect(made.status).toBe(201);
    const answer = await personal.post('/labels', { name: 'Paid' });
    expect([answer.status, answer.body.error_code]).toEqual([409, 'NOT_A_BUSINESS']);
  });

  test('what is of another tenant, and of an account that the device held before', async () => {
    const stranger = world.as(await world.tenant('elsewhere'));
    const answer = await stranger.get(`/labels?device_id=${deviceId}`);
    expect([answer.status, answer.body.error_code]).toEqual([404, 'DEVICE_NOT_FOUND']);
    await api.post('/disconnect');
    expect(await refused('POST', '/labels', { name: 'x' })).toEqual([503, 'DEVICE_NOT_READY']);
    expect((await listed()).length).toBeGreaterThan(1);
    await api.post('/connect');
    await world.untilConnected(token, deviceId);
    await api.post('/logout');
    const next = await world.sandbox.createPhone({ number: '5511933330004', name: 'Next' });
    await next.becomeBusiness({ name: 'Next' });
    await next.account.editLabel({ id: '1', name: 'Their own', color: 5 });
    await next.scanQr((await api.get(`/qr?device_id=${deviceId}`)).body.data.qr_code);
    await world.untilConnected(token, deviceId);
    await until('the labels of the other account are there', async () => (await listed()).length > 0);
    expect(await listed()).toEqual([{ id: '1', name: 'Their own', color: 5, chats: 0, messages: 0 }]);
  });
});
