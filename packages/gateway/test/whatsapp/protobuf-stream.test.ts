import { proto } from 'baileys';
import { describe, expect, test } from 'vitest';
import { fc } from '../../../sandbox/test/random.ts';
import { MalformedStream, streamFields } from '../../src/whatsapp/baileys/account/protobuf-stream.ts';

const CONVERSATIONS = 2;
const PUSH_NAMES = 7;

const sample = proto.HistorySync.encode({
  syncType: proto.HistorySync.HistorySyncType.RECENT,
  conversations: ['a', 'b', 'c'].map((id) => ({
    id,
    messages: [{ message: { key: { id: `${id}1` }, message: { conversation: 'x'.repeat(300) } } }],
    conversationTimestamp: 1_700_000_000,
  })),
  chunkOrder: 3,
  progress: 50,
  pushnames: [{ id: 'a', pushname: 'Ana' }],
}).finish();

async function* inPieces(bytes: Uint8Array, sizes: number[]): AsyncGenerator<Uint8Array> {
  for (let offset = 0, turn = 0; offset < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(offset, offset + size);
    offset += size;
  }
}

async function read(bytes: Uint8Array, sizes = [64], maxBytes = 10_000, tooLong?: (f: number) => void) {
  const found: { field: number; bytes: Buffer }[] = [];
  const wanted = new Set([CONVERSATIONS, PUSH_NAMES]);
  for await (const each of streamFields(inPieces(bytes, sizes), wanted, maxBytes, tooLong)) found.push(each);
  return found;
}

describe('fields of a streamed protobuf message', () => {
  test('are the same however the stream is cut', async () => {
    const whole = await read(sample, [sample.length]);
    expect(whole.map(({ field }) => field)).toEqual([2, 2, 2, 7]);
    expect(proto.Conversation.decode(whole[1]?.bytes ?? Buffer.alloc(0)).id).toBe('b');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1 }), async (sizes) => {
        expect(await read(sample, sizes)).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });

  test('that are too long are passed over and told', async () => {
    const skipped: number[] = [];
    const found = await read(sample, [50], 100, (field) => skipped.push(field));
    expect(found.map(({ field }) => field)).toEqual([PUSH_NAMES]);
    expect(skipped).toEqual([2, 2, 2]);
  });

  test('of something else end in an error, never in a hang or a huge allocation', async () => {
    await expect(read(sample.subarray(0, sample.length - 3))).rejects.toThrow(MalformedStream);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        try {
          await read(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedStream);
        }
      }),
      { numRuns: 200 },
    );
  });
});
