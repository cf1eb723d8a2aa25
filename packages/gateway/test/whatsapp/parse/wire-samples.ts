/** Messages as phones write them, and reading them as they come. */
import { proto } from '../../../src/whatsapp/baileys/library.ts';
import { parseContent } from '../../../src/whatsapp/baileys/parse/content-parser.ts';

export const BOBS_DEVICE = '5511999990002:7@s.whatsapp.net';

/** As it comes: through the wire's own encoding. */
export const read = (message: proto.IMessage) =>
  parseContent(proto.Message.decode(proto.Message.encode(message).finish()));

/** Of a forwarded answer that mentions Bob, in a chat whose messages stay for a day. */
export const contextInfo = {
  stanzaId: '3EB2',
  participant: BOBS_DEVICE,
  quotedMessage: { conversation: 'which?' },
  mentionedJid: [BOBS_DEVICE],
  isForwarded: true,
  expiration: 86_400,
};

/** `length` bytes of one value. */
export const bytes = (fill: number, length = 32) => new Uint8Array(length).fill(fill);

/** What every message with a file says of it. */
export const file = {
  mimetype: 'a/b',
  mediaKey: bytes(1),
  directPath: '/v/x',
  fileSha256: bytes(2),
  fileEncSha256: bytes(3),
  fileLength: 42,
};
