import { expect, it } from 'vitest';
import { messageSecret } from '../../src/messages/message-secrets.ts';
import { proto } from '../../src/whatsapp/baileys/library.ts';
import { decodeProtobuf } from '../../src/whatsapp/baileys/parse/bounded-protobuf.ts';
import { ConversationNames, historyMessage } from '../../src/whatsapp/baileys/parse/history-message.ts';
import { infosInConversation } from '../../src/whatsapp/baileys/parse/message-bytes.ts';
import { wireCodec } from '../../src/whatsapp/baileys/parse/wire-codec.ts';

const OWN = { jid: '5511999990001@s.whatsapp.net', lid: '111111111111111@lid' };
const BOB = { jid: '5511999990002@s.whatsapp.net', lid: '222222222222222@lid' };
const NOBODY = { getLIDForPN: async () => null, getPNForLID: async () => null };

/** A length-delimited field of less than 128 bytes. */
function field(number: number, content: Uint8Array): Buffer {
  const tag = number * 8 + 2;
  const head = tag > 127 ? [(tag % 128) + 128, Math.floor(tag / 128)] : [tag];
  return Buffer.concat([Buffer.from([...head, content.length]), content]);
}

async function read(message: Uint8Array, rest: proto.IWebMessageInfo = { key: {} }) {
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
  return historyMessage(decoded, came ?? null, BOB, OWN, new ConversationNames(NOBODY));
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
