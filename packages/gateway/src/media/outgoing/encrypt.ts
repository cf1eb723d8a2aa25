import { createCipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import type { MediaKind } from '../../whatsapp/port/media.ts';
import { expandMediaKey, MAC_BYTES, MEDIA_KEY_BYTES } from '../keys.ts';

export interface EncryptedMedia {
  /** 32 bytes. A secret. */
  mediaKey: Buffer;
  /** SHA-256 of the plaintext. */
  fileSha256: Buffer;
  /** SHA-256 of ciphertext and MAC. */
  fileEncSha256: Buffer;
  /** Plaintext bytes. */
  fileLength: number;
}

/**
 * Encrypts `plaintext` as WhatsApp media and hands the ciphertext, with its MAC at the end, to `write`.
 * Memory stays at one chunk. The file's layout is in `decrypt.ts`.
 */
export async function encryptMedia(
  kind: MediaKind,
  plaintext: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  write: (ciphertext: Uint8Array) => Promise<void>,
  mediaKey: Buffer = randomBytes(MEDIA_KEY_BYTES),
): Promise<EncryptedMedia> {
  const keys = expandMediaKey(kind, mediaKey);
  const cipher = createCipheriv('aes-256-cbc', keys.cipherKey, keys.iv);
  const mac = createHmac('sha256', keys.macKey).update(keys.iv);
  const plainHash = createHash('sha256');
  const encHash = createHash('sha256');
  let fileLength = 0;
  const emit = async (bytes: Buffer): Promise<void> => {
    encHash.update(bytes);
    await write(bytes);
  };
  for await (const chunk of plaintext) {
    plainHash.update(chunk);
    fileLength += chunk.length;
    const ciphertext = cipher.update(chunk);
    mac.update(ciphertext);
    await emit(ciphertext);
  }
  const last = cipher.final();
  mac.update(last);
  await emit(last);
  await emit(mac.digest().subarray(0, MAC_BYTES));
  return {
    mediaKey,
    fileSha256: plainHash.digest(),
    fileEncSha256: encHash.digest(),
    fileLength,
  };
}
