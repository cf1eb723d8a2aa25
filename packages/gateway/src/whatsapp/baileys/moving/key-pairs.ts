/** Key pairs of Curve25519 as stores hold them, and whether their halves belong together. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { HeldValue } from './held-value.ts';

export interface RawKeyPair {
  public: Buffer;
  private: Buffer;
}

/** PKCS #8 of an X25519 private key, before its 32 bytes (RFC 8410 §7). */
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');
/** What libsignal puts before a public key. */
const KEY_TYPE = 5;

/** `{ public, private }`, 32 bytes each; the public one also with its type before it. */
export function heldKeyPair(held: HeldValue): RawKeyPair {
  return fitting(held, held.member('public').bytes(32, 33), held.member('private').bytes(32));
}

/** The halves, the public one without its type; refused unless they are of one pair. */
export function fitting(held: HeldValue, publicKey: Uint8Array, privateKey: Uint8Array): RawKeyPair {
  const bare = bareKey(held, publicKey);
  if (!publicOf(privateKey).equals(bare)) {
    return held.inconsistent('has a private key and a public key that do not belong together');
  }
  return { public: bare, private: Buffer.from(privateKey) };
}

/** A public key without its type. */
export function bareKey(held: HeldValue, key: Uint8Array): Buffer {
  if (key.length === 33 && key[0] !== KEY_TYPE) return held.malformed('is a key of an unknown type');
  return Buffer.from(key.length === 33 ? key.subarray(1) : key);
}

function publicOf(privateKey: Uint8Array): Buffer {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, privateKey]), format: 'der', type: 'pkcs8' });
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
}
