/** What comes from outside is read strictly: nothing but an error that says what is wrong comes of bytes of others. */
import { expect, test } from 'vitest';
import { fc } from '../../sandbox/test/random.ts';
import { encodeFields, Fields } from '../src/fields.ts';
import { decodePreKeyWhisper, decodeWhisper } from '../src/messages.ts';
import { PreKeyWhisperMessage } from '../src/protobufs.ts';
import { bytesFrom } from './bytes.ts';
import { Device, talking } from './device.ts';

const MALFORMED = { name: 'MalformedError' };

function malformed(bytes: Uint8Array, read: (bytes: Uint8Array) => unknown = decodeWhisper): void {
  expect(() => read(bytes), Buffer.from(bytes).toString('hex')).toThrow(expect.objectContaining(MALFORMED));
}

const key = Buffer.concat([Buffer.of(5), bytesFrom('key', 32)]);
const whisper = (fields: Parameters<typeof encodeFields>[0], version = 0x33) =>
  Buffer.concat([Buffer.of(version), encodeFields(fields), Buffer.alloc(8)]);

test('a message that is cut off anywhere is refused', async () => {
  const [ana, bo] = [new Device('ana'), new Device('bo')];
  await ana.begin(bo);
  const { body } = await ana.seal(bo, 'hello');
  const { message } = decodePreKeyWhisper(body);
  for (let length = 0; length < message.length; length += 1) {
    // Without the end it may still be a message, whose MAC is wrong.
    try {
      decodeWhisper(message.subarray(0, length));
    } catch (error) {
      expect(error).toMatchObject(MALFORMED);
    }
    await expect(bo.open(ana, { type: 1, body: message.subarray(0, length) as Buffer })).rejects.toThrow();
  }
  for (let length = 0; length < body.length - 4; length += 1) {
    malformed(body.subarray(0, length), decodePreKeyWhisper);
  }
});

test('versions, lengths and numbers that are none are refused', () => {
  const right = [
    [1, key],
    [2, 0],
    [3, 0],
    [4, Buffer.alloc(16)],
  ] as const;
  expect(decodeWhisper(whisper(right)).counter).toBe(0);
  malformed(whisper(right, 0x23));
  malformed(whisper(right, 0x43));
  malformed(Buffer.of(0x33, 1, 2));
  malformed(
    whisper([
      [1, key.subarray(1)],
      [4, Buffer.alloc(16)],
    ]),
  );
  malformed(
    whisper([
      [1, Buffer.alloc(33, 6)],
      [4, Buffer.alloc(16)],
    ]),
  );
  malformed(
    whisper([
      [1, key],
      [4, Buffer.alloc(15)],
    ]),
  );
  malformed(
    whisper([
      [1, key],
      [4, Buffer.alloc(0)],
    ]),
  );
  malformed(
    whisper([
      [1, key],
      [2, 2 ** 32],
      [4, Buffer.alloc(16)],
    ]),
  );
  malformed(
    whisper([
      [1, key],
      [2, Buffer.alloc(1)],
      [4, Buffer.alloc(16)],
    ]),
  );
  malformed(
    whisper([
      [1, 5],
      [4, Buffer.alloc(16)],
    ]),
  );
});

test('fields that are not known are passed over, and numbers of ten bytes have an end', () => {
  // 9: a varint; 10: eight bytes; 11: four bytes; 12: bytes.
  const unknown = Buffer.from('480151000000000000000059000000005d0000000062020102', 'hex');
  expect(() => new Fields(unknown)).toThrow(expect.objectContaining(MALFORMED));
  const passed = Buffer.from('48015100000000000000005d0000000062020102', 'hex');
  expect(new Fields(Buffer.concat([passed, encodeFields([[2, 300]])])).number(2)).toBe(300);
  expect(() => new Fields(Buffer.alloc(12, 0xff))).toThrow('no end');
  expect(() => new Fields(Buffer.of(0x08))).toThrow('cut off');
  expect(() => new Fields(Buffer.of(0x00, 0x00))).toThrow('number 0');
  expect(() => new Fields(Buffer.of(0x0b))).toThrow('of type 3');
});

test('numbers are written as they are read', () => {
  for (const number of [0, 1, 127, 128, 300, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
    expect(new Fields(encodeFields([[6, number]])).number(6)).toBe(number);
  }
});

test('Baileys reads the identity of who begins a session', async () => {
  const [ana, bo] = [new Device('ana'), new Device('bo')];
  await ana.begin(bo);
  const { body } = await ana.seal(bo, 'hello');
  const { identityKey } = PreKeyWhisperMessage.decode(body.subarray(1));
  expect(Buffer.from(identityKey)).toEqual(ana.keys.identity.pubKey);
  malformed(Buffer.from('3333', 'hex'), PreKeyWhisperMessage.decode);
});

test('random bytes are an error, and leave the session as it is', async () => {
  const { ana, bo } = await talking();
  const before = bo.record(ana);
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom(1 as const, 3 as const),
      async (bytes, type) => {
        const body = Buffer.concat([Buffer.of(0x33), bytes]);
        await expect(bo.open(ana, { type, body })).rejects.toThrow();
      },
    ),
  );
  expect(bo.record(ana)).toEqual(before);
});
