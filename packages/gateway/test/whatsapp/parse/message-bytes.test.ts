/** Messages as the bytes that a sender wrote, which may hold what our schema does not know. */
import { describe, expect, test } from 'vitest';
import { proto } from '../../../src/whatsapp/baileys/library.ts';
import {
  decodeMessage,
  hasContent,
  infosInConversation,
  messageInInfo,
  ownCopyBytes,
  withSecret,
} from '../../../src/whatsapp/baileys/parse/message-bytes.ts';
import { fieldAt, fieldsOf } from '../../../src/whatsapp/baileys/parse/protobuf-fields.ts';

const encode = (message: proto.IMessage) => proto.Message.encode(message).finish();

/** A length-delimited field of less than 128 bytes. */
function field(number: number, content: Uint8Array = Buffer.alloc(0)): Buffer {
  const tag = number * 8 + 2;
  const head = tag > 127 ? [(tag % 128) + 128, Math.floor(tag / 128)] : [tag];
  return Buffer.concat([Buffer.from([...head, content.length]), content]);
}
/** In so many envelopes that nobody knows. */
function enveloped(depth: number, bytes: Uint8Array): Uint8Array {
  return depth === 0 ? bytes : enveloped(depth - 1, field(1900, field(1, bytes)));
}
const text = encode({ conversation: 'hi' });
const context = encode({ messageContextInfo: { messageSecret: new Uint8Array(32).fill(7) } });

describe('a field', () => {
  test.each([
    ['a varint', [0x08, 0x96, 0x01], { number: 1, delimited: false, start: 0, from: 1, to: 3 }],
    [
      'eight bytes',
      [0x11, 1, 2, 3, 4, 5, 6, 7, 8],
      { number: 2, delimited: false, start: 0, from: 1, to: 9 },
    ],
    ['four bytes', [0x1d, 1, 2, 3, 4], { number: 3, delimited: false, start: 0, from: 1, to: 5 }],
    ['a text', [0x0a, 0x02, 0x61, 0x62], { number: 1, delimited: true, start: 0, from: 2, to: 4 }],
    ['a tag of two bytes', [0xba, 0x07, 0x00], { number: 119, delimited: true, start: 0, from: 3, to: 3 }],
    [
      'a number of ten bytes',
      [0x08, ...Array(9).fill(0x80), 1],
      { number: 1, delimited: false, start: 0, from: 1, to: 11 },
    ],
    ['one of eleven', [0x08, ...Array(10).fill(0x80), 1], null],
    ['field 0', [0x07, 0x00], null],
    ['a group', [0x0b], null],
    ['half a tag', [0x80], null],
    ['a length that is missing', [0x0a], null],
    ['a text that is longer than what follows', [0x0a, 0x03, 0x61, 0x62], null],
    ['seven bytes of eight', [0x11, 1, 2, 3, 4, 5, 6, 7], null],
  ])('%s', (_what, bytes, expected) => {
    expect(fieldAt(Uint8Array.from(bytes), 0, bytes.length)).toEqual(expected);
  });

  test('ends where its message ends', () => {
    expect(fieldAt(Uint8Array.from([0x0a, 0x02, 0x61, 0x62]), 0, 3)).toBeNull();
  });

  test('is one of at most 10,000', () => {
    const fields = (count: number) => Buffer.concat(Array<Buffer>(count).fill(field(1)));
    expect(fieldsOf(fields(10_000))).toHaveLength(10_000);
    expect(fieldsOf(fields(10_001))).toBeNull();
    expect(fieldsOf(fields(3), 2)).toBeNull();
    expect(fieldsOf(Buffer.concat([field(1), Buffer.from([0x0b])]))).toBeNull();
    expect(fieldsOf(Buffer.alloc(0))).toEqual([]);
  });
});

describe('whether a message says something', () => {
  const says = (bytes: Uint8Array) => hasContent(bytes, decodeMessage(bytes));

  test.each([
    ['a text', text, true],
    ['a field that nobody knows', field(1900, Buffer.from('abc')), true],
    ['a text in an unknown envelope', field(1900, field(1, text)), true],
    ['a number', Buffer.from([0xe0, 0x76, 0x01]), false],
    ['nothing', Buffer.alloc(0), false],
    ['its secret', context, false],
    ['a sender key', field(2, field(1, Buffer.from('g'))), false],
    ['another', field(15, field(1, Buffer.from('g'))), false],
    ['the keys of a group', field(123, Buffer.from('key')), false],
    ['a root secret', field(127, Buffer.from('key')), false],
    ['the note of a link', field(130, Buffer.from('key')), false],
    ['an empty field', field(1900), false],
    ['an envelope round a secret', field(1900, field(1, context)), false],
    ['what is deeper than we look', enveloped(9, context), true],
    ['an envelope with something beside', field(1900, Buffer.concat([field(1, context), field(2)])), true],
  ])('%s: %#', (_what, bytes, expected) => {
    expect(says(bytes)).toBe(expected);
  });
});

describe('what another device of ours sent', () => {
  const copy = (message: Uint8Array, ...beside: Uint8Array[]) =>
    Buffer.concat([...beside, field(31, field(2, message))]);

  test('comes out of its copy as it was written, with the secret that stands on the copy alone', () => {
    expect(ownCopyBytes(copy(text))).toEqual(Buffer.from(text));
    expect(ownCopyBytes(copy(text, context))).toEqual(Buffer.concat([context, text]));
    const own = Buffer.concat([text, context]);
    expect(ownCopyBytes(copy(own, encode({ messageContextInfo: {} })))).toEqual(own);
  });

  test('is none in other messages', () => {
    for (const bytes of [text, field(31), field(31, field(1, text)), Buffer.from([0x0b])]) {
      expect(ownCopyBytes(bytes)).toBeNull();
    }
  });

  test('of two copies the later counts', () => {
    const later = encode({ conversation: 'later' });
    expect(ownCopyBytes(Buffer.concat([copy(text), copy(later)]))).toEqual(Buffer.from(later));
  });
});

test('in a history every message is found at its place', () => {
  const info = field(2, text);
  expect(messageInInfo(info)).toEqual(Buffer.from(text));
  expect(messageInInfo(field(1, text))).toBeNull();
  const conversation = Buffer.concat([
    field(1, text),
    field(2, field(1, info)),
    field(2),
    field(2, field(1, text)),
  ]);
  expect(infosInConversation(conversation)).toEqual([info, null, Buffer.from(text)]);
  expect(infosInConversation(Buffer.concat(Array<Buffer>(10_001).fill(field(2))))).toHaveLength(10_001);
  expect(infosInConversation(Buffer.from([0x0b]))).toEqual([]);
});

test('a secret from beside takes the place of the one within, and leaves the rest', () => {
  const message = {
    conversation: 'hi',
    messageContextInfo: { messageSecret: new Uint8Array(32), deviceListMetadataVersion: 2 },
  };
  const secret = new Uint8Array(32).fill(9);
  const both = decodeMessage(withSecret(encode(message), message, secret));
  expect(both).toMatchObject({ conversation: 'hi', messageContextInfo: { deviceListMetadataVersion: 2 } });
  expect(both.messageContextInfo?.messageSecret).toEqual(Buffer.from(secret));
});

describe('what our schema does not have', () => {
  test('an envelope is opened, up to eight within each other', () => {
    const wrapped = (depth: number) => decodeMessage(enveloped(depth, text)).conversation;
    expect(wrapped(1)).toBe('hi');
    expect(wrapped(8)).toBe('hi');
    expect(wrapped(9)).toBeFalsy();
  });

  test('its own secret stays with what was inside, and that of the envelope where there is none', () => {
    const inside = encode({
      conversation: 'hi',
      messageContextInfo: { messageSecret: new Uint8Array(32).fill(8) },
    });
    const secretOf = (message: Uint8Array) =>
      decodeMessage(Buffer.concat([context, field(1900, field(1, message))])).messageContextInfo
        ?.messageSecret?.[0];
    expect(secretOf(inside)).toBe(8);
    expect(secretOf(text)).toBe(7);
  });
});
