import { expect, test } from 'vitest';
import { proto } from '../../../src/whatsapp/baileys/library.ts';
import { openedChange } from '../../../src/whatsapp/baileys/parse/opened-change.ts';
import type { SealedUse } from '../../../src/whatsapp/port/content.ts';

const { EventResponseMessage, ProtocolMessage } = proto.Message;
const encode = (message: proto.IMessage) => proto.Message.encode(message).finish();
const content = (use: SealedUse, plaintext: Uint8Array) => openedChange(use, plaintext)?.content;

test('a reaction and a comment', () => {
  const reaction = proto.Message.ReactionMessage.encode({ text: '👍', key: { id: 'A' } }).finish();
  expect(content('reaction', reaction)).toMatchObject({ kind: 'reaction', text: '👍', targetId: 'A' });
  expect(content('comment', encode({ conversation: 'well\0 said' }))).toMatchObject({
    kind: 'text',
    text: 'well said',
  });
});

test.each(['message_edit', 'event_edit', 'poll_edit'] as const)('%s, whole or its content alone', (use) => {
  const editedMessage = { conversation: 'new' };
  const whole = { protocolMessage: { type: ProtocolMessage.Type.MESSAGE_EDIT, editedMessage } };
  for (const plaintext of [
    encode(whole),
    encode({ editedMessage: { message: whole } }),
    encode(editedMessage),
  ]) {
    const opened = openedChange(use, plaintext);
    expect(opened?.content).toMatchObject({ kind: 'edit', text: 'new' });
    expect(proto.Message.decode(opened?.bytes ?? new Uint8Array())).toMatchObject({
      protocolMessage: { editedMessage },
    });
  }
});

test('an option for a poll keeps its bytes, for our schema lacks it', () => {
  const name = Buffer.from([0x0a, 3, 0x6e, 0x6f, 0x77]);
  const key = Buffer.from([0x1a, 1, 0x41]);
  const inside = Buffer.concat([
    Buffer.from([0x0a, key.length]),
    key,
    Buffer.from([0x12, name.length]),
    name,
  ]);
  // waE2E.Message.pollAddOptionMessage = 121.
  const plaintext = Buffer.concat([Buffer.from([0xca, 0x07, inside.length]), inside]);
  const opened = openedChange('poll_add_option', plaintext);
  expect(opened?.content).toMatchObject({ kind: 'poll_option', text: 'now', targetId: 'A' });
  expect(opened?.bytes).toBe(plaintext);
  // In an envelope that nobody knows, up to eight of them.
  const wrapped = (bytes: Buffer) =>
    Buffer.concat([Buffer.from([0xe2, 0x76, bytes.length + 2, 0x0a, bytes.length]), bytes]);
  let deep = plaintext;
  for (let level = 0; level < 8; level += 1) deep = wrapped(deep);
  expect(openedChange('poll_add_option', deep)?.content).toMatchObject({ text: 'now' });
  expect(openedChange('poll_add_option', wrapped(deep))).toBeNull();
  expect(openedChange('poll_add_option', encode({ conversation: 'now' }))).toBeNull();
  const nameless = Buffer.from([0xca, 0x07, key.length + 2, 0x0a, key.length, ...key]);
  expect(openedChange('poll_add_option', nameless)).toBeNull();
});

test.each([
  [{ response: 1 }, 'going', 0],
  [{ response: 2, extraGuestCount: 3 }, 'not_going', 3],
  [{ response: 3, extraGuestCount: -1 }, 'maybe', 0],
  [{ response: 0 }, 'unknown', 0],
  [{}, 'unknown', 0],
])('an answer to an event: %j', (answer, response, extraGuests) => {
  expect(openedChange('event_response', EventResponseMessage.encode(answer).finish())).toMatchObject({
    bytes: new Uint8Array(0),
    content: { kind: 'event_response', text: response, eventResponse: { response, extraGuests } },
  });
});

test.each([
  'reaction',
  'comment',
  'message_edit',
  'poll_add_option',
  'event_response',
] as const)('a %s that cannot be read is none', (use) => {
  expect(openedChange(use, Buffer.from([0xff]))).toBeNull();
});
