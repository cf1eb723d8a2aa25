/** The list of chats: as the account's devices show it, whoever changes it, and without asking WhatsApp. */
import { afterAll, describe, expect, test } from 'vitest';
import { type Json, until, untilReceived } from '../harness.ts';
import { fillChats } from './filled-chats.ts';

const { world, api, shop, ana, bia, group } = await fillChats({ past: 3 });
afterAll(() => world.destroy());

async function read(jid: string): Promise<Json> {
  return (await api.get(`/chats/${jid}`)).body.chat;
}

/** The chat as it is stored, once it is so. */
function shows(jid: string, holds: (chat: Json) => boolean): Promise<Json> {
  return until(`chat ${jid} is so`, async () => {
    const { status, body } = await api.get(`/chats/${jid}`);
    return status === 200 && holds(body.chat) && body.chat;
  });
}

async function done(method: string, path: string, body?: object): Promise<Json> {
  const answer = await api.call(method, path, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body;
}

const list = async (query = ''): Promise<Json[]> => (await api.get(`/chats${query}`)).body.chats;

describe('what was there before the device was linked', () => {
  test('is in the list, from history and from the state of the account', async () => {
    const chat = await shows(ana.jid, ({ pinned, unread_count }) => pinned && unread_count === 2);
    expect(chat).toEqual({
      jid: ana.jid,
      lid: ana.lid,
      phone_number: ana.number,
      type: 'contact',
      name: 'Ana Souza',
      pinned: true,
      archived: false,
      muted: false,
      participant_count: 1,
      unread_count: 2,
      marked_unread: false,
      last_message_at: '2023-11-14T22:13:20.000Z',
      last_message: expect.objectContaining({
        content: 'message 3 of 3',
        is_from_me: false,
        message_type: 'text',
        sender_jid: ana.jid,
        status: null,
      }),
      ephemeral_seconds: null,
    });
    const muted = await shows(group.jid, ({ muted: is, participant_count: count }) => is && count === 2);
    expect(muted).toMatchObject({
      type: 'group',
      name: 'Before',
      lid: null,
      phone_number: null,
      muted_until: '9999-12-31T23:59:59.999Z',
      last_message: null,
    });
  });
});

describe('what the phone does', () => {
  test('is in the list, by its own event', async () => {
    const { account } = shop;
    await account.pinChat(ana, false);
    await shows(ana.jid, ({ pinned }) => !pinned);
    const ends = Date.now() + 3_600_000;
    await account.muteChat(ana, ends);
    expect(await shows(ana.jid, ({ muted }) => muted)).toMatchObject({
      muted_until: new Date(ends).toISOString(),
    });
    await account.muteChat(ana, null);
    expect(await shows(ana.jid, ({ muted }) => !muted)).not.toHaveProperty('muted_until');
    await account.archiveChat(ana);
    await shows(ana.jid, ({ archived }) => archived);
    await account.archiveChat(ana, false);
    await shows(ana.jid, ({ archived }) => !archived);
    await account.markChatRead(ana, false);
    await shows(ana.jid, ({ marked_unread: marked }) => marked);
    await account.markChatRead(ana);
    expect(await shows(ana.jid, ({ marked_unread: marked }) => !marked)).toMatchObject({ unread_count: 0 });
    await account.saveContact(bia, 'Beatriz');
    await shows(bia.jid, ({ name }) => name === 'Beatriz');
    await account.removeContact(bia);
    await shows(bia.jid, ({ name }) => name !== 'Beatriz');
  });

  test('reading there is reading here', async () => {
    const first = await ana.sendText(shop, 'one');
    const second = await ana.sendText(shop, 'two');
    await shop.waitForMessage(({ id }) => id === second.id);
    await shows(ana.jid, ({ unread_count }) => unread_count === 2);
    await shop.markRead(ana, [first.id, second.id]);
    await shows(ana.jid, ({ unread_count }) => unread_count === 0);
    const inGroup = await bia.sendText(group, 'hello');
    await shop.waitForMessage(({ id }) => id === inGroup.id);
    await shows(group.jid, ({ unread_count }) => unread_count === 1);
    await shop.markRead(group, [inGroup.id]);
    await shows(group.jid, ({ unread_count }) => unread_count === 0);
  });

  test('clearing a chat there hides its messages here, and deleting it takes it from the list', async () => {
    const { id } = await bia.sendText(shop, 'to be cleared');
    await untilReceived(api, id);
    await shop.waitForMessage((message) => message.id === id);
    await shop.account.clearChat(bia);
    const cleared = await shows(bia.jid, ({ last_message: last }) => last === null);
    expect(cleared).toMatchObject({ unread_count: 0 });
    expect((await api.get(`/chats/${bia.jid}/messages`)).body.messages).toEqual([]);
    await shop.account.deleteChat(bia);
    await until('it is not listed', async () => !(await list()).some(({ jid }) => jid === bia.jid));
    await bia.sendText(shop, 'here again');
    await until('it is listed', async () => (await list()).some(({ jid }) => jid === bia.jid));
  });
});

describe('what a caller does', () => {
  /** What the phone sees of the chat in the account's state. */
  async function atPhone(
    collection: 'regular_low' | 'regular_high',
    kind: string,
    jid: string,
  ): Promise<Json> {
    const entries = await shop.account.entries(collection);
    return entries.find(({ index }) => index[0] === kind && index[1] === jid)?.action;
  }

  test('pin and unpin', async () => {
    expect(await done('POST', `/chats/${ana.number}/pin`)).toEqual({
      success: true,
      chat_jid: ana.jid,
      pinned: true,
    });
    expect(await shop.account.pins()).toContain(ana.lid);
    expect((await read(ana.jid)).pinned).toBe(true);
    expect((await list('?pinned=true')).map(({ jid }) => jid)).toEqual([ana.jid]);
    expect(await done('DELETE', `/chats/${ana.jid}/pin`)).toMatchObject({ pinned: false });
    expect(await shop.account.pins()).not.toContain(ana.lid);
    expect((await read(ana.jid)).pinned).toBe(false);
  });

  test('mute for a time, for ever, and not', async () => {
    const before = Date.now();
    expect(await done('POST', `/chats/${ana.jid}/mute`, { muted: true, duration_seconds: 28_800 })).toEqual({
      success: true,
      chat_jid: ana.jid,
      muted: true,
      duration_seconds: 28_800,
    });
    const { muteAction } = await atPhone('regular_high', 'mute', ana.lid);
    expect(Number(muteAction.muteEndTimestamp)).toBeGreaterThanOrEqual(before + 28_800_000);
    expect((await list('?muted=true')).map(({ jid }) => jid).sort()).toEqual([group.jid, ana.jid].sort());
    await done('POST', `/chats/${ana.jid}/mute`, { muted: true });
    expect(Number((await atPhone('regular_high', 'mute', ana.lid)).muteAction.muteEndTimestamp)).toBe(-1);
    expect((await read(ana.jid)).muted_until).toMatch(/^9999/);
    await done('POST', `/chats/${ana.jid}/mute`, { muted: false });
    expect((await atPhone('regular_high', 'mute', ana.lid)).muteAction.muted).toBe(false);
    expect(await read(ana.jid)).toMatchObject({ muted: false });
  });

  test('archive, which unpins, with the newest message', async () => {
    await done('POST', `/chats/${ana.jid}/pin`);
    const { id } = await ana.sendText(shop, 'the newest');
    await untilReceived(api, id);
    expect(await done('POST', `/chats/${ana.jid}/archive`, { archived: true })).toEqual({
      success: true,
      chat_jid: ana.jid,
      archived: true,
    });
    const { archiveChatAction } = await atPhone('regular_low', 'archive', ana.lid);
    expect(archiveChatAction.archived).toBe(true);
    expect(archiveChatAction.messageRange.messages[0].key).toMatchObject({ id, fromMe: false });
    expect(await shop.account.pins()).not.toContain(ana.lid);
    expect(await read(ana.jid)).toMatchObject({ archived: true, pinned: false });
    expect((await list('?archived=true')).map(({ jid }) => jid)).toEqual([ana.jid]);
    await done('POST', `/chats/${ana.jid}/archive`, { archived: false });
    expect(await read(ana.jid)).toMatchObject({ archived: false });
  });

  test('a new message takes a chat out of the archive where the account is set so', async () => {
    await done('POST', `/chats/${ana.jid}/archive`, { archived: true });
    const archived = Math.floor(Date.now() / 1000);
    // Times of messages are whole seconds.
    await until('another second', async () => Math.floor(Date.now() / 1000) > archived);
    await untilReceived(api, (await ana.sendText(shop, 'still archived')).id);
    expect(await read(ana.jid)).toMatchObject({ archived: true });
    await shop.account.setUnarchiveChats(true);
    await shows(ana.jid, ({ archived }) => !archived);
    expect(await list('?archived=true')).toEqual([]);
    await shop.account.setUnarchiveChats(false);
    await done('POST', `/chats/${ana.jid}/archive`, { archived: false });
  });

  test('mark as read, which the author sees, and as unread', async () => {
    const { id } = await ana.sendText(shop, 'read me');
    await shows(ana.jid, ({ unread_count }) => unread_count > 0);
    expect((await list('?unread=true')).map(({ jid }) => jid)).toContain(ana.jid);
    expect(await done('POST', `/chats/${ana.jid}/read`)).toEqual({
      success: true,
      chat_jid: ana.jid,
      read: true,
    });
    await ana.waitForReceipt((receipt) => receipt.messageId === id && receipt.type === 'read');
    expect(await read(ana.jid)).toMatchObject({ unread_count: 0, marked_unread: false });
    expect((await atPhone('regular_low', 'markChatAsRead', ana.lid)).markChatAsReadAction.read).toBe(true);
    await done('POST', `/chats/${ana.jid}/unread`);
    expect((await atPhone('regular_low', 'markChatAsRead', ana.lid)).markChatAsReadAction.read).toBe(false);
    expect(await read(ana.jid)).toMatchObject({ marked_unread: true });
    expect((await list('?unread=true')).map(({ jid }) => jid)).toContain(ana.jid);
  });

  test('clear, but for what is starred, and delete', async () => {
    const starred = await untilReceived(api, (await bia.sendText(shop, 'keep this')).id);
    await untilReceived(api, (await bia.sendText(shop, 'and not this')).id);
    await done('POST', `/messages/${starred}/star`);
    await done('POST', `/chats/${bia.jid}/clear`, { keep_starred: true });
    const left = (await api.get(`/chats/${bia.jid}/messages`)).body.messages;
    expect(left.map(({ message_id: id }: Json) => id)).toEqual([starred]);
    expect((await atPhone('regular_high', 'clearChat', bia.lid)).clearChatAction).toBeTruthy();
    await done('DELETE', `/chats/${bia.jid}`);
    expect((await api.get(`/chats/${bia.jid}/messages`)).body.messages).toEqual([]);
    expect((await list()).map(({ jid }) => jid)).not.toContain(bia.jid);
    expect((await atPhone('regular_high', 'deleteChat', bia.lid)).deleteChatAction).toBeTruthy();
  });

  test('what is sent through the API is the newest message', async () => {
    const { message_id: id } = await done('POST', '/send/text', { number: ana.number, text: 'from us' });
    expect(await read(ana.jid)).toMatchObject({
      last_message: { message_id: id, is_from_me: true, content: 'from us' },
    });
  });
});

describe('messages that disappear', () => {
  test('in a chat of two and in a group, as the others see it', async () => {
    expect(await done('PUT', `/chats/${ana.jid}/disappearing`, { preset: '7d' })).toEqual({
      success: true,
      chat_jid: ana.jid,
      preset: '7d',
      seconds: 604_800,
      timestamp: expect.any(String),
    });
    const setting = await ana.waitForMessage(({ kind, fromMe }) => kind === 'protocol' && !fromMe);
    expect(setting.message.protocolMessage?.ephemeralExpiration).toBe(604_800);
    expect(await read(ana.jid)).toMatchObject({ ephemeral_seconds: 604_800 });
    // What is sent from now on carries it.
    const { message_id: id } = await done('POST', '/send/text', { number: ana.number, text: 'for a week' });
    const { message } = await ana.waitForMessage((each) => each.id === id);
    expect(message.extendedTextMessage?.contextInfo?.expiration).toBe(604_800);
    expect(await done('PUT', `/chats/${ana.jid}/disappearing`, { seconds: 0 })).toMatchObject({
      preset: 'off',
      seconds: 0,
    });
    const own = await shop.createGroup('Ours', [bia]);
    expect(await done('PUT', `/chats/${own.jid}/disappearing`, { seconds: 86_400 })).toMatchObject({
      preset: '24h',
    });
    expect(await bia.groupInfo(own)).toMatchObject({ ephemeral: 86_400 });
  });

  test('for a time that is one', async () => {
    for (const body of [{}, { preset: '1h' }, { preset: '7d', seconds: 5 }, { seconds: -1 }]) {
      expect((await api.put(`/chats/${ana.jid}/disappearing`, body)).body.error_code).toBe(
        'VALIDATION_ERROR',
      );
    }
  });
});
