import { expect, test } from 'vitest';
import { LinkError } from '../../src/phones/linking/host.ts';
import { parseQr } from '../../src/phones/linking/qr-code.ts';
import { fc } from '../random.ts';

const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
const ref = fc.base64String({ minLength: 4 }).map((text) => `2@${text}`);

test('a QR code is read in the URL form and in the bare forms', () => {
  fc.assert(
    fc.property(ref, key, key, key, (ref_, noise, identity, adv) => {
      const bare = [ref_, ...[noise, identity, adv].map((bytes) => bytes.toString('base64'))].join(',');
      const expected = { ref: ref_, noisePublic: noise, identityPublic: identity, advSecret: adv };
      expect(parseQr(bare)).toEqual(expected);
      expect(parseQr(`${bare},1`)).toEqual({ ...expected, platform: '1' });
      expect(parseQr(` https://wa.me/settings/linked_devices#${bare},9\n`)).toEqual({
        ...expected,
        platform: '9',
      });
    }),
  );
});

test('anything else is refused by name', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(() => parseQr(text)).toThrow(LinkError);
    }),
  );
});
