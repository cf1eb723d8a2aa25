/**
 * Whether somebody has signed something with a Curve25519 key (XEdDSA, signal.org/docs/specifications/xeddsa, as
 * libsignal uses it). Ours, because Baileys' `Curve.verify` is true for any signature of 64 bytes: it asks whether
 * libsignal throws, which says false instead (Utils/crypto.js, libsignal curve.js `verifySignature`).
 */
import { createPublicKey, verify } from 'node:crypto';

/** X.509 of an Ed25519 public key, before its 32 bytes (RFC 8410 §4). */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
const P = 2n ** 255n - 19n;
const SIGN_BIT = 0x80;

/** `publicKey` without its type. The signature carries the sign of the Edwards point in its last bit. */
export function hasSigned(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const point = edwardsY(publicKey);
  if (point === null || signature.length !== 64) return false;
  const last = signature[63] ?? 0;
  point[31] = (point[31] ?? 0) | (last & SIGN_BIT);
  const bare = Buffer.from(signature);
  bare[63] = last & ~SIGN_BIT;
  const key = createPublicKey({ key: Buffer.concat([SPKI, point]), format: 'der', type: 'spki' });
  return verify(null, message, key, bare);
}

/** y = (u - 1) / (u + 1) of the birational map (RFC 7748 §4.1); null where there is none. */
function edwardsY(publicKey: Uint8Array): Buffer | null {
  const bytes = Buffer.from(publicKey).reverse();
  bytes[0] = (bytes[0] ?? 0) & ~SIGN_BIT;
  const u = BigInt(`0x${bytes.toString('hex')}`);
  if (u >= P || u === P - 1n) return null;
  const y = ((u + P - 1n) * power(u + 1n, P - 2n)) % P;
  return Buffer.from(y.toString(16).padStart(64, '0'), 'hex').reverse();
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base % P;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}
