import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { fc } from '../../../sandbox/test/random.ts';
import { decodeBase64, MOST_INLINE_BYTES, MOST_INLINE_CHARACTERS } from '../../src/media/outgoing/base64.ts';

const code = (name: string) => expect.objectContaining({ code: name });

describe('base64', () => {
  test('any bytes, in both alphabets, with or without padding and line breaks', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
        const plain = Buffer.from(bytes);
        const base64 = plain.toString('base64');
        const forms = [
          base64,
          base64.replace(/=+$/, ''),
          plain.toString('base64url'),
          base64.replace(/(.{76})/g, '$1\r\n'),
          `data:image/PNG;name=a.png;base64,${base64}`,
          `DATA: image/PNG ; BASE64 ,${base64}`,
        ];
        for (const form of forms) expect(decodeBase64(form, 'image', 1000).bytes.equals(plain)).toBe(true);
      }),
    );
    expect(decodeBase64('data:image/PNG;base64,AAAA', 'image', 10).mimeType).toBe('image/png');
    expect(decodeBase64('data: image/PNG ;base64,AAAA', 'image', 10).mimeType).toBe('image/png');
    expect(decodeBase64('data:png;base64,AAAA', 'image', 10).mimeType).toBeNull();
    expect(decodeBase64('AAAA', 'image', 10).mimeType).toBeNull();
  });

  // Left out, the file would come shorter and broken.
  test('what a form makes of its plus signs, and what folds its lines', () => {
    const plain = Buffer.from('255044f80f3e2d312e'.repeat(20), 'hex');
    const base64 = plain.toString('base64');
    expect(base64).toContain('+');
    for (const form of [
      base64.replaceAll('+', ' '),
      base64.replace(/(.{76})/g, '$1 '),
      base64.replace(/(.{64})/g, '$1\n    '),
      ` ${base64}\n`,
      `data:application/pdf;base64, ${base64.replaceAll('+', ' ')}`,
    ]) {
      expect(decodeBase64(form, 'document', 1000).bytes.equals(plain), form).toBe(true);
    }
  });

  test.each([
    ['at the end', Buffer.from('2d312ef80ffe'.repeat(20), 'hex')],
    ['at the beginning', Buffer.from(`f80ffe${'2d312ef80ff0'.repeat(20)}`, 'hex')],
    ['alone, where a line would break', Buffer.concat([Buffer.alloc(57), Buffer.from('f80000', 'hex')])],
  ])('a lost plus sign %s', (_where, plain) => {
    for (const lost of [' ', '+']) {
      const base64 = plain.toString('base64').replaceAll('+', lost);
      for (const form of [base64, `${base64}\n`, `data:image/png;base64,${base64}`]) {
        expect(decodeBase64(form, 'image', 1000).bytes.equals(plain), form).toBe(true);
      }
    }
    const folded = plain.toString('base64').replace(/(.{76})(?=.)/g, '$1 ');
    expect(decodeBase64(folded, 'image', 1000).bytes.equals(plain), folded).toBe(true);
  });

  test.each<readonly [string, string]>([
    ['', 'it is empty'],
    [' \n ', 'it is empty'],
    ['data:image/png;base64,', 'it is empty'],
    ['data:image/png,AAAA', 'the data URI is not base64'],
    ['data:image/png;base64;x,AAAA', 'the data URI is not base64'],
    ...[
      ...['not base64!', '!AAA', 'AAAAA', 'AA=A', 'AA===', 'A===', '====', 'AAA==', 'ab+/-_==', 'AAAA\u0000'],
      ...['data:image/png;base64,@@@@', 'https://example.com/a.png', 'AAAAdata:image/png,AAAA'],
      `data:image/png;x=${'x'.repeat(1024)};base64,AAAA`,
    ].map((text) => [text, 'it is not valid base64'] as const),
  ])('refuses %j: %s', (text, reason) => {
    expect(() => decodeBase64(text, 'image', 1000)).toThrow(
      expect.objectContaining({
        code: 'INVALID_MEDIA',
        message: `image: ${reason}`,
        detail: expect.objectContaining({ validation: [{ field: 'image', message: reason }] }),
      }),
    );
  });

  test('refuses a long run of padding as quickly as anything else', () => {
    for (const text of [`${'='.repeat(1_000_000)}A`, '='.repeat(1_000_000), `AAAA${'='.repeat(1_000_000)}`]) {
      expect(() => decodeBase64(text, 'image', 10_000_000)).toThrow(code('INVALID_MEDIA'));
    }
  });

  test.each([100, 101, 102])('takes %i bytes where so many are allowed, and refuses one more', (size) => {
    const text = randomBytes(size).toString('base64');
    expect(decodeBase64(text, 'image', size).bytes).toHaveLength(size);
    const reason = `it is larger than ${size - 1} bytes`;
    expect(() => decodeBase64(text, 'image', size - 1)).toThrow(
      expect.objectContaining({
        code: 'PAYLOAD_TOO_LARGE',
        message: `image: ${reason}`,
        detail: expect.objectContaining({ validation: [{ field: 'image', message: reason }] }),
      }),
    );
  });

  test('the largest may come in lines, escaped in JSON, as a data URI', () => {
    const lines = Math.ceil((Math.ceil(MOST_INLINE_BYTES / 3) * 4) / 76);
    const needed = 'data:application/octet-stream;base64,'.length + lines * (76 + 4);
    expect(MOST_INLINE_CHARACTERS).toBeGreaterThan(needed);
    expect(MOST_INLINE_CHARACTERS).toBeLessThan(needed * 1.01);
  });
});
