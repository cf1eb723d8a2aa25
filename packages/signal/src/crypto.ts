/** What Baileys imports as `libsignal/src/crypto.js`: AES-256-CBC, HMAC and HKDF, both with SHA-256. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';

const CIPHER = 'aes-256-cbc';
const SECRET_BYTES = 32;

/** Pads, and encrypts. */
export function encrypt(key: Uint8Array, plaintext: Uint8Array, iv: Uint8Array): Buffer {
  const cipher = createCipheriv(CIPHER, key, iv);
  return Buffer.concat([cipher.update(plaintext), cipher.final()]);
}

/** Throws for a ciphertext whose padding is wrong. */
export function decrypt(key: Uint8Array, ciphertext: Uint8Array, iv: Uint8Array): Buffer {
  const decipher = createDecipheriv(CIPHER, key, iv);
  return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
}

/** All 32 bytes of it. */
export function calculateMAC(key: Uint8Array, data: Uint8Array): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

/** Secrets of 32 bytes each, as many as are asked for. */
export function deriveSecrets(
  input: Uint8Array,
  salt: Uint8Array,
  info: Uint8Array,
  count = 3,
): [Buffer, Buffer, Buffer, ...Buffer[]] {
  const derived = Buffer.from(hkdfSync('sha256', input, salt, info, count * SECRET_BYTES));
  const at = (n: number): Buffer => derived.subarray(n * SECRET_BYTES, (n + 1) * SECRET_BYTES);
  return Array.from({ length: count }, (_, n) => at(n)) as [Buffer, Buffer, Buffer, ...Buffer[]];
}
