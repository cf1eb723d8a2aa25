/** What the apps have sent only for some months: told with the words in it, or not at all where no chat shows it. */
import type { Phone } from '@wuts/sandbox';
import { proto } from 'baileys';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, type Json, until, untilReceived, type World } from '../harness.ts';
import { jpeg, webp } from '../samples.ts';
import { openShop } from '../shop.ts';

let world: World;
let api: Api;
let shop: Phone;
let contact: Phone;

beforeAll(async () => {
  ({ world, api, shop, contact } = await openShop({ tenant: 'newer' }));
});
afterAll(() => world.destroy());

const BYTES = Buffer.alloc(32, 7);
const KEY = { remoteJid: 'status@broadcast', fromMe: false, id: '3EB0123456789ABCDEF0' };
const contextInfo = { stanzaId: '3EB0FFFFFFFFFFFFFFFF', participant: '5511999994001@s.whatsapp.net' };

async function told(message: Json): Promise<Json> {
  const { id } = await contact.sendRaw(shop.number, message);
  await untilReceived(api, id);
  const { events } = (await api.get('/events?limit=1000&event=message.received')).body;
  const { data } = events.find((each: Json) => each.data.message_id === id);
  const stored = (await api.get(`/messages/${id}`)).body.message;
  expect([stored.message_type, stored.content, stored.details]).toEqual([
    data.message_type,
    data.content,
    data.details,
  ]);
  return data;
}

/** The same of a message as bytes: with what the library's schema does not have. */
async function toldBytes(message: Buffer): Promise<Json> {
  const id = await contact.hostile.sendPlaintext(shop, message);
  await untilReceived(api, id);
  const { events } = (await api.get('/events?limit=1000&event=message.received')).body;
  return events.find((each: Json) => each.data.message_id === id).data;
}

/** A field of a protobuf message (protobuf.dev "Encoding"). */
function delimited(field: number, value: Uint8Array | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);
}

const number = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8), varint(value)]);

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 0x80)) {
    bytes.push(left < 0x80 ? left : (left & 0x7f) | 0x80);
    if (left < 0x80) return Buffer.from(bytes);
  }
}

describe('a message of the newer kinds', () => {
  test('a pack of stickers, with its names', async () => {
    const stickers = ['a.webp', 'b.webp', 'c.webp'].map((fileName) => ({ fileName, emojis: ['🐈'] }));
    const file = { mediaKey: BYTES, fileSha256: BYTES, fileEncSha256: BYTES, directPath: '/v/t62/x' };
    const pack = { stickerPackId: '7', name: 'Cats', publisher: 'Ana', stickers, ...file };
    expect(await told({ stickerPackMessage: { ...pack, contextInfo } })).toMatchObject({
      message_type: 'sticker_pack',
      content: 'Cats',
      details: {
        name: 'Cats',
        publisher: 'Ana',
        description: null,
        sticker_count: 3,
        tray_icon: null,
        stickers: stickers.map(({ fileName: file_name, emojis }) => ({
          ...{ file_name, emojis, animated: false, mime_type: null },
        })),
      },
      quoted: { message_id: contextInfo.stanzaId },
    });
    expect((await told({ stickerPackMessage: { ...pack, caption: 'Take them' } })).content).toBe('Take them');
  });

  test('the file of a pack of stickers is a zip of them, and comes again from the phone', async () => {
    const trayIcon = await jpeg();
    const stickers = [
      { bytes: await webp(), emojis: ['🐈', '😀'] },
      { bytes: Buffer.concat([await webp(), Buffer.from([0])]), animated: true },
    ];
    const pack = { name: 'Cats', publisher: 'Ana', description: 'of ours', stickers, trayIcon };
    const { id } = await contact.sendStickerPack(shop.number, pack);
    await untilReceived(api, id);
    const { message } = (await api.get(`/messages/${id}`)).body;
    expect(message).toMatchObject({
      message_type: 'sticker_pack',
      content: 'Cats',
      media: { kind: 'sticker_pack', mime_type: 'application/zip', file_name: 'Cats.zip' },
      details: { description: 'of ours', sticker_count: 2, tray_icon: expect.stringMatching(/\.png$/) },
    });
    expect(message.details.stickers).toMatchObject([
      { emojis: ['🐈', '😀'], animated: false, mime_type: 'image/webp' },
      { emojis: [], animated: true },
    ]);
    const fetched = async (): Promise<Buffer> => {
      const { bytes } = await until('the file', async () => {
        const got = await api.get(message.media.url);
        return got.status === 200 && got;
      });
      return bytes;
    };
    const zip = await fetched();
    expect(zip.length).toBe(message.media.size);
    for (const { bytes } of stickers) expect(zip.includes(bytes)).toBe(true);
    const names = [
      ...message.details.stickers.map((each: Json) => each.file_name),
      message.details.tray_icon,
    ];
    for (const name of names) expect(zip.includes(name)).toBe(true);
    await until('the cache is empty', async () => (await world.gateway.parts.media.emptyCache()) === 0);
    world.sandbox.cdn.expireAll(404);
    expect((await api.get(message.media.url)).status).toBe(202);
    expect((await fetched()).equals(zip)).toBe(true);
    const forwarded = await api.post(`/messages/${id}/forward`, { number: contact.number });
    expect(forwarded.body.error_code).toBe('NOT_FORWARDABLE');
  });

  test.each([
    'pollResultSnapshotMessage',
    'pollResultSnapshotMessageV3',
  ])('the result of a poll, passed on as %s', async (member) => {
    const pollVotes = [
      { optionName: 'Pizza', optionVoteCount: 12 },
      { optionName: 'Sushi', optionVoteCount: 0 },
    ];
    expect(await told({ [member]: { name: 'Lunch?', pollVotes } })).toMatchObject({
      message_type: 'poll_result',
      content: 'Lunch?',
      details: {
        name: 'Lunch?',
        options: [
          { name: 'Pizza', votes: 12 },
          { name: 'Sushi', votes: 0 },
        ],
      },
    });
  });

  test('an invitation to follow a channel is none to run it', async () => {
    const invite = { newsletterJid: '120363000000000001@newsletter', newsletterName: 'News' };
    expect(await told({ newsletterFollowerInviteMessageV2: { ...invite, caption: 'Join' } })).toMatchObject({
      message_type: 'newsletter_follow_invite',
      content: 'Join',
      details: { newsletter_jid: invite.newsletterJid, newsletter_name: 'News' },
    });
  });

  test('an invitation to a calendar event, in an envelope too, with what it answers', async () => {
    const startTime = 1_800_000_000;
    const context = proto.ContextInfo.encode(contextInfo).finish();
    const texts = [delimited(2, 'E7'), delimited(3, 'Party'), delimited(9, 'https://call.whatsapp.com/x')];
    const invite = Buffer.concat([delimited(1, context), ...texts, number(5, startTime), number(7, 1)]);
    const details = {
      event_id: 'E7',
      name: 'Party',
      start_time: '2027-01-15T08:00:00.000Z',
      end_time: null,
      join_link: 'https://call.whatsapp.com/x',
      canceled: true,
    };
    const message = delimited(122, invite);
    expect(await toldBytes(message)).toMatchObject({
      message_type: 'event_invite',
      content: 'Party',
      details,
      quoted: { message_id: contextInfo.stanzaId },
    });
    const captioned = delimited(122, Buffer.concat([invite, delimited(6, 'Come!')]));
    const EPHEMERAL = 40;
    expect(await toldBytes(delimited(EPHEMERAL, delimited(1, captioned)))).toMatchObject({
      message_type: 'event_invite',
      content: 'Come!',
      details,
    });
  });

  test('what was scheduled on a phone is named, and closed', async () => {
    const sealed = [
      delimited(1, BYTES),
      delimited(2, BYTES.subarray(0, 12)),
      number(3, 1),
      delimited(4, 'K'),
    ];
    expect(await toldBytes(delimited(120, Buffer.concat(sealed)))).toMatchObject({
      message_type: 'scheduled',
      content: '',
      details: null,
    });
  });

  test("an assistant's answer, also passed on, and as it grows by edits", async () => {
    const rich = (...texts: string[]) => ({
      richResponseMessage: { submessages: texts.map((messageText) => ({ messageType: 2, messageText })) },
    });
    const data = await told(rich('Hey!'));
    expect(data).toMatchObject({ message_type: 'text', content: 'Hey!' });
    const key = { remoteJid: shop.jid, fromMe: true, id: data.message_id };
    const editedMessage = rich('Hey! What is', 'up?');
    await contact.sendRaw(shop.number, { protocolMessage: { key, type: 14, editedMessage } });
    await until('the edit is applied', async () => {
      const { message } = (await api.get(`/messages/${data.message_id}`)).body;
      return message.content === 'Hey! What is\nup?';
    });
    const forwarded = { botForwardedMessage: { message: rich('An AI says') } };
    expect(await told(forwarded)).toMatchObject({ message_type: 'text', content: 'An AI says' });
  });

  test.each([
    ['statusQuestionAnswerMessage', { key: KEY, text: 'Blue' }],
    ['questionResponseMessage', { key: KEY, text: 'Blue' }],
    ['statusQuotedMessage', { type: 1, text: 'Blue', originalStatusId: KEY }],
  ])('an answer to a question as %s', async (member, content) => {
    expect(await told({ [member]: content })).toMatchObject({
      message_type: 'text',
      content: 'Blue',
      target_message_id: KEY.id,
    });
  });

  test('that there was a call, how it ended and who was in it', async () => {
    const participants = [
      { jid: contact.lid, callOutcome: 1 },
      { jid: shop.jid, callOutcome: 99 },
    ];
    const log = { isVideo: true, callOutcome: 7, durationSecs: 61, callType: 2, participants };
    expect(await told({ callLogMesssage: log })).toMatchObject({
      message_type: 'call_log',
      content: '',
      details: {
        video: true,
        call_type: 'voice_chat',
        outcome: 'silenced_unknown_caller',
        duration_seconds: 61,
        participants: [
          { jid: null, lid: contact.lid, phone_number: null, outcome: 'missed' },
          { jid: shop.jid, lid: null, phone_number: shop.number, outcome: 'unknown' },
        ],
      },
    });
    expect((await told({ callLogMesssage: {} })).details).toEqual({
      video: false,
      call_type: 'regular',
      outcome: 'connected',
      duration_seconds: null,
      participants: [],
    });
  });

  test('that a call is to be, and that it is not', async () => {
    const call = { title: 'Weekly', callType: 2, scheduledTimestampMs: 1_900_000_000_000 };
    const data = await told({ scheduledCallCreationMessage: call });
    expect(data).toMatchObject({
      message_type: 'scheduled_call',
      content: 'Weekly',
      details: { title: 'Weekly', start_time: '2030-03-17T17:46:40.000Z', video: true, canceled: false },
    });
    const key = { remoteJid: shop.jid, fromMe: true, id: data.message_id };
    expect(await told({ scheduledCallEditMessage: { key, editType: 1 } })).toMatchObject({
      message_type: 'scheduled_call',
      target_message_id: data.message_id,
      details: { title: null, start_time: null, video: null, canceled: true },
    });
  });

  test('that a number is asked for, that somebody is to pay by WhatsApp, and that the phone alone has it', async () => {
    const asked = await told({ requestPhoneNumberMessage: { contextInfo } });
    expect(asked).toMatchObject({
      message_type: 'phone_number_request',
      details: null,
      quoted: { message_id: contextInfo.stanzaId },
    });
    expect(await told({ requestPhoneNumberMessage: {} })).toMatchObject({
      message_type: 'phone_number_request',
    });
    const invite = { serviceType: 4, expiryTimestamp: 1_900_000_000 };
    expect(await told({ paymentInviteMessage: invite })).toMatchObject({
      message_type: 'payment_invite',
      details: { service: 'pix', expires_at: '2030-03-17T17:46:40.000Z' },
    });
    expect(await told({ placeholderMessage: { type: 0 } })).toMatchObject({
      message_type: 'placeholder',
      content: '',
      details: null,
    });
  });

  test.each([
    ['invoiceMessage', { note: 'Invoice 5', token: 'x' }, 'Invoice 5'],
    ['bcallMessage', { sessionId: 'x', caption: 'Listen' }, 'Listen'],
    ['chat', { displayName: 'An old chat', id: 'x' }, ''],
  ])('%s is unknown, with the words in it', async (member, content, words) => {
    expect(await told({ [member]: content })).toMatchObject({ message_type: 'unknown', content: words });
  });
});

test('what no chat shows is no message', async () => {
  const file = { mediaKey: BYTES, fileSha256: BYTES, fileEncSha256: BYTES, directPath: '/v/t62/x' };
  const messageHistoryMetadata = { historyReceivers: [contact.lid], messageCount: 25 };
  const ids: string[] = [];
  for (const message of [
    { keepInChatMessage: { key: KEY, keepType: 1, timestampMs: 1 } },
    { stickerSyncRmrMessage: { filehash: ['x'], rmrSource: 'y' } },
    { messageHistoryBundle: { mimetype: 'application/octet-stream', ...file, messageHistoryMetadata } },
    { messageHistoryNotice: { messageHistoryMetadata } },
    { statusNotificationMessage: { responseMessageKey: KEY, originalMessageKey: KEY, type: 2 } },
    { statusStickerInteractionMessage: { key: KEY, stickerKey: 'heart', type: 1 } },
  ]) {
    ids.push((await contact.sendRaw(shop.number, message)).id);
  }
  await untilReceived(api, (await contact.sendText(shop.number, 'and on')).id);
  const { events } = (await api.get('/events?limit=1000')).body;
  expect(events.filter(({ data }: Json) => ids.includes(data.message_id))).toEqual([]);
  expect((await api.get(`/messages/${ids[0]}`)).status).toBe(404);
});
