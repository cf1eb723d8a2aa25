/** What Baileys imports as `libsignal/src/curve.js`. */
import { ForgedSignatureError } from './errors.ts';
import { agree, type KeyPair, makeKeyPair } from './x25519.ts';
import { hasSigned, sign } from './xeddsa.ts';

/** A new pair: the public key has its type in front. */
export function generateKeyPair(): KeyPair {
  return makeKeyPair();
}

/** The secret that the owners of two keys share. The public key may be without its type. */
export function calculateAgreement(publicKey: Uint8Array, privateKey: Uint8Array): Buffer {
  return agree(privateKey, publicKey);
}

/** Signs with a private key; no two signatures are the same. */
export function calculateSignature(privateKey: Uint8Array, message: Uint8Array): Buffer {
  return sign(privateKey, message);
}

/**
 * True, or it throws `ForgedSignatureError`: of Baileys' two callers one wants to be told (sender-key-message.js), the
 * other takes everything that does not throw for a yes (`Curve.verify` of Utils/crypto.js). Both hear a no.
 */
export function verifySignature(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): true {
  if (!hasSigned(publicKey, message, signature)) throw new ForgedSignatureError();
  return true;
}
