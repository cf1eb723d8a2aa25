/**
 * The arithmetic of the passkey step against values that `passkey-vectors.py` computed: X25519, HKDF, AES-GCM and
 * protobuf written out in another language, with no library but hashes.
 */
import { createPrivateKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { fc } from '../../../sandbox/test/random.ts';
import { proto } from '../../src/whatsapp/baileys/library.ts';
import {
  ephemeralPair,
  handoffKey,
  handoffProof,
  pairingKey,
  prologuePayload,
  sealedPairingRequest,
  verificationCode,
} from '../../src/whatsapp/baileys/linking/passkey-crypto.ts';

const range = (from: number, length = 32) => Buffer.from(Array.from({ length }, (_, at) => from + at));
const bytes = (text: string) => Buffer.from(text, 'hex');
const hex = (value: Uint8Array) => Buffer.from(value).toString('hex');

const CHROME = proto.DeviceProps.PlatformType.CHROME;
const REF = '2@cmVmZXJlbmNl';
const ADV_SECRET = range(0);
const NONCE = range(64);
const PUBLIC_KEY = bytes('358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254');
const PRIMARY = {
  publicKey: bytes('493e82fc74464a59268817623d2053c5eb8e2cc4a988b4fee179ec6b010d531d'),
  nonce: range(96),
};
const PROLOGUE =
  '0a340a20358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd16625410011a0e3240636d566d5a584a6c626d4e6c' +
  '12220a208f18d3cdda300e523a90024860d42186080f2d16ef0c076ebfc12faadda46c5c';
const SEALED =
  '0a7687eed94d3cbfcdacee5446560ec860e832994782fa351d43f70682e08d764f9eba2bb5d0bd6cd1c6ded5b58e98bcfc6048d08457' +
  'e1d9c23233c4117a67cf0db6b4cf6fc52c6abf46e0dc9a8062d78465bb4601e071aaaa9223695fba950e47f5c86eedf628430cddf222' +
  '19766e0935e0839fb02ab352120ca0a1a2a3a4a5a6a7a8a9aaab';
const KEY = bytes('7bf057497093a28aef5a8bbc54049607ac436e51ecf198686c00e523c485a676');

/** An X25519 private key from its 32 bytes (RFC 8410). */
const privateKey = createPrivateKey({
  key: Buffer.concat([bytes('302e020100300506032b656e04220420'), range(32)]),
  format: 'der',
  type: 'pkcs8',
});

describe('the passkey step, as computed elsewhere', () => {
  test('the commitment in its prologue, and the proof of the secret over it', () => {
    const prologue = prologuePayload({ publicKey: PUBLIC_KEY, deviceType: CHROME, ref: REF, nonce: NONCE });
    expect(hex(prologue)).toBe(PROLOGUE);
    const key = handoffKey(ADV_SECRET);
    expect(hex(key)).toBe('bf71b722a793d4f9d2c8e46ad45266621b5d4c5273cca92d93068648346c10a5');
    expect(hex(handoffProof(key, prologue))).toBe(
      'ae590e951fabf1a3cd666e685e23281569076eab9f2096c68907649c39512f20',
    );
  });

  test('the code that people compare', () => {
    expect(verificationCode(NONCE, PRIMARY)).toBe('GHJT-7EGF');
  });

  test('the key that is agreed on, and what is sealed under it', () => {
    const agreed = { privateKey, primaryPublicKey: PRIMARY.publicKey, deviceType: CHROME, ref: REF };
    expect(hex(pairingKey(agreed))).toBe(hex(KEY));
    const request = proto.PairingRequest.encode({
      companionPublicKey: Buffer.alloc(32, 1),
      companionIdentityKey: Buffer.alloc(32, 2),
      advSecret: Buffer.alloc(32, 3),
    }).finish();
    expect(hex(sealedPairingRequest(KEY, range(160, 12), request))).toBe(SEALED);
  });
});

describe('the passkey step, for any values', () => {
  test('both sides agree on the key', () => {
    const one = ephemeralPair();
    const other = ephemeralPair();
    const rest = { deviceType: CHROME, ref: REF };
    const key = pairingKey({ privateKey: one.privateKey, primaryPublicKey: other.publicKey, ...rest });
    expect(pairingKey({ privateKey: other.privateKey, primaryPublicKey: one.publicKey, ...rest })).toEqual(
      key,
    );
  });

  test('a code has eight of the digits that nobody mistakes for another', () => {
    const nonces = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(nonces, nonces, nonces, (companion, publicKey, nonce) => {
        expect(verificationCode(companion, { publicKey, nonce })).toMatch(
          /^[1-9A-HJ-NP-TV-Z]{4}-[1-9A-HJ-NP-TV-Z]{4}$/,
        );
      }),
    );
  });

  test.each([0, 1])('a key of low order (%i) agrees on nothing', (low) => {
    const primaryPublicKey = Buffer.from([low, ...Buffer.alloc(31)]);
    expect(() => pairingKey({ privateKey, primaryPublicKey, deviceType: CHROME, ref: REF })).toThrow();
  });
});
