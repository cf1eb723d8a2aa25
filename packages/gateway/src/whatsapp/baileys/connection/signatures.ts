/**
 * Whether somebody has signed something with a Curve25519 key (XEdDSA, signal.org/docs/specifications/xeddsa, as
 * libsignal uses it). Ours, because the library's own answer is worth nothing: see `checked-signatures.ts`.
 */
import { createPublicKey, verify } from 'node:crypto';

/** X.509 of an Ed25519 public key, before its 32 bytes (RFC 8410 §4). */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
const P = 2n ** 255n - 19n;
const SIGN_BIT = 0x80;
/** What public keys of 33 bytes begin with (libsignal: Curve25519). */
const KEY_TYPE = 5;

/**
 * `publicKey` with or without its type; of any other length it has signed nothing. The signature carries the sign of
 * the Edwards point in its last bit.
 */
export function hasSigned(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const bare = publicKey.length === 33 && publicKey[0] === KEY_TYPE ? publicKey.subarray(1) : publicKey;
  if (bare.length !== 32 || signature.length !== 64) return false;
  const point = edwardsY(bare);
  if (point === null) return false;
  const last = signature[63] ?? 0;
  point[31] = (point[31] ?? 0) | (last & SIGN_BIT);
  const plain = Buffer.from(signature);
  plain[63] = last & ~SIGN_BIT;
  const key = createPublicKey({ key: Buffer.concat([SPKI, point]), format: 'der', type: 'spki' });
  return verify(null, message, key, plain);
}

/** y = (u - 1) / (u + 1) of the birational map (RFC 7748 §4.1); null where there is none. */
function edwardsY(publicKey: Uint8Array): Buffer | null {
  const bytes = Buffer.from(publicKey).reverse();
  bytes[0] = (bytes[0] ?? 0) & ~SIGN_BIT;
  const u = BigInt(`0x${bytes.toString('hex')}`);
  if (u >= P || u === P - 1n) return null;
  const y = ((u + P - 1n) * inverse(u + 1n)) % P;
  return Buffer.from(y.toString(16).padStart(64, '0'), 'hex').reverse();
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
