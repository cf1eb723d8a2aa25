/** Base64 of a request is decoded beside the event loop. */
import { createHash, randomFillSync } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { InlineFiles } from '../../src/media/outgoing/inline-files.ts';
import { Uploads } from '../../src/media/outgoing/uploads.ts';
import { Scratch } from '../../src/storage/scratch.ts';

const MIB = 1024 ** 2;
// Files in memory need no folder.
const uploads = new Uploads(new Scratch(''));
const files = new InlineFiles({ uploads, maxBytes: 8 * MIB });
afterAll(() => files.stop());

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** The body and where its file stands. */
function body(file: string) {
  const before = '{"document":"';
  const bytes = Buffer.from(`${before}${file}"}`);
  return { bytes, texts: [{ member: 'document', start: before.length, end: before.length + file.length }] };
}

test('others are served while it goes on', async () => {
  const file = randomFillSync(new Uint8Array(8 * MIB));
  const { bytes, texts } = body(Buffer.from(file).toString('base64'));
  const order: string[] = [];
  const decoding = files.decode(bytes, texts).then((made) => {
    order.push('decoded');
    return made;
  });
  setImmediate(() => order.push('a bystander'));
  const [upload] = await decoding;
  // Given away, not copied.
  expect(bytes).toHaveLength(0);
  expect(order).toEqual(['a bystander', 'decoded']);
  expect(upload).toMatchObject({ size: 8 * MIB, sha256: sha256(file) });
  const { content } = uploads.find(upload?.token ?? '') ?? {};
  expect(content && 'bytes' in content && sha256(content.bytes)).toBe(sha256(file));
  await upload?.dispose();
  expect(uploads.find(upload?.token ?? '')).toBeNull();
});

test('escaped line breaks, data URIs and types are read as in small bodies', async () => {
  const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex').toString('base64');
  const { bytes, texts } = body(`data:image\\/jpeg;base64,${png.slice(0, 8)}\\r\\n${png.slice(8)}`);
  const [upload] = await files.decode(bytes, texts);
  expect(uploads.find(upload?.token ?? '')).toMatchObject({
    declaredType: 'image/jpeg',
    detectedType: 'image/png',
    size: 16,
  });
});

test.each([
  ['no base64', '!'.repeat(99), 'INVALID_MEDIA'],
  ['bytes that are no text', '\u00ff\u00ff\u00ff\u00ff', 'INVALID_MEDIA'],
  ['no JSON', 'aGk=\\x', 'INVALID_JSON'],
  ['too large', Buffer.alloc(8 * MIB + 1).toString('base64'), 'PAYLOAD_TOO_LARGE'],
])('%s is refused, and the next one is read', async (_what, text, code) => {
  const { bytes, texts } = body(text);
  await expect(files.decode(bytes, texts)).rejects.toMatchObject({ code });
  const good = body('aGk=');
  expect((await files.decode(good.bytes, good.texts))[0]?.size).toBe(2);
});

test('a stop refuses what is under way, and does nothing where nothing is', async () => {
  const own = new InlineFiles({ uploads, maxBytes: 8 * MIB });
  await own.stop();
  const large = Buffer.alloc(8 * MIB).toString('base64');
  // Made first: while the second is made, the first could be read to its end.
  const bodies = [body(large), body(large)];
  const decoding = bodies.map(({ bytes, texts }) => own.decode(bytes, texts));
  const refused = Promise.all(
    decoding.map((each) => expect(each).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })),
  );
  await own.stop();
  await refused;
  const again = body('aGk=');
  expect((await own.decode(again.bytes, again.texts))[0]?.size).toBe(2);
  await own.stop();
});
