import { expect, it } from 'vitest';
import { messageSecret } from '../../../src/messages/message-secrets.ts';
import { proto } from '../../../src/whatsapp/baileys/library.ts';
import { decodeProtobuf } from '../../../src/whatsapp/baileys/parse/bounded-protobuf.ts';
import { ConversationNames, historyMessage } from '../../../src/whatsapp/baileys/parse/history-message.ts';
import { infosInConversation } from '../../../src/whatsapp/baileys/parse/message-bytes.ts';
import { wireCodec } from '../../../src/whatsapp/baileys/parse/wire-codec.ts';
import type { Identity } from '../../../src/whatsapp/port/identity.ts';

const OWN = { jid: '5511999990001@s.whatsapp.net', lid: '111111111111111@lid' };
const BOB = { jid: '5511999990002@s.whatsapp.net', lid: '222222222222222@lid' };
const NOBODY = { getLIDForPN: async () => null, getPNForLID: async () => null };

/** A length-delimited field of less than 16 kB. */
function field(number: number, content: Uint8Array): Buffer {
  const tag = number * 8 + 2;
  const head = tag > 127 ? [(tag % 128) + 128, Math.floor(tag / 128)] : [tag];
  const { length } = content;
  const size = length > 127 ? [(length % 128) + 128, Math.floor(length / 128)] : [length];
  return Buffer.concat([Buffer.from([...head, ...size]), content]);
}

async function read(message: Uint8Array, rest: proto.IWebMessageInfo = { key: {} }, chat: Identity = BOB) {
  const key = { remoteJid: BOB.jid, id: '3EB1', ...rest.key };
  const info = Buffer.concat([proto.WebMessageInfo.encode({ ...rest, key }).finish(), field(2, message)]);
  // As it comes: within a conversation, behind one that has no message.
  const conversation = Buffer.concat([
    field(1, Buffer.from(BOB.jid)),
    field(2, Buffer.alloc(0)),
    field(2, field(1, info)),
  ]);
  const [none, came] = infosInConversation(conversation);
  expect(none).toBeNull();
  const decoded = decodeProtobuf(proto.WebMessageInfo, info);
  return historyMessage({ info: decoded, bytes: came ?? null }, chat, OWN, new ConversationNames(NOBODY));
}

const text = proto.Message.encode({ conversation: 'inside' }).finish();

it('keeps the bytes of a message as they came, and opens envelopes that no schema has', async () => {
  const came = field(1900, field(1, text));
  const message = await read(came);
  expect(message?.content).toMatchObject({ kind: 'text', text: 'inside' });
  expect(Buffer.from(message?.raw ?? [])).toEqual(came);
});

it('keeps the secret that the phone has beside the message, with what the message says of itself', async () => {
  const secret = Buffer.alloc(32, 7);
  const context = proto.Message.encode({
    messageContextInfo: { deviceListMetadataVersion: 2 },
  }).finish();
  const message = await read(Buffer.concat([context, text]), { key: {}, messageSecret: secret });
  const kept = wireCodec.decode(message?.raw ?? new Uint8Array());
  expect(messageSecret(kept)).toEqual(secret);
  expect(kept).toMatchObject({
    conversation: 'inside',
    messageContextInfo: { deviceListMetadataVersion: 2 },
  });
});

it('is none when there is nothing in it', async () => {
  const secret = { messageContextInfo: { messageSecret: new Uint8Array(32) } };
  expect(await read(proto.Message.encode(secret).finish())).toBeNull();
});

const GROUP = { jid: '120363039000000000@g.us', lid: null };
const CAROL = { jid: '5511999990003@s.whatsapp.net', lid: '333333333333333@lid' };
const own = { jid: OWN.jid, lid: OWN.lid };

it.each<[string, proto.IWebMessageInfo, Identity, object]>([
  ['from the other side', { key: {}, pushName: 'Bob' }, BOB, { sender: BOB, fromMe: false, pushName: 'Bob' }],
  ['of ours', { key: { fromMe: true } }, BOB, { sender: own, fromMe: true, pushName: null }],
  ['by LID', { key: { remoteJid: BOB.lid } }, BOB, { sender: BOB, isGroup: false, lidAddressed: true }],
  [
    'in a group',
    { key: { remoteJid: GROUP.jid, participant: CAROL.lid } },
    GROUP,
    { sender: { jid: null, lid: CAROL.lid }, isGroup: true, lidAddressed: true },
  ],
  [
    'of whom it says more beside',
    { key: { remoteJid: GROUP.jid, participant: CAROL.lid }, participant: CAROL.jid },
    GROUP,
    { sender: { jid: CAROL.jid, lid: null }, isGroup: true, lidAddressed: false },
  ],
  [
    'of ours in a group',
    { key: { remoteJid: GROUP.jid, fromMe: true } },
    GROUP,
    { sender: own, isGroup: true, fromMe: true, lidAddressed: false },
  ],
  ['when it was', { key: {}, messageTimestamp: 1_700_000_000 }, BOB, { timestamp: 1_700_000_000_000 }],
  ['when it does not say', { key: {} }, BOB, { timestamp: 0, source: 'history', offline: false }],
])('%s', async (_what, info, chat, expected) => {
  expect(await read(text, info, chat)).toMatchObject({ chat, ...expected });
});

it('is none of a group that names no author, of the protocol, or without an id', async () => {
  expect(await read(text, { key: { remoteJid: GROUP.jid } }, GROUP)).toBeNull();
  const { Type } = proto.Message.ProtocolMessage;
  const setting = { protocolMessage: { type: Type.EPHEMERAL_SETTING } };
  expect(await read(proto.Message.encode(setting).finish())).toBeNull();
  expect(await read(text, { key: { id: '' } })).toBeNull();
});

it('whom it mentions is looked up once for each conversation', async () => {
  const asked: string[] = [];
  const names = new ConversationNames({
    getLIDForPN: async (pn) => {
      asked.push(pn);
      return CAROL.lid;
    },
    getPNForLID: async () => null,
  });
  for (let time = 0; time < 2; time += 1) expect(await names.member(CAROL.jid)).toEqual(CAROL);
  expect(asked).toEqual([CAROL.jid]);
  expect(await names.chat({ id: BOB.lid, pnJid: BOB.jid })).toEqual(BOB);
  expect(await names.chat({ id: BOB.jid, lidJid: BOB.lid })).toEqual(BOB);
  expect(await names.chat({ id: BOB.lid })).toEqual({ jid: null, lid: BOB.lid });
  const context = { mentionedJid: [CAROL.jid, OWN.lid], stanzaId: 'A', participant: BOB.jid };
  const message = proto.Message.encode({ extendedTextMessage: { text: 'x', contextInfo: context } }).finish();
  const told = await read(message);
  expect(told?.content).toMatchObject({
    mentioned: [{ jid: CAROL.jid, lid: null }, own],
    quoted: { id: 'A', author: { jid: BOB.jid, lid: null } },
  });
});

it('the secret within is not replaced by an empty one beside it', async () => {
  const messageContextInfo = { messageSecret: new Uint8Array(32).fill(8) };
  const message = proto.Message.encode({ conversation: 'x', messageContextInfo }).finish();
  for (const messageSecret of [Buffer.alloc(0), Buffer.alloc(32, 7)]) {
    const kept = await read(message, { key: {}, messageSecret });
    expect(Buffer.from(kept?.raw ?? [])).toEqual(Buffer.from(message));
  }
});

const LIST = '1700000000@broadcast';
it.each([
  ['by the chat', { key: { remoteJid: BOB.lid }, broadcast: true }, BOB, { list: null }],
  ['by the list', { key: { remoteJid: LIST, participant: BOB.jid } }, BOB, { list: LIST }],
  [
    'in the list',
    { key: { remoteJid: LIST }, participant: BOB.jid },
    { jid: LIST, lid: null },
    { list: LIST },
  ],
])('finds in the chat with its author what came by a list and is named %s', async (_, info, chat, broadcast) => {
  const message = await read(text, info, chat);
  expect(message).toMatchObject({ fromMe: false, content: { text: 'inside', broadcast } });
  expect([message?.chat.jid, message?.sender.jid]).toEqual([BOB.jid, BOB.jid]);
});

it('leaves in the list what our phone sent to it, and out what names no author', async () => {
  const chat = { jid: LIST, lid: null };
  const own = await read(text, { key: { remoteJid: LIST, fromMe: true } }, chat);
  expect(own).toMatchObject({ chat, sender: OWN, fromMe: true, content: { broadcast: { list: LIST } } });
  expect(await read(text, { key: { remoteJid: LIST } }, chat)).toBeNull();
});

it('takes a story for that of its author', async () => {
  const chat = { jid: 'status@broadcast', lid: null };
  const key = { remoteJid: chat.jid, participant: BOB.jid };
  const story = await read(text, { key, broadcast: true }, chat);
  expect(story).toMatchObject({ chat, sender: { jid: BOB.jid }, content: { broadcast: null } });
});
