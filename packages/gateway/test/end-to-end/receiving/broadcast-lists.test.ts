/**
 * What people send to a broadcast list comes from the list and is a message of the chat with them, as every official
 * app shows it (mautrix-whatsapp issue 411, nchat issue 133); what our own phone sends to its list is of the list.
 */
import type { Phone } from '@wuts/sandbox';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, until, untilReceived, type World } from '../harness.ts';
import { openShop } from '../shop.ts';

let world: World;
let api: Api;
let deviceId: string;
let shop: Phone;
let contact: Phone;
let friend: Phone;
/** Of the contact; the shop is on it. */
let list: { readonly jid: string };

beforeAll(async () => {
  ({ world, api, deviceId, shop, contact, friend } = await openShop({
    tenant: 'listed',
    settings: { WUTS_MEDIA_PREFETCH: 'false' },
  }));
  list = contact.createBroadcastList([shop, friend]);
});
afterAll(async () => {
  expect([shop, contact, friend].flatMap(({ problems }) => problems)).toEqual([]);
  await world.destroy();
});

const events = async (name: string): Promise<Json[]> =>
  (await api.get(`/events?event=${name}&limit=1000`)).body.events.map(({ data }: Json) => data);
const told = (name: string, id: string): Promise<Json> =>
  until(`${name} of ${id}`, async () => (await events(name)).find((each) => each.message_id === id));
const stored = async (id: string): Promise<Json> => (await api.get(`/messages/${id}`)).body.message;
const acknowledged = () =>
  world.sandbox.waitForAcknowledged(`${shop.number}:${shop.companions[0]}@s.whatsapp.net`);

async function listed(text: string): Promise<string> {
  const { id } = await contact.sendText(list, text);
  return untilReceived(api, id);
}

async function ok(call: Promise<{ status: number; body: Json; bytes: Buffer }>): Promise<Json> {
  const { status, body, bytes } = await call;
  expect(status, bytes.toString()).toBeLessThan(300);
  return body;
}

describe('a message that came by a broadcast list', () => {
  test('is in the chat with its author, who is told that it arrived', async () => {
    const direct = await contact.sendText(shop, 'hello you');
    await untilReceived(api, direct.id);
    const id = await listed('hello all');
    const data = await told('message.received', id);
    expect(data).toMatchObject({
      chat_jid: contact.jid,
      chat_lid: contact.lid,
      sender: { jid: contact.jid, lid: contact.lid, push_name: 'Contact' },
      from: contact.jid,
      is_from_me: false,
      is_group: false,
      broadcast: true,
    });
    expect((await told('message.received', direct.id)).broadcast).toBe(false);
    expect(await stored(id)).toMatchObject({ chat_jid: contact.jid, broadcast: true });
    await contact.waitForReceipt(({ messageId, chat, from }) => {
      return messageId === id && chat === list.jid && from === shop.jid;
    });
    await acknowledged();
    const { chats } = (await api.get('/chats')).body;
    expect(chats.map(({ jid }: Json) => jid)).toEqual([contact.jid]);
    const inChat = (await api.get(`/messages?chat=${contact.number}`)).body.messages;
    expect(inChat.map(({ message_id }: Json) => message_id)).toEqual(expect.arrayContaining([id, direct.id]));
  });

  test('from somebody who is known by LID alone is in the one chat with him', async () => {
    const unnamed = await world.sandbox.createPhone({ number: '5511999994009', name: 'Unnamed' });
    world.sandbox.faults.hideOtherName(unnamed.number);
    const { id } = await unnamed.sendText(unnamed.createBroadcastList([shop]), 'first');
    const first = await told('message.received', id);
    const { id: direct } = await unnamed.sendText(shop, 'second');
    const second = await told('message.received', direct);
    expect([first.chat_lid, second.chat_lid]).toEqual([unnamed.lid, unnamed.lid]);
    expect(first.chat_jid).toBe(second.chat_jid);
  });

  test('is answered, quoted and reacted to there', async () => {
    const id = await listed('who wants cake?');
    const answer = await ok(
      api.post('/send/text', { number: contact.number, text: 'I do', quoted: { message_id: id } }),
    );
    const got = await contact.waitForMessage((message) => message.id === answer.message_id);
    expect(got).toMatchObject({ chat: shop.jid, text: 'I do' });
    expect(got.message.extendedTextMessage?.contextInfo).toMatchObject({ stanzaId: id });
    await ok(api.post('/send/reaction', { number: contact.number, messageId: id, reaction: '🍰' }));
    const reaction = await contact.waitForMessage(({ reactionTo }) => reactionTo === id);
    expect(reaction).toMatchObject({ chat: shop.jid, emoji: '🍰' });
    expect(reaction.message.reactionMessage?.key).toMatchObject({ fromMe: false, id });
  });

  test('is read at the list, and what came directly in the chat', async () => {
    const id = await listed('read me');
    const direct = await contact.sendText(shop, 'and me');
    await untilReceived(api, direct.id);
    const reading = { chat_jid: contact.jid, message_ids: [id, direct.id] };
    await ok(api.post(`/messages/${id}/read`, reading));
    const read = (messageId: string) =>
      contact.waitForReceipt((receipt) => receipt.messageId === messageId && receipt.type === 'read');
    expect(await read(id)).toMatchObject({ chat: list.jid, from: shop.jid });
    expect(await read(direct.id)).toMatchObject({ chat: shop.jid, from: shop.jid });
    await shop.waitForReceipt(({ messageId, type }) => messageId === id && type === 'read');
  });

  test('is read at the list with its whole chat', async () => {
    const fromFriend = friend.createBroadcastList([shop]);
    const { id } = await friend.sendText(fromFriend, 'news');
    await untilReceived(api, id);
    await ok(api.post(`/chats/${friend.jid}/read`));
    const read = await friend.waitForReceipt(({ messageId, type }) => messageId === id && type === 'read');
    expect(read).toMatchObject({ chat: fromFriend.jid, from: shop.jid });
  });

  test('is read when the phone has read it', async () => {
    const other = await world.sandbox.createPhone({ number: '5511999994010', name: 'Other' });
    const unread = async (): Promise<number | undefined> =>
      (await api.get('/chats')).body.chats.find(({ jid }: Json) => jid === other.jid)?.unread_count;
    const { id } = await other.sendText(other.createBroadcastList([shop]), 'seen on the phone');
    await until('it is unread', async () => (await unread()) === 1);
    await shop.waitForMessage((message) => message.id === id);
    await shop.markRead(other, [id]);
    await until('it is read', async () => (await unread()) === 0);
  });

  test('is edited and deleted by its author', async () => {
    const id = await listed('tomorow');
    await contact.sendEdit(list, id, 'tomorrow');
    expect(await told('message.edited', id)).toMatchObject({ chat_jid: contact.jid, content: 'tomorrow' });
    await contact.sendEdit(list, id, 'tomorrow, sealed', { sealed: true });
    await until('it is edited again', async () => (await stored(id)).content === 'tomorrow, sealed');
    await contact.sendRevoke(list, id);
    expect(await told('message.revoked', id)).toMatchObject({ chat_jid: contact.jid });
    expect((await stored(id)).revoked_at).not.toBeNull();
  });

  test('brings a file, which our phone uploads again under the name that it has of it', async () => {
    const { id } = await contact.sendDocument(list, { bytes: Buffer.from('prices'), fileName: 'prices.txt' });
    const { record_id } = await told('message.received', id);
    await shop.waitForMessage((message) => message.id === id);
    world.sandbox.cdn.expireAll(404);
    const file = await api.get(`/messages/${record_id}/media?wait=60`);
    expect([file.status, file.bytes.toString()]).toEqual([200, 'prices']);
    const asked = shop.mediaRetryRequests.find(({ messageId }) => messageId === id);
    expect(asked).toMatchObject({
      address: list.jid,
      participant: contact.lid,
      fromMe: false,
      readable: true,
    });
  });

  test('that cannot be read is asked for again at the list', async () => {
    contact.answersRetries = false;
    const { id } = await contact.sendText(list, 'garbled', { corrupt: true });
    expect(await told('message.undecryptable', id)).toMatchObject({ chat_jid: contact.jid });
    const retries = () =>
      contact.receivedReceipts.filter(({ messageId, type }) => messageId === id && type === 'retry');
    const asked = async (times: number) =>
      until(`it was asked for ${times} times`, async () => {
        const ours = retries().filter(
          ({ fromDevice }) => !fromDevice.startsWith(shop.lid.replace('@lid', '@')),
        );
        return ours.length >= times;
      });
    await asked(1);
    contact.answersRetries = true;
    await ok(api.post(`/messages/${id}/retry`, { chat_jid: contact.jid }));
    expect(await told('message.received', id)).toMatchObject({ content: 'garbled', broadcast: true });
    expect(retries().every(({ chat }) => chat === list.jid)).toBe(true);
  });

  test('that our phone hands over, because its author does not answer', async () => {
    contact.answersRetries = false;
    const { id } = await contact.sendText(list, 'from the phone', { corrupt: 'companions' });
    await told('message.undecryptable', id);
    await shop.waitForMessage((message) => message.id === id);
    await ok(api.post(`/messages/${id}/retry`, { chat_jid: contact.jid }));
    expect(await told('message.received', id)).toMatchObject({
      chat_jid: contact.jid,
      sender: { jid: contact.jid, lid: contact.lid },
      content: 'from the phone',
      broadcast: true,
    });
    contact.answersRetries = true;
  });
});

describe('a device that does by itself what its settings say', () => {
  const set = (settings: Json) => ok(api.put(`/devices/${deviceId}/settings`, settings));
  afterEach(() => set({ ignore: [], mark_read: [] }));

  test('ignores what comes by lists, and nothing else of their owners', async () => {
    await set({ ignore: ['broadcasts'] });
    const { id } = await contact.sendText(list, 'noise');
    const direct = await contact.sendText(shop, 'to the shop');
    await untilReceived(api, direct.id);
    await acknowledged();
    expect((await api.get(`/messages/${id}`)).status).toBe(404);
  });

  test('reads it, where it reads the chats of people', async () => {
    await set({ mark_read: ['people'] });
    const id = await listed('at once');
    const read = await contact.waitForReceipt(({ messageId, type }) => messageId === id && type === 'read');
    expect(read).toMatchObject({ chat: list.jid, from: shop.jid });
  });
});

test("what the account's own phone sends to its list is of the list", async () => {
  const own = shop.createBroadcastList([contact, friend]);
  const { id } = await shop.sendText(own, 'sale today');
  expect(await told('message.sent', id)).toMatchObject({
    chat_jid: own.jid,
    is_from_me: true,
    broadcast: true,
    content: 'sale today',
  });
  const got = await contact.waitForMessage((message) => message.id === id);
  expect(got).toMatchObject({ chat: shop.jid, list: own.jid });
  await contact.markRead(shop, [id]);
  expect(await told('message.read', id)).toMatchObject({
    chat_jid: own.jid,
    recipient: { jid: contact.jid },
  });
  await acknowledged();
});
