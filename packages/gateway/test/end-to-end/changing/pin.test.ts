import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, type Api, type Json, until, untilReceived, type World } from '../harness.ts';
import { openShopWithGroup } from '../shop.ts';

let world: World;
let api: Api;
let stranger: Api;
let contact: Phone;
let group: string;

beforeAll(async () => {
  ({ world, api, stranger, contact, group } = await openShopWithGroup({ tenant: 'pinning' }));
});
afterAll(() => world.destroy());

const pin = (id: string, body: object = {}, by: Api = api): Promise<Answer> =>
  by.post(`/messages/${id}/pin`, body);

async function sent(body: object): Promise<string> {
  return (await api.post('/send/text', { number: contact.number, text: 'x', ...body })).body.message_id;
}

test.each([
  ['24h', 86_400],
  ['7d', 604_800],
  ['30d', 2_592_000],
  [undefined, 604_800],
])('a message of ours for %s, and down again', async (duration, seconds) => {
  const id = await sent({ text: 'Read this first' });
  const answer = await pin(id, { duration });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  const got = await contact.waitForMessage((message) => message.id === answer.body.message_id);
  expect(got).toMatchObject({ kind: 'pin', pinOf: id, pinned: true });
  expect(got.message.pinInChatMessage?.key).toMatchObject({ id, fromMe: true });
  expect(got.message.messageContextInfo?.messageAddOnDurationInSecs).toBe(seconds);
  expect(got.stanza?.edit).toBe('2');
  const { timestamp, pinned_until: end } = answer.body;
  expect(answer.body).toMatchObject({ pinned_message_id: id, chat_jid: contact.jid });
  expect((Date.parse(end) - Date.parse(timestamp)) / 1000).toBe(seconds);

  const down = await api.delete(`/messages/${id}/pin`);
  expect(down.body).toMatchObject({ success: true, pinned_until: null });
  const taken = await contact.waitForMessage((message) => message.id === down.body.message_id);
  expect(taken).toMatchObject({ pinOf: id, pinned: false });
});

test("another's message in a group names its author", async () => {
  const { id } = await contact.sendText(group, 'from a member');
  await untilReceived(api, id);
  const answer = await pin(id);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  const got = await contact.waitForMessage((message) => message.id === answer.body.message_id);
  const key = got.message.pinInChatMessage?.key;
  expect(key).toMatchObject({ id, fromMe: false, remoteJid: group });
  expect([contact.jid, contact.lid]).toContain(key?.participant);
  const { messages } = (await api.get(`/messages?kind=pin&chat=${group}`)).body;
  expect(messages).toMatchObject([{ message_type: 'pin', target_message_id: id, is_from_me: true }]);
});

test('what cannot be pinned is refused, and nothing is sent', async () => {
  const deleted = await sent({});
  const deletion = { messageId: deleted, chatJid: contact.jid, deleteType: 'for_everyone' };
  await api.call('DELETE', '/messages/delete', deletion);
  const other = await sent({});
  const reaction = { number: contact.number, messageId: other, reaction: '👍' };
  const reacted = (await api.post('/send/reaction', reaction)).body.message_id;
  const before = contact.inbox.filter(({ kind }) => kind === 'pin').length;
  const refused = async (id: string, body: Json = {}, by = api): Promise<[number, string]> => {
    const answer = await pin(id, body, by);
    return [answer.status, answer.body.error_code];
  };
  expect(await refused(deleted)).toEqual([409, 'NOT_PINNABLE']);
  expect(await refused(reacted)).toEqual([409, 'NOT_PINNABLE']);
  expect(await refused(other, { duration: '1h' })).toEqual([400, 'VALIDATION_ERROR']);
  expect(await refused(other, {}, stranger)).toEqual([404, 'MESSAGE_NOT_FOUND']);
  expect(await refused('3EB000000000000000')).toEqual([404, 'MESSAGE_NOT_FOUND']);
  await api.post('/disconnect');
  expect(await refused(other)).toEqual([503, 'DEVICE_NOT_READY']);
  await api.post('/connect');
  await until('the device is back', async () => (await api.get('/status')).body.data.connected);
  expect(contact.inbox.filter(({ kind }) => kind === 'pin')).toHaveLength(before);
});
