/**
 * Keys of messages that were overtaken, in sessions that come from another library.
 *
 * libsignal-node keeps the seed of such a key and derives the rest when the message comes (session_cipher.js
 * `doDecryptWhisperMessage`). go.mau.fi/libsignal keeps what is derived (keys/message/MessageKey.go), from which
 * nothing leads back. A record here may hold either: the seed's 32 bytes, or the 80 that come of it.
 */
import { createRequire } from 'node:module';

/** Cipher key, MAC key and IV, in the order in which they are derived. */
const CIPHER_KEY_BYTES = 32;
const MAC_KEY_BYTES = 32;
const IV_BYTES = 16;
const DERIVED_BYTES = CIPHER_KEY_BYTES + MAC_KEY_BYTES + IV_BYTES;

type DeriveSecrets = (input: Buffer, salt: Buffer, info: Buffer, chunks?: number) => Buffer[];

/** Of libsignal's crypto.js: session_cipher.js calls it as a member. */
interface Crypto {
  deriveSecrets: DeriveSecrets & { [KNOWS_DERIVED]?: true };
}

const KNOWS_DERIVED: unique symbol = Symbol('knows keys that are derived');
const MESSAGE_KEYS = Buffer.from('WhisperMessageKeys');

/** Lets libsignal open a message with a key that is derived already. No seed is that long. */
export function useDerivedMessageKeys(): void {
  // The copy that Baileys uses, wherever it is installed.
  const fromBaileys = createRequire(createRequire(import.meta.url).resolve('baileys'));
  const crypto = fromBaileys('libsignal/src/crypto.js') as Crypto;
  if (crypto.deriveSecrets[KNOWS_DERIVED]) return;
  const { deriveSecrets } = crypto;
  const knowing: Crypto['deriveSecrets'] = (input, salt, info, chunks) => {
    if (input.length !== DERIVED_BYTES || !info.equals(MESSAGE_KEYS)) {
      return deriveSecrets(input, salt, info, chunks);
    }
    const macKeyAt = CIPHER_KEY_BYTES;
    const ivAt = macKeyAt + MAC_KEY_BYTES;
    return [input.subarray(0, macKeyAt), input.subarray(macKeyAt, ivAt), input.subarray(ivAt)];
  };
  knowing[KNOWS_DERIVED] = true;
  crypto.deriveSecrets = knowing;
}
