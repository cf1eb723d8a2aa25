import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { proto } from 'baileys';
import { expect, test } from 'vitest';
import {
  decodeProtobuf,
  isNestedDeeply,
  UnreadableProtobuf,
} from '../../../src/whatsapp/baileys/parse/bounded-protobuf.ts';

const BAILEYS = join(import.meta.dirname, '../../../src/whatsapp/baileys');
const DOOR = join('parse', 'bounded-protobuf.ts');

test('nobody else decodes a protobuf', () => {
  const decoding = readdirSync(BAILEYS, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && path !== DOOR)
    .filter((path) => /proto\.[\w.]+\.decode\b/.test(readFileSync(join(BAILEYS, path), 'utf8')));
  expect(decoding).toEqual([]);
});

/** A message within itself: `{1: {1: …}}`. */
function nested(depth: number): Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  for (let level = 0; level < depth; level += 1) {
    const head = Buffer.from(proto.Message.encode({ conversation: 'x'.repeat(length) }).finish()).subarray(
      0,
      -length || undefined,
    );
    parts.push(head);
    length += head.length;
  }
  return Buffer.concat(parts.reverse());
}

test.each([
  [0, false],
  [99, false],
  [100, false],
  [102, true],
  [2_000, true],
])('%d messages within each other: too deep is %s', (depth, deep) => {
  expect(isNestedDeeply(nested(depth))).toBe(deep);
});

test('what clients send is not', () => {
  const quotedMessage = { imageMessage: { caption: 'x', jpegThumbnail: Buffer.alloc(5_000, 0x0a) } };
  const message = {
    ephemeralMessage: {
      message: {
        extendedTextMessage: { text: '\n\x02\n\0 text'.repeat(999), contextInfo: { quotedMessage } },
      },
    },
  };
  expect(isNestedDeeply(proto.Message.encode(message).finish())).toBe(false);
});

test('any bytes are looked at in a time that their length bounds, and refused as unreadable or decoded', () => {
  // Fields of one byte, in as many levels as the bytes give.
  const dense = Buffer.concat([nested(90), Buffer.alloc(400_000, 0x08)]);
  for (const bytes of [dense, Buffer.alloc(400_000, 0x0a), Buffer.alloc(10, 0xff), Buffer.alloc(3, 0x0b)]) {
    try {
      decodeProtobuf(proto.Message, bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(UnreadableProtobuf);
    }
  }
});
