/**
 * Curve25519 keys and agreements (RFC 7748) by node:crypto. Public keys go in as JWK, which takes half of the time of
 * DER; private ones as PKCS #8, since their JWK wants the public half too.
 */
import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject, randomBytes } from 'node:crypto';
import { MalformedError } from './errors.ts';

/** What a public key of 33 bytes begins with: a key of Curve25519. */
export const KEY_TYPE = 5;
const KEY_BYTES = 32;
const TYPED_KEY_BYTES = 33;

/** A public key of 33 bytes, its type first, and its private one of 32. */
export interface KeyPair {
  pubKey: Buffer;
  privKey: Buffer;
}

/** The 32 bytes of a public key with or without its type; throws `MalformedError` for anything else. */
export function bareKey(key: Uint8Array): Uint8Array {
  if (key.length === KEY_BYTES) return key;
  if (key.length === TYPED_KEY_BYTES && key[0] === KEY_TYPE) return key.subarray(1);
  throw new MalformedError('a public key has 32 bytes, or 33 with its type');
}

/** The public key as messages and records have it, in 33 bytes. */
export function typedKey(key: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(KEY_TYPE), bareKey(key)]);
}

/** A new pair, of random bytes. */
export function makeKeyPair(): KeyPair {
  const privKey = clamped(randomBytes(KEY_BYTES));
  const shared = diffieHellman({ privateKey: privateKey(privKey), publicKey: BASE_POINT });
  return { pubKey: typedKey(shared), privKey };
}

/** The 32 bytes that both sides come to. Throws for a key of small order, with which everybody would. */
export function agree(privKey: Uint8Array, pubKey: Uint8Array): Buffer {
  return diffieHellman({ privateKey: privateKey(privKey), publicKey: publicKey(bareKey(pubKey)) });
}

/** A scalar as X25519 uses it (RFC 7748 §5): a multiple of 8, with bit 254 set. */
export function clamped(privKey: Uint8Array): Buffer {
  const scalar = Buffer.from(privKey);
  scalar[0] = (scalar[0] ?? 0) & 0xf8;
  scalar[31] = ((scalar[31] ?? 0) & 0x7f) | 0x40;
  return scalar;
}

const BASE_POINT = publicKey(Buffer.concat([Buffer.of(9), Buffer.alloc(KEY_BYTES - 1)]));
/** PKCS #8 of an X25519 private key, before its 32 bytes (RFC 8410 §7). */
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');

function privateKey(bytes: Uint8Array): KeyObject {
  if (bytes.length !== KEY_BYTES) throw new MalformedError('a private key has 32 bytes');
  return createPrivateKey({ key: Buffer.concat([PKCS8, bytes]), format: 'der', type: 'pkcs8' });
}

function publicKey(bytes: Uint8Array): KeyObject {
  const jwk = { kty: 'OKP', crv: 'X25519', x: Buffer.from(bytes).toString('base64url') };
  return createPublicKey({ key: jwk, format: 'jwk' });
}
