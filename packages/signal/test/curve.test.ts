import { expect, test } from 'vitest';
import { calculateAgreement, calculateSignature, generateKeyPair, verifySignature } from '../src/curve.ts';
import { hasSigned } from '../src/xeddsa.ts';
import { bytesFrom, flipped } from './bytes.ts';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

/** RFC 7748 §6.1. */
const ALICE = hex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a');
const ALICE_PUBLIC = hex('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
const BOB = hex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb');
const BOB_PUBLIC = hex('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f');
const SHARED = hex('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742');

test('the agreement is that of RFC 7748, whether the public key has its type or not', () => {
  expect(calculateAgreement(BOB_PUBLIC, ALICE)).toEqual(SHARED);
  expect(calculateAgreement(Buffer.concat([Buffer.of(5), ALICE_PUBLIC]), BOB)).toEqual(SHARED);
});

test('a pair is clamped, has its type in front, and agrees with others', () => {
  const [one, other] = [generateKeyPair(), generateKeyPair()];
  expect([one.pubKey.length, one.pubKey[0], one.privKey.length]).toEqual([33, 5, 32]);
  expect([(one.privKey[0] ?? 0) & 7, (one.privKey[31] ?? 0) >> 6]).toEqual([0, 1]);
  expect(calculateAgreement(one.pubKey, other.privKey)).toEqual(
    calculateAgreement(other.pubKey, one.privKey),
  );
});

test('keys that are none are refused', () => {
  const { privKey } = generateKeyPair();
  for (const length of [0, 31, 34]) {
    expect(() => calculateAgreement(Buffer.alloc(length, 5), privKey), String(length)).toThrow();
  }
  expect(() => calculateAgreement(Buffer.alloc(33, 6), privKey)).toThrow('33 with its type');
  expect(() => calculateAgreement(BOB_PUBLIC, Buffer.alloc(31))).toThrow('a private key has 32 bytes');
  expect(() => calculateSignature(Buffer.alloc(33), Buffer.alloc(1))).toThrow();
  // Of small order: everybody would agree on nothing but zeros.
  expect(() => calculateAgreement(Buffer.alloc(32), privKey)).toThrow();
});

test('what a key signed is told from everything else', () => {
  for (let round = 0; round < 20; round += 1) {
    const { privKey, pubKey } = generateKeyPair();
    const message = bytesFrom(`message ${round}`, round * 7);
    const signature = calculateSignature(privKey, message);
    expect(signature.length).toBe(64);
    expect(verifySignature(pubKey, message, signature)).toBe(true);
    expect(hasSigned(pubKey.subarray(1), message, signature)).toBe(true);
    expect(hasSigned(generateKeyPair().pubKey, message, signature)).toBe(false);
    expect(hasSigned(pubKey, Buffer.concat([message, Buffer.of(0)]), signature)).toBe(false);
    expect(hasSigned(pubKey, message, flipped(signature, round))).toBe(false);
    expect(hasSigned(pubKey, message, flipped(signature, 32 + round))).toBe(false);
  }
});

test('both callers of Baileys hear that a signature is forged', () => {
  const { pubKey } = generateKeyPair();
  for (const signature of [Buffer.alloc(64, 7), Buffer.alloc(63), Buffer.alloc(0)]) {
    expect(() => verifySignature(pubKey, Buffer.from('anything'), signature)).toThrow('not of this key');
  }
  expect(hasSigned(Buffer.alloc(31), Buffer.alloc(1), Buffer.alloc(64))).toBe(false);
  expect(hasSigned(Buffer.alloc(33, 6), Buffer.alloc(1), Buffer.alloc(64))).toBe(false);
  // -1, which has no point on the other curve.
  const minusOne = Buffer.concat([Buffer.of(0xec), Buffer.alloc(30, 0xff), Buffer.of(0x7f)]);
  expect(hasSigned(minusOne, Buffer.alloc(1), Buffer.alloc(64))).toBe(false);
});

test('no two signatures are the same, also of the same message', () => {
  const { privKey } = generateKeyPair();
  const message = Buffer.from('again');
  expect(calculateSignature(privKey, message)).not.toEqual(calculateSignature(privKey, message));
});

test('a signature carries the sign 0, so that verifiers of Ed25519 proper take it too', () => {
  for (let round = 0; round < 10; round += 1) {
    const { privKey } = generateKeyPair();
    expect((calculateSignature(privKey, Buffer.from('m'))[63] ?? 0) & 0x80).toBe(0);
  }
});
