/** What Meta AI answers: sealed under the message that asked. */
import type { Phone } from '@wuts/sandbox';
import type { BinaryNode } from 'baileys';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, until, untilReceived, type World } from '../harness.ts';
import { jpeg, sha256 } from '../samples.ts';
import { openShop } from '../shop.ts';
import { type Told, toldBy } from './told.ts';

const META_AI = '867051314767696@bot';

let world: World;
let api: Api;
let shop: Phone;
let contact: Phone;
let friend: Phone;
let events: Told['events'];
let shown: Told['shown'];
let told: Told['told'];
/** What the device said of a message: `receipt`, or the error of its acknowledgement. */
const answers = new Map<string, string[]>();

beforeAll(async () => {
  ({ world, api, shop, contact, friend } = await openShop({ tenant: 'assistants' }));
  ({ events, shown, told } = toldBy(api));
  world.sandbox.network.onStanza((node: BinaryNode, { user, device }) => {
    if (user !== shop.number || device === 0 || !['receipt', 'ack'].includes(node.tag)) return;
    const { id = '', type = 'delivery', error = 'ack' } = node.attrs;
    answers.set(id, [...(answers.get(id) ?? []), node.tag === 'receipt' ? type : error]);
  });
});
afterAll(() => world.destroy());

const answered = (id: string): Promise<string[]> => until(`an answer to ${id}`, async () => answers.get(id));

const namesTold = async (id: string): Promise<string[]> =>
  (await events())
    .filter(({ data }) => [data.message_id, data.edit_id].includes(id))
    .map(({ event }) => event);

async function asked(text: string): Promise<string> {
  const { id } = await shop.assistant.ask(text);
  expect(await told('message.sent', 'message_id', id)).toMatchObject({ chat_jid: META_AI, content: text });
  return id;
}

describe('in the chat with it', () => {
  test.each([
    false,
    true,
  ])('its answer is a message that names the question; unnamed: %s', async (unnamed) => {
    const question = await asked('How far is the moon?');
    const id = await shop.assistant.answer(question, 'Far', { last: true, unnamed });
    expect(await told('message.received', 'message_id', id)).toMatchObject({
      chat_jid: META_AI,
      message_type: 'text',
      content: 'Far',
      target_message_id: question,
      is_from_me: false,
      is_group: false,
      sender: { jid: META_AI, lid: null, phone_number: null },
    });
    expect(await answered(id)).toEqual(['inactive']);
  });

  test('their chat is one of the list, and is read; written to it is on the phone', async () => {
    const question = await asked('Who is there?');
    const id = await shop.assistant.answer(question, 'I am', { last: true });
    await told('message.received', 'message_id', id);
    const { chats } = (await api.get('/chats')).body;
    expect(chats.find((each: Json) => each.jid === META_AI)).toMatchObject({
      type: 'contact',
      phone_number: null,
    });
    expect((await api.get(`/chats/${META_AI}`)).body.chat).toMatchObject({ jid: META_AI });
    for (const path of [`/chats/${META_AI}/messages?limit=2`, `/messages?chat=${META_AI}&limit=2`]) {
      const { messages } = (await api.get(path)).body;
      expect(messages.map((each: Json) => each.message_id)).toEqual([id, question]);
    }
    const refused = await api.post('/send/text', { number: META_AI, text: 'And you?' });
    expect(refused).toMatchObject({ status: 400, body: { error_code: 'INVALID_RECIPIENT' } });
  });

  test('an answer that grows is one message with its edits', async () => {
    const question = await asked('Tell me a story');
    const id = await shop.assistant.answer(question, 'Once');
    const inner = await shop.assistant.answer(question, 'Once upon', { pieceOf: id });
    const MESSAGE_EDIT = 14;
    const editedMessage = {
      richResponseMessage: { submessages: [{ messageText: 'Once upon a time' }, { messageText: 'The end' }] },
    };
    const whole = { protocolMessage: { key: { id }, type: MESSAGE_EDIT, editedMessage } };
    const last = await shop.assistant.answer(question, whole, { pieceOf: id, last: true });
    const edited = { message_id: id, chat_jid: META_AI, is_from_me: false, sender: { jid: META_AI } };
    expect(await told('message.edited', 'edit_id', inner)).toMatchObject({ ...edited, content: 'Once upon' });
    const content = 'Once upon a time\nThe end';
    expect(await told('message.edited', 'edit_id', last)).toMatchObject({ ...edited, content });
    expect(await shown(id)).toMatchObject({
      message_type: 'text',
      content,
      edited_at: expect.any(String),
      target_message_id: question,
    });
    for (const each of [id, inner, last]) expect(await answered(each)).toEqual(['inactive']);
    const { messages } = (await api.get('/messages?limit=3')).body;
    expect(messages.map((each: Json) => each.message_id)).toEqual([id, question, expect.anything()]);
  });

  test('a picture is a file, and what it takes back is revoked', async () => {
    const question = await asked('Draw me a sheep');
    const bytes = await jpeg();
    const imageMessage = { ...(await shop.uploadMedia('image', bytes)), mimetype: 'image/jpeg' };
    const id = await shop.assistant.answer(question, { imageMessage }, { last: true });
    const data = await told('message.received', 'message_id', id);
    expect(data).toMatchObject({ message_type: 'image', media: { kind: 'image' } });
    expect(sha256((await api.get(data.media.url)).bytes)).toBe(sha256(bytes));
    const taken = await shop.assistant.answer(question, { protocolMessage: { key: { id }, type: 0 } });
    expect(await told('message.revoked', 'message_id', id)).toMatchObject({ chat_jid: META_AI });
    expect(await answered(taken)).toEqual(['inactive']);
  });

  test('it is named by number in older chats', async () => {
    const question = await asked('Who are you?');
    const from = '13135550002@s.whatsapp.net';
    const id = await shop.assistant.answer(question, 'An assistant', { from });
    expect(await told('message.received', 'message_id', id)).toMatchObject({
      chat_jid: from,
      content: 'An assistant',
    });
  });
});

test('in a group, it answers a member', async () => {
  const group = await contact.createGroup('Assisted', [shop, friend]);
  const { id: question } = await friend.sendText(group.jid, '@Meta AI what is for lunch?');
  await untilReceived(api, question);
  const id = await friend.assistant.answer(question, 'Soup', { last: true });
  expect(await told('message.received', 'message_id', id)).toMatchObject({
    chat_jid: group.jid,
    is_group: true,
    content: 'Soup',
    target_message_id: question,
    sender: { jid: META_AI },
    target_sender: { jid: friend.jid, lid: friend.lid },
  });
  const bytes = { encIv: Buffer.alloc(12), encPayload: Buffer.alloc(40) };
  const { id: forged } = await friend.sendRaw(group.jid, { secretEncryptedMessage: bytes });
  await untilReceived(api, forged);
  expect((await shown(id)).content).toBe('Soup');
});

describe('whose question is not here', () => {
  test('it is told as one that cannot be read, refused as the apps do, and read when the question comes', async () => {
    const { id: question } = await shop.assistant.ask('Where is it?', { told: false });
    const id = await shop.assistant.answer(question, 'Here');
    expect(await told('message.undecryptable', 'message_id', id)).toMatchObject({ chat_jid: META_AI });
    expect(await answered(id)).toEqual(['495']);
    const piece = await shop.assistant.answer(question, 'Here, or there', { pieceOf: id, last: true });
    expect(await answered(piece)).toEqual(['495']);
    expect(await namesTold(piece)).toEqual([]);
    expect(await shown(id)).toMatchObject({ message_type: 'undecryptable', content: '' });
    await shop.assistant.tell(question);
    expect(await told('message.received', 'message_id', id)).toMatchObject({
      content: 'Here',
      target_message_id: question,
    });
    expect(await told('message.edited', 'edit_id', piece)).toMatchObject({ message_id: id });
    expect(await shown(id)).toMatchObject({ message_type: 'text', content: 'Here, or there' });
  });

  test('or whose seal is of another one', async () => {
    const question = await asked('And now?');
    const id = await shop.assistant.answer(question, 'Nothing', { forged: true });
    expect(await told('message.undecryptable', 'message_id', id)).toMatchObject({ chat_jid: META_AI });
    expect(await answered(id)).toEqual(['495']);
  });
});

test('an answer that comes twice is taken twice and told once', async () => {
  const question = await asked('Are you there?');
  const id = await shop.assistant.answer(question, 'Yes');
  await answered(id);
  await told('message.received', 'message_id', id);
  const again = await shop.assistant.answer(question, 'Yes', { id });
  expect(again).toBe(id);
  await until('the second answer', async () => (answers.get(id)?.length ?? 0) > 1);
  expect(await namesTold(id)).toEqual(['message.received']);
});
