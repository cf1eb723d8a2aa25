/**
 * Signatures with Curve25519 keys: XEdDSA (signal.org/docs/specifications/xeddsa).
 *
 * Verifying is Ed25519's, by node:crypto, with the Edwards point of the key. Signing needs the multiple of the base point
 * by a scalar, which node:crypto has no call for: that is @noble/curves'.
 */
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { MalformedError } from './errors.ts';
import { bareKey, clamped, KEY_TYPE } from './x25519.ts';

const { BASE, Fn } = ed25519.Point;
const P = 2n ** 255n - 19n;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const SIGN_BIT = 0x80;
/** `hash1` of the specification begins with 2^256 - 2, little-endian, which no encoding of a point is. */
const HASH_1 = Buffer.concat([Buffer.of(0xfe), Buffer.alloc(KEY_BYTES - 1, 0xff)]);

/** Signs with a private key of 32 bytes, each time with other random bytes. */
export function sign(privKey: Uint8Array, message: Uint8Array): Buffer {
  if (privKey.length !== KEY_BYTES) throw new MalformedError('a private key has 32 bytes');
  const k = Fn.create(fromLittleEndian(clamped(privKey)));
  const point = Buffer.from(BASE.multiply(k).toBytes());
  const negative = ((point[31] ?? 0) & SIGN_BIT) !== 0;
  // The public half of the pair is the point of the two whose sign is 0: verifiers have the other coordinate alone.
  const a = negative ? Fn.neg(k) : k;
  const publicPoint = withSign(point, 0);
  const r = scalarOf(HASH_1, toLittleEndian(a), message, randomBytes(64));
  const nonce = BASE.multiply(r).toBytes();
  const h = scalarOf(nonce, publicPoint, message);
  return Buffer.concat([nonce, toLittleEndian(Fn.add(r, Fn.mul(h, a)))]);
}

/**
 * Whether the key's owner signed the message. `publicKey` has 32 bytes, or 33 with its type; of any other length it has
 * signed nothing. Older signers keep the sign of their point, and put it into the last bit of the signature.
 */
export function hasSigned(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const point = edwardsPoint(publicKey);
  if (point === null || signature.length !== SIGNATURE_BYTES) return false;
  const last = signature[SIGNATURE_BYTES - 1] ?? 0;
  const plain = Buffer.from(signature);
  plain[SIGNATURE_BYTES - 1] = last & ~SIGN_BIT;
  const x = withSign(point, last & SIGN_BIT).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, message, key, plain);
}

/** y = (u - 1) / (u + 1) of the birational map (RFC 7748 §4.1); null where there is none. */
function edwardsPoint(publicKey: Uint8Array): Buffer | null {
  if (publicKey.length !== KEY_BYTES && publicKey.length !== KEY_BYTES + 1) return null;
  if (publicKey.length !== KEY_BYTES && publicKey[0] !== KEY_TYPE) return null;
  const u = fromLittleEndian(withSign(bareKey(publicKey), 0));
  if (u >= P || u === P - 1n) return null;
  return toLittleEndian(((u + P - 1n) * inverse(u + 1n)) % P);
}

/** Modulo P, of a number from 1 to P - 1 (extended Euclid). Its time tells of the number, which is public. */
function inverse(number: bigint): bigint {
  let [above, below] = [P, number];
  let [before, now] = [0n, 1n];
  while (below > 1n) {
    const times = above / below;
    [above, below] = [below, above - times * below];
    [before, now] = [now, before - times * now];
  }
  return now < 0n ? now + P : now;
}

function withSign(point: Uint8Array, sign: number): Buffer {
  const signed = Buffer.from(point);
  signed[31] = ((signed[31] ?? 0) & ~SIGN_BIT) | sign;
  return signed;
}

/** SHA-512 as a number modulo the order of the base point. */
function scalarOf(...parts: Uint8Array[]): bigint {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return Fn.create(fromLittleEndian(hash.digest()));
}

function fromLittleEndian(bytes: Buffer): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

function toLittleEndian(number: bigint): Buffer {
  return Buffer.from(number.toString(16).padStart(2 * KEY_BYTES, '0'), 'hex').reverse();
}
