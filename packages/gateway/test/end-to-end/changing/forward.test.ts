import type { Phone, PhoneMessage } from '@wuts/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Api, until, untilReceived, type World } from '../harness.ts';
import { jpeg, oggOpus, sha256 } from '../samples.ts';
import { openShop } from '../shop.ts';

let world: World;
let api: Api;
let stranger: Api;
let shop: Phone;
let contact: Phone;
let friend: Phone;
let device: string;

beforeAll(async () => {
  ({ world, api, shop, contact, friend, deviceId: device } = await openShop({ tenant: 'forwarding' }));
  stranger = world.as(await world.tenant('elsewhere'));
});
afterAll(() => world.destroy());

const forward = (id: string, body: object = {}, by: Api = api): Promise<Answer> =>
  by.post(`/messages/${id}/forward`, { number: friend.number, ...body });

/** Forwards to the friend, and gives what his phone made of it. */
async function forwarded(id: string, body: object = {}): Promise<{ got: PhoneMessage; answer: Answer }> {
  const answer = await forward(id, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  const got = await friend.waitForMessage((message) => message.id === answer.body.message_id);
  return { got, answer };
}

async function received(sending: Promise<{ id: string }>): Promise<string> {
  const { id } = await sending;
  await untilReceived(api, id);
  return id;
}

const sent = async (kind: string, body: object): Promise<string> =>
  (await api.post(`/send/${kind}`, { number: contact.number, ...body })).body.message_id;

describe('what arrives', () => {
  test('a text of another, marked, without what bound it to its chat', async () => {
    const earlier = await sent('text', { text: 'Which one?' });
    const quoted = await contact.waitForMessage((message) => message.id === earlier);
    const id = await received(contact.sendText(shop.number, 'The blue one', { quoted }));
    const { got, answer } = await forwarded(id);
    expect(got).toMatchObject({ text: 'The blue one', chat: shop.jid });
    const context = got.message.extendedTextMessage?.contextInfo;
    expect(context).toMatchObject({ isForwarded: true, forwardingScore: 1 });
    expect(context?.stanzaId ?? null).toBeNull();
    expect(answer.body).toMatchObject({ status: 'sent', chat_jid: friend.jid });
    const { message } = (await api.get(`/messages/${answer.body.message_id}`)).body;
    expect(message).toMatchObject({ forwarded: true, content: 'The blue one', quoted: null });
    // The next link of the chain counts on.
    const again = await forwarded(answer.body.message_id);
    expect(again.got.message.extendedTextMessage?.contextInfo?.forwardingScore).toBe(1);
  });

  test("the account's own text is not marked, and goes as it was last edited", async () => {
    const id = await sent('text', { text: 'befor' });
    await api.put(`/messages/${id}`, { to: contact.number, message: 'before' });
    const { got } = await forwarded(id);
    expect(got.text).toBe('before');
    expect(got.message.extendedTextMessage?.contextInfo ?? null).toBeNull();
  });

  test('a picture with its caption, uploaded anew', async () => {
    const bytes = await jpeg();
    const id = await received(contact.sendImage(shop.number, { bytes, caption: 'Our door' }));
    await until('it is here', async () => (await api.get(`/messages/${id}/media`)).status === 200);
    const { got, answer } = await forwarded(id);
    expect(got).toMatchObject({ text: 'Our door', kind: 'image' });
    expect(sha256(await friend.downloadMedia(got))).toBe(sha256(bytes));
    expect(got.message.imageMessage?.contextInfo?.forwardingScore).toBe(1);
    const again = await api.get(`/messages/${answer.body.message_id}/media`);
    expect(sha256(again.bytes)).toBe(sha256(bytes));
  });

  test('a document with its name, a voice note as such, a place, a contact', async () => {
    const document = await received(
      contact.sendDocument(shop.number, {
        bytes: Buffer.from('soup'),
        fileName: 'menu.txt',
        mimeType: 'text/plain',
      }),
    );
    const file = (await forwarded(document)).got;
    expect(file.message.documentMessage).toMatchObject({ fileName: 'menu.txt', mimetype: 'text/plain' });
    expect((await friend.downloadMedia(file)).toString()).toBe('soup');
    const bytes = oggOpus(50);
    const voice = await sent('audio', { audio: bytes.toString('base64'), ptt: true });
    const note = (await forwarded(voice)).got;
    expect(note.message.audioMessage).toMatchObject({ ptt: true });
    const place = await sent('location', { latitude: -23.5, longitude: -46.6, name: 'Here' });
    const got = (await forwarded(place)).got.message.locationMessage;
    expect(got).toMatchObject({ degreesLatitude: -23.5, name: 'Here' });
    const card = await sent('contact', { contact: { display_name: 'Ana', phone: contact.number } });
    expect((await forwarded(card)).got.message.contactMessage?.displayName).toBe('Ana');
  });

  test('a video note and a Lottie sticker as such, whatever envelopes they came in', async () => {
    const bytes = await jpeg();
    const file = await contact.uploadMedia('video', bytes);
    const jpegThumbnail = new Uint8Array([1, 2, 3]);
    const ptvMessage = { ...file, mimetype: 'video/mp4', width: 400, height: 400, seconds: 3, jpegThumbnail };
    const envelope = {
      groupMentionedMessage: { message: { ephemeralMessage: { message: { ptvMessage } } } },
    };
    const note = (await forwarded(await received(contact.sendRaw(shop.number, envelope)))).got.message;
    expect(note.ptvMessage).toMatchObject({ width: 400, height: 400, seconds: 3, jpegThumbnail });
    const stickerMessage = {
      ...(await contact.uploadMedia('sticker', bytes)),
      mimetype: 'application/was',
      width: 512,
      height: 512,
      isLottie: true,
    };
    const sticker = { lottieStickerMessage: { message: { stickerMessage } } };
    const lottie = (await forwarded(await received(contact.sendRaw(shop.number, sticker)))).got.message;
    const inside = lottie.lottieStickerMessage?.message?.stickerMessage;
    expect(inside).toMatchObject({ mimetype: 'application/was', width: 512, isLottie: true });
  });

  test('under an id that the caller chooses; the same key sends once', async () => {
    const id = await sent('text', { text: 'once' });
    const headers = { 'idempotency-key': 'forward once' };
    const body = { number: friend.number, message_id: 'MY-FORWARD-0001' };
    const first = await api.post(`/messages/${id}/forward`, body, headers);
    const second = await api.post(`/messages/${id}/forward`, body, headers);
    expect([first.status, first.body.message_id]).toEqual([200, 'MY-FORWARD-0001']);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    await friend.waitForMessage((message) => message.id === 'MY-FORWARD-0001');
    expect(friend.inbox.filter((message) => message.text === 'once')).toHaveLength(1);
  });
});

describe('refused', () => {
  const refusal = async (id: string, body: object = {}, by: Api = api): Promise<[number, string]> => {
    const answer = await forward(id, body, by);
    return [answer.status, answer.body.error_code];
  };

  test.each([
    [
      'a poll',
      () => sent('poll', { question: 'Which?', options: [{ option_name: 'a' }, { option_name: 'b' }] }),
    ],
    [
      'a reaction',
      async () => sent('reaction', { messageId: await sent('text', { text: 'x' }), reaction: '👍' }),
    ],
    [
      'a view-once picture',
      async () => sent('image', { image: (await jpeg()).toString('base64'), viewOnce: true }),
    ],
    [
      'what was deleted',
      async () => {
        const id = await sent('text', { text: 'gone' });
        const body = { messageId: id, chatJid: contact.jid, deleteType: 'for_everyone' };
        await api.call('DELETE', '/messages/delete', body);
        return id;
      },
    ],
  ])('%s', async (_what, make) => {
    expect(await refusal(await make())).toEqual([409, 'NOT_FORWARDABLE']);
  });

  test('unknown messages and those of others, bad recipients, an offline device', async () => {
    const id = await sent('text', { text: 'ours' });
    expect(await refusal('3EB000000000000000')).toEqual([404, 'MESSAGE_NOT_FOUND']);
    expect(await refusal(id, {}, stranger)).toEqual([404, 'MESSAGE_NOT_FOUND']);
    expect(await refusal(id, { number: '12' })).toEqual([400, 'INVALID_RECIPIENT']);
    expect(await refusal(id, { number: undefined })).toEqual([400, 'VALIDATION_ERROR']);
    expect(await refusal(id, { number: '5511999992999' })).toEqual([404, 'NOT_ON_WHATSAPP']);
    await api.post(`/disconnect?device_id=${device}`);
    expect(await refusal(id)).toEqual([503, 'DEVICE_NOT_READY']);
    await api.post(`/connect?device_id=${device}`);
    await until('the device is back', async () => (await api.get('/status')).body.data.connected);
  });
});
