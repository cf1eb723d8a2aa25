/** What an answer shows of the message that it answers, as it stands by then. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, type Api, type Json, until, untilReceived, type World } from '../harness.ts';
import { jpeg } from '../samples.ts';
import { openShop } from '../shop.ts';

let world: World;
let api: Api;
let shop: Phone;
let contact: Phone;

beforeAll(async () => {
  ({ world, api, shop, contact } = await openShop({ tenant: 'quotes' }));
});
afterAll(() => world.destroy());

const answerTo = (id: string, more: object = {}): Promise<Answer> =>
  api.post('/send/text', {
    to: contact.number,
    text: 'An answer',
    quoted: { message_id: id, participant: contact.jid, body: 'as the caller says' },
    ...more,
  });

/** The quote in an answer to that message, as the contact's phone shows it. */
async function quoteOf(id: string): Promise<Json> {
  const answer = await answerTo(id);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  const { message } = await contact.waitForMessage((each) => each.id === answer.body.message_id);
  return message.extendedTextMessage?.contextInfo?.quotedMessage;
}

async function untilStored(id: string, fits: (message: Json) => boolean): Promise<void> {
  await until(`${id} is as it should be`, async () => fits((await api.get(`/messages/${id}`)).body.message));
}

test('what was deleted is not sent out again', async () => {
  const image = (await jpeg()).toString('base64');
  const own = (await api.post('/send/image', { to: contact.number, image, caption: 'Secret' })).body
    .message_id;
  expect(await quoteOf(own)).toHaveProperty('imageMessage.mediaKey');
  const gone = { chatJid: contact.jid, messageId: own, deleteType: 'for_everyone' };
  const deleted = await api.call('DELETE', '/messages/delete', gone);
  expect(deleted.status, JSON.stringify(deleted.body)).toBe(200);

  const theirs = await contact.sendText(shop.number, 'Secret');
  await untilReceived(api, theirs.id);
  await contact.sendRevoke(shop.number, theirs.id);
  await untilStored(theirs.id, (message) => message.revoked_at !== null);

  const before = contact.inbox.length;
  for (const id of [own, theirs.id]) {
    const answer = await answerTo(id);
    expect([answer.status, answer.body.error_code]).toEqual([409, 'NOT_QUOTABLE']);
  }
  expect(contact.inbox.length).toBe(before);
});

test('what its owner deleted for himself is quoted as the caller says', async () => {
  const { id } = await contact.sendText(shop.number, 'For the owner no more');
  await untilReceived(api, id);
  const mine = { chatJid: contact.jid, messageId: id, deleteType: 'for_me' };
  expect((await api.call('DELETE', '/messages/delete', mine)).status).toBe(200);
  expect(await quoteOf(id)).toMatchObject({ conversation: 'as the caller says' });
});

test('an edited message is quoted as it was edited last', async () => {
  const text = await contact.sendText(shop.number, 'Tomorow');
  await untilReceived(api, text.id);
  await contact.sendEdit(shop.number, text.id, 'Tomorrow');
  await untilStored(text.id, (message) => message.content === 'Tomorrow');
  expect(await quoteOf(text.id)).toMatchObject({ conversation: 'Tomorrow' });

  const file = (await jpeg()).toString('base64');
  for (const [kind, body] of [
    ['image', { image: file }],
    ['document', { document: file, file_name: 'menu.jpg' }],
  ] as const) {
    const sent = await api.post(`/send/${kind}`, { to: contact.number, caption: 'Old prices', ...body });
    const id: string = sent.body.message_id;
    const edit = await api.put(`/messages/${id}`, { to: contact.number, message: 'New prices' });
    expect(edit.status, JSON.stringify(edit.body)).toBe(200);
    const quote = await quoteOf(id);
    expect(quote[`${kind}Message`]).toMatchObject({ caption: 'New prices', mediaKey: expect.anything() });
  }
});

test('an edited poll and an edited event are quoted as they stand by now', async () => {
  const poll = await contact.sendPoll(shop.number, 'When?', ['Today', 'Tomorrow']);
  const event = await contact.sendEvent(shop.number, { name: 'Party', startTime: 1_800_000_000 });
  for (const { id } of [poll, event]) await untilReceived(api, id);
  expect((await quoteOf(poll.id)).pollCreationMessage).toMatchObject({ name: 'When?' });
  await contact.sendPollEdit(shop.number, poll.id, { question: 'When, then?', choices: ['Today', 'Friday'] });
  await contact.sendEventEdit(shop.number, event.id, { name: 'Bigger party', startTime: 1_800_000_000 });
  await untilStored(event.id, (message) => message.content === 'Bigger party');
  const { pollCreationMessage } = await quoteOf(poll.id);
  expect(pollCreationMessage).toMatchObject({
    name: 'When, then?',
    options: [{ optionName: 'Today' }, { optionName: 'Friday' }],
  });
  expect((await quoteOf(event.id)).eventMessage).toMatchObject({ name: 'Bigger party' });
});

test('the key of what may be opened once stays with it', async () => {
  const { id } = await contact.sendImage(shop.number, { bytes: await jpeg(), viewOnce: true });
  await untilReceived(api, id);
  const { imageMessage } = await quoteOf(id);
  expect(imageMessage.mimetype).toBe('image/jpeg');
  for (const name of ['mediaKey', 'directPath', 'url', 'jpegThumbnail'])
    expect(imageMessage[name] ?? '').toHaveLength(0);
});
