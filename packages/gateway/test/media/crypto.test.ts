import { createCipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { fc } from '../../../sandbox/test/random.ts';
import { type MediaPromise, MediaVerificationError, openMedia } from '../../src/media/download/decrypt.ts';
import {
  expandMediaKey,
  MEDIA_KINDS,
  mayHaveFile,
  mayHaveSeveralFiles,
  mediaKeyFingerprint,
  mediaRetryKey,
  mmsType,
} from '../../src/media/keys.ts';
import { encryptMedia } from '../../src/media/outgoing/encrypt.ts';
import { openRetryNotification } from '../../src/media/reupload/retry-notification.ts';
import { sha256 } from './media-world.ts';
import { sealRetryAnswer } from './phone-says.ts';

async function encrypted(plain: Buffer) {
  const chunks: Uint8Array[] = [];
  const media = await encryptMedia('document', [plain], async (chunk) => void chunks.push(chunk));
  const promise: MediaPromise = { kind: 'document', ...media };
  return { promise, file: Buffer.concat(chunks) };
}

function open(promise: MediaPromise, file: Buffer, cuts: number[] = []) {
  const opener = openMedia(promise);
  const plain: Uint8Array[] = [];
  const ends = [...cuts.map((cut) => cut % (file.length + 1)).sort((a, b) => a - b), file.length];
  let start = 0;
  for (const end of ends) {
    plain.push(...opener.push(file.subarray(start, end)));
    start = end;
  }
  const { rest, media } = opener.finish();
  return { bytes: Buffer.concat([...plain, rest]), media };
}

function failedCheck(promise: MediaPromise, file: Buffer): string {
  try {
    open(promise, file);
  } catch (error) {
    if (error instanceof MediaVerificationError) return error.check;
    throw error;
  }
  return 'accepted';
}

describe('media encryption', () => {
  test('any bytes in any pieces come back, with their hash and length', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.array(fc.nat({ max: 400 }), { maxLength: 12 }),
        async (plain, cuts) => {
          const { promise, file } = await encrypted(Buffer.from(plain));
          const { bytes, media } = open(promise, file, cuts);
          expect(bytes.equals(Buffer.from(plain))).toBe(true);
          expect(media).toEqual({ sha256: sha256(plain), size: plain.length });
        },
      ),
      { numRuns: 200 },
    );
  });

  test('the ciphertext is padded to blocks and carries a MAC of ten bytes', async () => {
    for (const length of [0, 1, 15, 16, 17]) {
      const { file } = await encrypted(randomBytes(length));
      expect(file.length).toBe((Math.floor(length / 16) + 1) * 16 + 10);
    }
  });

  test('stickers share the keys of images and voice notes those of audio; others have their own', () => {
    const key = randomBytes(32);
    const cipherKeys = MEDIA_KINDS.map((kind) => expandMediaKey(kind, key).cipherKey.toString('hex'));
    expect(new Set(cipherKeys).size).toBe(5);
    expect(expandMediaKey('sticker', key)).toEqual(expandMediaKey('image', key));
    expect(expandMediaKey('voice', key)).toEqual(expandMediaKey('audio', key));
  });

  test('every single flipped bit is found, also without any hash in the message', async () => {
    const { promise, file } = await encrypted(randomBytes(40));
    const unhashed = { ...promise, fileSha256: null, fileEncSha256: null, fileLength: null };
    expect(failedCheck(unhashed, file)).toBe('accepted');
    for (let at = 0; at < file.length; at += 1) {
      const broken = Buffer.from(file);
      broken.writeUInt8(broken.readUInt8(at) ^ 1, at);
      expect(failedCheck(promise, broken)).toBe('ciphertext_hash');
      expect(failedCheck(unhashed, broken)).toBe('mac');
    }
  });

  test('a truncated file is found at every length', async () => {
    const { promise, file } = await encrypted(randomBytes(40));
    for (let length = 0; length < file.length; length += 1) {
      expect(failedCheck(promise, file.subarray(0, length))).toBe('ciphertext_hash');
      const check = failedCheck({ ...promise, fileEncSha256: null }, file.subarray(0, length));
      expect([length, check]).toEqual([length, length < 26 ? 'too_short' : 'mac']);
    }
  });

  test('a wrong plaintext hash, and a wrong length without one, are refused', async () => {
    const { promise, file } = await encrypted(randomBytes(40));
    expect(failedCheck({ ...promise, fileSha256: randomBytes(32) }, file)).toBe('plaintext_hash');
    expect(failedCheck({ ...promise, fileSha256: null, fileLength: 41 }, file)).toBe('length');
    // The hash vouches for the bytes: senders are known to write wrong lengths beside right hashes.
    expect(failedCheck({ ...promise, fileLength: 41 }, file)).toBe('accepted');
    expect(failedCheck({ ...promise, mediaKey: randomBytes(32) }, file)).toBe('mac');
    // An empty hash is none, and one of another length is wrong.
    const none = new Uint8Array(0);
    expect(failedCheck({ ...promise, fileSha256: none, fileEncSha256: none }, file)).toBe('accepted');
    expect(failedCheck({ ...promise, fileSha256: none, fileLength: 41 }, file)).toBe('length');
    expect(failedCheck({ ...promise, fileSha256: randomBytes(31) }, file)).toBe('plaintext_hash');
    expect(failedCheck({ ...promise, fileEncSha256: randomBytes(31) }, file)).toBe('ciphertext_hash');
  });

  test('what its sender has not padded is refused, though its MAC is right', () => {
    const mediaKey = randomBytes(32);
    const { iv, cipherKey, macKey } = expandMediaKey('image', mediaKey);
    const cipher = createCipheriv('aes-256-cbc', cipherKey, iv).setAutoPadding(false);
    // PKCS#7 pads with 1 to 16.
    const encrypted = Buffer.concat([cipher.update(Buffer.alloc(32, 17)), cipher.final()]);
    const mac = createHmac('sha256', macKey).update(iv).update(encrypted).digest().subarray(0, 10);
    const none = { fileSha256: null, fileEncSha256: null, fileLength: null };
    const promise: MediaPromise = { kind: 'image', mediaKey, ...none };
    expect(failedCheck(promise, Buffer.concat([encrypted, mac]))).toBe('padding');
  });

  test('channel media is not encrypted and needs its hash', () => {
    const file = randomBytes(500);
    const fileSha256 = createHash('sha256').update(file).digest();
    const promise: MediaPromise = {
      kind: 'image',
      mediaKey: new Uint8Array(0),
      fileSha256,
      fileEncSha256: null,
      fileLength: null,
    };
    const { bytes, media } = open(promise, file, [100, 200]);
    expect(bytes.equals(file)).toBe(true);
    expect(media).toEqual({ sha256: sha256(file), size: 500 });
    for (const none of [null, new Uint8Array(0)]) {
      expect(failedCheck({ ...promise, fileSha256: none }, file)).toBe('plaintext_hash');
    }
    expect(failedCheck(promise, file.subarray(1))).toBe('plaintext_hash');
  });
});

describe('the phone’s answer to a re-upload request', () => {
  const key = randomBytes(32);
  test('opens with the media key and the message id alone', () => {
    const sealed = sealRetryAnswer(key, '3EB0AA', 'success', '/v/t62/new?x=1');
    expect(openRetryNotification(sealed, key, '3EB0AA')).toEqual({
      result: 'success',
      directPath: '/v/t62/new?x=1',
    });
    expect(openRetryNotification(sealed, randomBytes(32), '3EB0AA')).toBeNull();
    expect(openRetryNotification(sealed, key, '3EB0AB')).toBeNull();
    const broken = Buffer.from(sealed.ciphertext);
    broken.writeUInt8(broken.readUInt8(0) ^ 1, 0);
    expect(openRetryNotification({ ...sealed, ciphertext: broken }, key, '3EB0AA')).toBeNull();
    expect(openRetryNotification({ ...sealed, iv: Buffer.alloc(0) }, key, '3EB0AA')).toBeNull();
    expect(openRetryNotification({ ciphertext: Buffer.alloc(3), iv: sealed.iv }, key, '3EB0AA')).toBeNull();
  });

  test('a path may be long', () => {
    const path = `/v/${'x'.repeat(300)}`;
    const sealed = sealRetryAnswer(key, 'ID', 'success', path);
    expect(openRetryNotification(sealed, key, 'ID')).toEqual({ result: 'success', directPath: path });
  });

  test('refusals carry no path, and a success without one is no success', () => {
    for (const result of ['not_found', 'general_error', 'decryption_error'] as const) {
      const sealed = sealRetryAnswer(key, 'ID', result, '/v/ignored');
      expect(openRetryNotification(sealed, key, 'ID')).toEqual({ result, directPath: null });
    }
    for (const path of [null, '@evil.example/x']) {
      const sealed = sealRetryAnswer(key, 'ID', 'success', path);
      expect(openRetryNotification(sealed, key, 'ID')?.result).toBe('general_error');
    }
  });

  /** `plaintext` as the phone would seal it. */
  const opened = (plaintext: number[]) => {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', mediaRetryKey(key), iv).setAAD(Buffer.from('ID'));
    const sealed = [cipher.update(Buffer.from(plaintext)), cipher.final(), cipher.getAuthTag()];
    return openRetryNotification({ ciphertext: Buffer.concat(sealed), iv }, key, 'ID');
  };
  const NAMED = [0x0a, 2, 0x49, 0x44];
  const PATH = [0x12, 2, 0x2f, 0x78];
  const failed = { result: 'general_error', directPath: null };
  const found = { result: 'success', directPath: '/x' };

  test.each([
    ['nothing', [], failed],
    ['success and a path', [...PATH, 0x18, 1], found],
    ['with its id', [...NAMED, ...PATH, 0x18, 1], found],
    ['of another message', [0x0a, 2, 0x49, 0x45, ...PATH, 0x18, 1], null],
    ['without a result', [...NAMED, ...PATH], failed],
    ['not found', [0x18, 2], { result: 'not_found', directPath: null }],
    ['a result that nobody knows', [...PATH, 0x18, 0x84, 0x01], failed],
    ['a result in two bytes', [...PATH, 0x18, 0x81, 0x00], found],
    ['a result in three bytes', [...PATH, 0x18, 0x81, 0x80, 0x00], found],
    ['the path at the end', [0x18, 1, ...PATH], found],
    [
      'fields of four and eight bytes',
      [0x25, 1, 2, 3, 4, 0x29, 1, 2, 3, 4, 5, 6, 7, 8, ...PATH, 0x18, 1],
      found,
    ],
    ['fields that are newer', [0x22, 1, 0x41, ...PATH, 0x18, 1, 0x30, 5], found],
    ['a newer field that is empty', [0x22, 0, ...PATH, 0x18, 1], found],
    ['a result of another type beside it', [...PATH, 0x18, 1, 0x1d, 0, 0, 0, 0], found],
    ['half a number', [...PATH, 0x18, 1, 0x80], failed],
    ['half a text', [...PATH, 0x18, 1, 0x12, 2, 0x2f], failed],
    ['half of eight bytes', [...PATH, 0x18, 1, 0x29, 1, 2, 3, 4], failed],
    ['a group', [...PATH, 0x18, 1, 0x23], failed],
    ['a group before it', [0x23, 0x00, ...PATH, 0x18, 1], failed],
    ['a number without end', [...PATH, 0x18, ...Array<number>(10).fill(0x80), 1], failed],
    ['a newer number without end', [0x20, ...Array<number>(10).fill(0x80), ...PATH, 0x18, 1], failed],
  ])('%s', (_what, plaintext, expected) => {
    expect(opened(plaintext)).toEqual(expected);
  });
});

describe('kinds of messages', () => {
  test('which may have a file, and which several', () => {
    const kinds = [
      'image',
      'voice',
      'sticker',
      'template',
      'interactive',
      'buttons',
      'product',
      'payment',
    ] as const;
    for (const kind of kinds) expect([kind, mayHaveFile(kind)]).toEqual([kind, true]);
    for (const kind of ['text', 'poll', 'list', 'unknown'] as const) expect(mayHaveFile(kind)).toBe(false);
    for (const kind of ['interactive', 'template', 'product'] as const)
      expect(mayHaveSeveralFiles(kind)).toBe(true);
    for (const kind of ['buttons', 'payment', 'image'] as const)
      expect(mayHaveSeveralFiles(kind)).toBe(false);
  });

  test('the media hosts know stickers as images and voice notes as audio', () => {
    const named = MEDIA_KINDS.map((kind) => mmsType(kind));
    expect(named).toEqual(['image', 'video', 'audio', 'audio', 'document', 'image', 'sticker-pack']);
  });

  test('a key is expanded to parts that do not overlap, and its fingerprint is of key and kind', () => {
    const key = Buffer.alloc(32, 1);
    const { iv, cipherKey, macKey } = expandMediaKey('image', key);
    expect([iv.length, cipherKey.length, macKey.length]).toEqual([16, 32, 32]);
    expect(new Set([iv, cipherKey, macKey].map((part) => part.toString('hex').slice(0, 32))).size).toBe(3);
    const prints = [
      mediaKeyFingerprint('image', key),
      mediaKeyFingerprint('video', key),
      mediaKeyFingerprint('image', Buffer.alloc(32, 2)),
    ];
    expect(new Set(prints).size).toBe(3);
    expect(mediaKeyFingerprint('image', key)).toBe(prints[0]);
  });
});
