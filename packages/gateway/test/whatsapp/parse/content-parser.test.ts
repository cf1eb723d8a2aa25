import { describe, expect, it } from 'vitest';
import { messageSecret } from '../../../src/messages/message-secrets.ts';
import { proto } from '../../../src/whatsapp/baileys/library.ts';
import { wireCodec } from '../../../src/whatsapp/baileys/parse/wire-codec.ts';
import { unwrapped } from '../../../src/whatsapp/port/envelopes.ts';
import { BOBS_DEVICE, bytes, contextInfo, file, read } from './wire-samples.ts';

const BOB = '5511999990002@s.whatsapp.net';
const { Type } = proto.Message.ProtocolMessage;
const key = { remoteJid: BOB, id: '3EB1' };
const inContext = {
  quoted: { id: '3EB2', participant: BOB, text: 'which?' },
  mentions: [BOB],
  forwarded: true,
  ephemeralSeconds: 86_400,
};

/** A length-delimited field of less than 128 bytes. */
function field(number: number, content: Uint8Array): Buffer {
  const tag = number * 8 + 2;
  const head = tag > 127 ? [(tag % 128) + 128, Math.floor(tag / 128)] : [tag];
  return Buffer.concat([Buffer.from([...head, content.length]), content]);
}

describe('what a message is', () => {
  it.each<[string, proto.IMessage, string | null]>([
    ['text', { extendedTextMessage: { text: 'hi', contextInfo } }, 'hi'],
    ['image', { imageMessage: { ...file, caption: 'look', contextInfo } }, 'look'],
    ['video', { videoMessage: { ...file, caption: 'look', contextInfo } }, 'look'],
    ['video', { ptvMessage: { ...file, caption: 'round', contextInfo } }, 'round'],
    ['audio', { audioMessage: { ...file, contextInfo } }, null],
    ['voice', { audioMessage: { ...file, ptt: true, contextInfo } }, null],
    ['document', { documentMessage: { ...file, caption: 'read', contextInfo } }, 'read'],
    ['sticker', { stickerMessage: { ...file, contextInfo } }, null],
    ['poll', { pollCreationMessage: { name: 'When?', contextInfo } }, 'When?'],
    ['poll', { pollCreationMessageV2: { name: 'When?', contextInfo } }, 'When?'],
    ['poll', { pollCreationMessageV3: { name: 'When?', contextInfo } }, 'When?'],
    [
      'poll',
      { pollCreationMessageV4: { message: { pollCreationMessage: { name: 'When?', contextInfo } } } },
      'When?',
    ],
    ['poll', { pollCreationMessageV5: { name: 'When?', contextInfo } }, 'When?'],
    ['location', { locationMessage: { name: 'Pier', contextInfo } }, 'Pier'],
    ['live_location', { liveLocationMessage: { caption: 'on my way', contextInfo } }, 'on my way'],
    ['contact', { contactMessage: { displayName: 'Bob', contextInfo } }, 'Bob'],
    ['contacts', { contactsArrayMessage: { displayName: '2 people', contextInfo } }, '2 people'],
    ['buttons', { buttonsMessage: { contentText: 'Choose', contextInfo } }, 'Choose'],
    ['buttons_response', { buttonsResponseMessage: { selectedDisplayText: 'Yes', contextInfo } }, 'Yes'],
    ['buttons_response', { buttonsResponseMessage: { selectedButtonId: 'yes', contextInfo } }, 'yes'],
    ['buttons_response', { templateButtonReplyMessage: { selectedDisplayText: 'Yes', contextInfo } }, 'Yes'],
    ['buttons_response', { templateButtonReplyMessage: { selectedId: 'yes', contextInfo } }, 'yes'],
    ['buttons_response', { interactiveResponseMessage: { body: { text: 'Yes' }, contextInfo } }, 'Yes'],
    ['list', { listMessage: { description: 'Dishes', contextInfo } }, 'Dishes'],
    ['list_response', { listResponseMessage: { title: 'Soup', contextInfo } }, 'Soup'],
    [
      'list_response',
      { listResponseMessage: { singleSelectReply: { selectedRowId: '1' }, contextInfo } },
      '1',
    ],
    ['template', { templateMessage: { hydratedTemplate: { hydratedContentText: 'a' }, contextInfo } }, 'a'],
    [
      'template',
      { templateMessage: { hydratedFourRowTemplate: { hydratedContentText: 'b' }, contextInfo } },
      'b',
    ],
    ['interactive', { interactiveMessage: { body: { text: 'Pay' }, contextInfo } }, 'Pay'],
    ['product', { productMessage: { product: { title: 'Hat' }, contextInfo } }, 'Hat'],
    ['order', { orderMessage: { message: 'two hats', contextInfo } }, 'two hats'],
    ['event', { eventMessage: { name: 'Party', contextInfo } }, 'Party'],
  ])('%s, with what it answers to and whom it mentions: %#', (kind, message, text) => {
    const content = read(message);
    expect(content).toMatchObject({ kind, text, ...inContext, viewOnce: false, targetId: null });
    expect(content.media === null).toBe(
      !['image', 'video', 'audio', 'voice', 'document', 'sticker'].includes(kind),
    );
  });

  it.each<[proto.IMessage, object]>([
    [{ conversation: 'hi' }, { kind: 'text', text: 'hi' }],
    [{ reactionMessage: { key, text: '👍' } }, { kind: 'reaction', text: '👍', targetId: '3EB1' }],
    [{ reactionMessage: { key } }, { kind: 'reaction', text: '', targetId: '3EB1' }],
    [
      { pollUpdateMessage: { pollCreationMessageKey: { ...key, participant: BOBS_DEVICE } } },
      { kind: 'poll_vote', targetId: '3EB1', targetSender: BOB },
    ],
    [{ pinInChatMessage: { key } }, { kind: 'pin', targetId: '3EB1' }],
    [{ groupInviteMessage: { caption: 'join' } }, { kind: 'group_invite', text: 'join' }],
    [{ requestPaymentMessage: {} }, { kind: 'payment' }],
    [{ sendPaymentMessage: {} }, { kind: 'payment' }],
    [{}, { kind: 'unknown' }],
    [
      {
        protocolMessage: {
          key,
          type: Type.MESSAGE_EDIT,
          editedMessage: { imageMessage: { caption: 'new' } },
        },
      },
      { kind: 'edit', text: 'new', targetId: '3EB1' },
    ],
    [{ protocolMessage: { key, type: Type.MESSAGE_EDIT } }, { kind: 'protocol', targetId: '3EB1' }],
    [{ protocolMessage: { key } }, { kind: 'revoke', targetId: '3EB1' }],
    [{ protocolMessage: { type: Type.REVOKE } }, { kind: 'protocol' }],
    [
      { protocolMessage: { key, type: Type.HISTORY_SYNC_NOTIFICATION } },
      { kind: 'protocol', targetId: '3EB1' },
    ],
  ])('alone: %j', (message, expected) => {
    expect(read(message)).toEqual({
      text: null,
      media: null,
      quoted: null,
      mentions: [],
      forwarded: false,
      viewOnce: false,
      ephemeralSeconds: null,
      ephemeralSetAt: null,
      targetId: null,
      targetSender: null,
      ...expected,
    });
  });
});

describe('wrappers', () => {
  const message = { conversation: 'inside' };

  it.each([
    'ephemeralMessage',
    'documentWithCaptionMessage',
    'editedMessage',
    'associatedChildMessage',
    'groupStatusMessage',
    'groupStatusMessageV2',
    'lottieStickerMessage',
    'deviceSentMessage',
    'groupMentionedMessage',
    'botInvokeMessage',
    'questionMessage',
    'questionReplyMessage',
    'statusMentionMessage',
    'groupStatusMentionMessage',
    'statusAddYours',
    'limitSharingMessage',
    'botTaskMessage',
    'botForwardedMessage',
    'eventCoverImage',
    'pollCreationOptionImageMessage',
    'commentMessage',
  ] as const)('%s adds nothing', (name) => {
    expect(read({ [name]: { message } })).toMatchObject({ kind: 'text', text: 'inside', viewOnce: false });
  });

  it('one that the schema does not have is opened by its shape, also inside of another', () => {
    const secret = bytes(7);
    // waE2E.Message.spoilerMessage = 118 (whatsmeow WAWebProtobufsE2E.proto), not in the library's schema.
    const spoiler = field(118, field(1, proto.Message.encode(message).finish()));
    const ephemeral = field(40, field(1, spoiler));
    const context = proto.Message.encode({ messageContextInfo: { messageSecret: secret } }).finish();
    for (const outer of [spoiler, ephemeral]) {
      const opened = wireCodec.decode(Buffer.concat([context, outer]));
      expect(opened).toMatchObject({ conversation: 'inside' });
      expect(messageSecret(opened)).toEqual(Buffer.from(secret));
    }
  });

  it('a poll of a form that the schema does not have is a poll', () => {
    const poll = proto.Message.PollCreationMessage.encode({ name: 'When?' }).finish();
    // waE2E.Message.pollCreationMessageV6 = 119 (whatsmeow WAWebProtobufsE2E.proto).
    for (const bytes of [field(119, poll), field(40, field(1, field(119, poll)))]) {
      expect(wireCodec.content(bytes)).toMatchObject({ kind: 'poll', text: 'When?' });
    }
  });

  it('what only looks like one stays what it is', () => {
    const named = { contactMessage: { displayName: '\n\x03hey' } };
    expect(wireCodec.decode(wireCodec.encode(named))).toEqual(named);
  });

  it.each([
    'viewOnceMessage',
    'viewOnceMessageV2',
    'viewOnceMessageV2Extension',
  ] as const)('%s shows it once, also inside of another', (name) => {
    const once = { [name]: { message } };
    expect(read(once)).toMatchObject({ text: 'inside', viewOnce: true });
    expect(read({ ephemeralMessage: { message: once } })).toMatchObject({ text: 'inside', viewOnce: true });
  });

  it('eight are taken off and no more', () => {
    let wrapped: proto.IMessage = message;
    for (let depth = 0; depth < 8; depth += 1) wrapped = { ephemeralMessage: { message: wrapped } };
    expect(unwrapped(wrapped)).toEqual(message);
    expect(unwrapped({ ephemeralMessage: { message: wrapped } })).toEqual({ ephemeralMessage: { message } });
  });
});

describe('what a message answers to', () => {
  const quoted = (context: proto.IContextInfo) =>
    read({ extendedTextMessage: { contextInfo: context } }).quoted;

  it.each<[proto.IContextInfo, object | null]>([
    [{ quotedMessage: { conversation: 'x' } }, null],
    [{ stanzaId: '3EB2' }, { id: '3EB2', participant: null, text: null }],
    [
      {
        stanzaId: '3EB2',
        quotedMessage: { ephemeralMessage: { message: { imageMessage: { caption: 'c' } } } },
      },
      { id: '3EB2', participant: null, text: 'c' },
    ],
  ])('%j', (context, expected) => {
    expect(quoted(context)).toEqual(expected);
  });
});
