/**
 * Encryption at rest. Everything that opens an account or a file (credentials, Signal keys,
 * media keys, journaled plaintext) is sealed before it is written.
 */
import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto';
import type { SealedPlace } from './sealed.ts';

/** First byte of a sealed value: lets a later format live beside this one. */
const VERSION = 1;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;
const OVERHEAD = 1 + NONCE_LENGTH + TAG_LENGTH;

/** A sealed value that does not open: another key, another place, or damaged bytes. */
export class VaultError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'VaultError';
  }
}

/**
 * AES-256-GCM under one key. The place (table, owner, column) is authenticated with the
 * value, so a sealed value copied into another row does not open there.
 *
 * Sealed form: version (1), nonce (12), ciphertext, tag (16). Nonces are random; at 2^32 values
 * per key the chance of a repeat is 2^-33, the bound NIST SP 800-38D sets for random nonces.
 */
export class Vault {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    if (key.length !== 32) throw new VaultError('the encryption key must be 32 bytes');
    this.#key = key;
  }

  seal(plaintext: Uint8Array, place: SealedPlace): Uint8Array {
    const sealed = new Uint8Array(plaintext.length + OVERHEAD);
    sealed[0] = VERSION;
    const nonce = sealed.subarray(1, 1 + NONCE_LENGTH);
    randomFillSync(nonce);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    cipher.setAAD(Buffer.from(place, 'utf8'));
    sealed.set(cipher.update(plaintext), 1 + NONCE_LENGTH);
    cipher.final();
    sealed.set(cipher.getAuthTag(), sealed.length - TAG_LENGTH);
    return sealed;
  }

  /** Throws VaultError when the value was not sealed by this key for this place. */
  open(sealed: Uint8Array, place: SealedPlace): Uint8Array {
    if (sealed.length < OVERHEAD) throw new VaultError('a sealed value is too short');
    if (sealed[0] !== VERSION) throw new VaultError(`a sealed value has the unknown version ${sealed[0]}`);
    const nonce = sealed.subarray(1, 1 + NONCE_LENGTH);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce);
    decipher.setAAD(Buffer.from(place, 'utf8'));
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_LENGTH));
    // Its own memory: a view on Node's shared 8 KiB pool would keep the pool alive in caches.
    const plaintext = new Uint8Array(sealed.length - OVERHEAD);
    plaintext.set(decipher.update(sealed.subarray(1 + NONCE_LENGTH, sealed.length - TAG_LENGTH)));
    try {
      decipher.final();
    } catch {
      throw new VaultError('a sealed value does not open: wrong encryption key, or the bytes are damaged');
    }
    return plaintext;
  }
}
