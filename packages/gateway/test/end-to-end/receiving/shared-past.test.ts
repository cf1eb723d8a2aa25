/** The past of a group, which a member shares with the account that has just come. */
import type { Phone } from '@wuts/sandbox';
import { proto } from 'baileys';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, until, untilReceived, type World } from '../harness.ts';
import { jpeg, sha256 } from '../samples.ts';
import { openShop } from '../shop.ts';

let world: World;
let api: Api;
let shop: Phone;
let contact: Phone;
let friend: Phone;

beforeAll(async () => {
  ({ world, api, shop, contact, friend } = await openShop({ tenant: 'shared' }));
});
afterAll(() => world.destroy());

const events = async (): Promise<Json[]> => (await api.get('/events?limit=1000')).body.events;
const shown = async (id: string): Promise<Json> => (await api.get(`/messages/${id}`)).body.message;

/** What was shared in that group, once a message of it is told. */
const shared = (group: string, id: string): Promise<Json> =>
  until(`the shared message ${id}`, async () => {
    const found = (await events()).filter(
      ({ event, data }) => event === 'history.sync' && data.group_jid === group,
    );
    return found.find(({ data }) => data.messages.some((each: Json) => each.message_id === id))?.data;
  });

const idsTold = async (): Promise<string[]> =>
  (await events()).flatMap(({ data }) => [
    data.message_id,
    ...(Array.isArray(data.messages) ? data.messages.map((each: Json) => each.message_id) : []),
  ]);

const now = () => Math.floor(Date.now() / 1000);

/** A message as its sharer tells it. */
const info = (
  id: string,
  message: proto.IMessage,
  { key, ...about }: Omit<proto.IWebMessageInfo, 'key'> & { key?: proto.IMessageKey } = {},
): proto.IWebMessageInfo => ({
  key: { id, participant: friend.lid, ...key },
  message,
  messageTimestamp: now() - 60,
  ...about,
});

test('is stored as history of the group, with its files, and is no news', async () => {
  const group = await contact.createGroup('Before', [friend]);
  const bytes = await jpeg();
  const { id: text } = await friend.sendText(group.jid, 'who wants cake?');
  const { id: picture } = await friend.sendImage(group.jid, { bytes, caption: 'this one' });
  await contact.waitForMessage(({ id }) => id === picture);
  const { id: answer } = await contact.sendText(group.jid, 'me');
  await contact.addToGroup(group, shop);
  const bundle = await contact.groupPast.share(group, [shop]);
  const data = await shared(group.jid, answer);
  expect(data).toMatchObject({
    kind: 'shared',
    group_jid: group.jid,
    shared_by: { jid: contact.jid, lid: contact.lid },
    progress: null,
    count: 3,
    stored: 3,
  });
  expect(data.messages).toMatchObject([
    { message_id: text, content: 'who wants cake?', sender: { lid: friend.lid } },
    { message_id: picture, content: 'this one', message_type: 'image' },
    { message_id: answer, content: 'me', sender: { jid: contact.jid }, is_from_me: false },
  ]);
  expect(await shown(text)).toMatchObject({ chat_jid: group.jid, source: 'shared', is_from_me: false });
  const file = await until('the picture', async () => {
    const got = await api.get(`/messages/${picture}/media`);
    return got.status === 200 && got;
  });
  expect(sha256(file.bytes)).toBe(sha256(bytes));
  const news = (await events()).filter(({ event }) => event === 'message.received');
  expect(news.map(({ data: { message_id } }) => message_id)).not.toContain(text);
  expect(await idsTold()).not.toContain(bundle.id);
  expect((await api.get(`/chats/${group.jid}`)).body.chat).toMatchObject({ unread_count: 0 });
  await world.sandbox.waitForAcknowledged(`${shop.number}:${shop.companions[0]}@s.whatsapp.net`);
});

describe('of what a member makes up', () => {
  test('nothing changes what is here, and nothing is the account’s own', async () => {
    const group = await contact.createGroup('Made up', [shop, friend]);
    const { id: mine } = await shop.sendText(group.jid, 'it costs 10');
    const { id: theirs } = await friend.sendText(group.jid, 'I agree');
    await untilReceived(api, theirs);
    const { MESSAGE_EDIT, REVOKE } = proto.Message.ProtocolMessage.Type;
    const key = { remoteJid: group.jid, id: theirs, participant: friend.lid };
    const editedMessage = { conversation: 'I do not' };
    const text = (conversation: string) => ({ conversation });
    const messages = [
      info('EDIT', { protocolMessage: { type: MESSAGE_EDIT, key, editedMessage } }),
      info('REVOKE', { protocolMessage: { type: REVOKE, key } }),
      info('REACTION', { reactionMessage: { key, text: '👎' } }),
      info(theirs, text('I never agreed')),
      info('OURS', text('it is free'), { key: { id: 'OURS', participant: shop.lid } }),
      info('OUR-NUMBER', text('it is free'), { key: { id: 'OUR-NUMBER', participant: shop.jid } }),
      info('ELSEWHERE', text('x'), {
        key: { id: 'ELSEWHERE', remoteJid: shop.jid, participant: friend.lid },
      }),
      info('TO-COME', text('x'), { messageTimestamp: now() + 3600 }),
      info('ANCIENT', text('x'), { messageTimestamp: now() - 60 * 24 * 3600 }),
      info('GONE', text('x'), { ephemeralDuration: 30, ephemeralStartTimestamp: now() - 60 }),
      info('OF-NOBODY', text('x'), { key: { id: 'OF-NOBODY', participant: null } }),
      info('SHARER', text('by myself'), { key: { id: 'SHARER', fromMe: true, participant: null } }),
      info('NAMED', text('with a name'), { pushName: 'The Bank' }),
    ];
    const old = { messageTimestamp: now() - 60 * 24 * 3600 };
    await contact.groupPast.share(group, [shop], {
      messages,
      pinned: [info('PINNED', text('read me'), old)],
    });
    const data = await shared(group.jid, 'PINNED');
    const told = data.messages.map((each: Json) => each.message_id);
    expect(told).toEqual(['SHARER', 'NAMED', 'PINNED']);
    expect(data.messages[0]).toMatchObject({ sender: { jid: contact.jid }, is_from_me: false });
    expect(data.messages[1].sender.push_name).toBeNull();
    expect(await shown(theirs)).toMatchObject({ content: 'I agree', revoked_at: null, edited_at: null });
    expect(await shown(mine)).toMatchObject({ content: 'it costs 10', is_from_me: true });
  });

  test('a message that comes after all takes the place of what was told of it', async () => {
    const group = await contact.createGroup('Later', [shop, friend]);
    const id = 'TOLD-BEFORE';
    await contact.groupPast.share(group, [shop], { messages: [info(id, { conversation: 'told' })] });
    await shared(group.jid, id);
    expect(await shown(id)).toMatchObject({ content: 'told', source: 'shared' });
    await friend.sendText(group.jid, 'written', { id });
    await untilReceived(api, id);
    expect(await shown(id)).toMatchObject({ content: 'written', source: 'phone' });
  });

  test('what is for others, no file of that kind, or a file that is not there stops nobody', async () => {
    const group = await contact.createGroup('Broken', [shop, friend]);
    const messages = [info('NOT-FOR-US', { conversation: 'x' })];
    await contact.groupPast.share(group, [shop], { messages, named: [friend.lid] });
    await contact.groupPast.share(group, [shop], { messages, file: Buffer.from('no zip') });
    const historyReceivers = [shop.lid];
    const messageHistoryBundle = { messageHistoryMetadata: { historyReceivers } };
    await contact.sendRaw(group.jid, { messageHistoryBundle });
    await contact.groupPast.share(group, [shop], { messages: [info('AFTER', { conversation: 'y' })] });
    await shared(group.jid, 'AFTER');
    expect(await idsTold()).not.toContain('NOT-FOR-US');
  });
});
