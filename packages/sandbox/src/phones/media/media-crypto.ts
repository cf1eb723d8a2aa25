import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import type { MediaType } from '../message-content.ts';

/** What lies on the CDN encrypted: media of messages, files for own companions, the past of a group. */
export type BlobType =
  | MediaType
  | 'thumbnail-sticker-pack'
  | 'md-msg-hist'
  | 'md-app-state'
  | 'group-history';

/** HKDF info strings (whatsmeow download.go MediaType, Baileys MEDIA_HKDF_KEY_MAPPING). Stickers use the image's. */
const HKDF_INFO: Record<BlobType, string> = {
  image: 'WhatsApp Image Keys',
  sticker: 'WhatsApp Image Keys',
  video: 'WhatsApp Video Keys',
  audio: 'WhatsApp Audio Keys',
  document: 'WhatsApp Document Keys',
  'sticker-pack': 'WhatsApp Sticker Pack Keys',
  'thumbnail-sticker-pack': 'WhatsApp Sticker Pack Thumbnail Keys',
  'md-msg-hist': 'WhatsApp History Keys',
  'md-app-state': 'WhatsApp App State Keys',
  // zapo protocol/media.ts.
  'group-history': 'Group History',
};
const MAC_BYTES = 10;

export interface EncryptedMedia {
  readonly mediaKey: Buffer;
  /** AES-256-CBC ciphertext and the first 10 bytes of its HMAC: what the CDN holds. */
  readonly ciphertext: Buffer;
  readonly fileSha256: Buffer;
  readonly fileEncSha256: Buffer;
  /** Plaintext bytes. */
  readonly fileLength: number;
}

function expand(mediaKey: Uint8Array, type: BlobType) {
  const keys = Buffer.from(hkdfSync('sha256', mediaKey, Buffer.alloc(0), HKDF_INFO[type], 112));
  return { iv: keys.subarray(0, 16), cipherKey: keys.subarray(16, 48), macKey: keys.subarray(48, 80) };
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function mac(macKey: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Buffer {
  return createHmac('sha256', macKey).update(iv).update(ciphertext).digest().subarray(0, MAC_BYTES);
}

/** Encrypts a file under a fresh media key (or the given one, 32 bytes). */
export function encryptMedia(
  bytes: Uint8Array,
  type: BlobType,
  mediaKey: Buffer = randomBytes(32),
): EncryptedMedia {
  const { iv, cipherKey, macKey } = expand(mediaKey, type);
  const cipher = createCipheriv('aes-256-cbc', cipherKey, iv);
  const encrypted = Buffer.concat([cipher.update(bytes), cipher.final()]);
  const ciphertext = Buffer.concat([encrypted, mac(macKey, iv, encrypted)]);
  return {
    mediaKey,
    ciphertext,
    fileSha256: sha256(bytes),
    fileEncSha256: sha256(ciphertext),
    fileLength: bytes.length,
  };
}

/** Decrypts and verifies what the CDN gave: both hashes (where the message has them) and the HMAC. Throws by name. */
export function decryptMedia(
  ciphertext: Uint8Array,
  type: BlobType,
  facts: { mediaKey: Uint8Array; fileSha256?: Uint8Array; fileEncSha256?: Uint8Array },
): Buffer {
  const { iv, cipherKey, macKey } = expand(facts.mediaKey, type);
  if (facts.fileEncSha256?.length && !sha256(ciphertext).equals(facts.fileEncSha256)) {
    throw new Error('the encrypted file does not have the SHA-256 that the message names');
  }
  const encrypted = ciphertext.subarray(0, -MAC_BYTES);
  if (!mac(macKey, iv, encrypted).equals(ciphertext.subarray(-MAC_BYTES))) {
    throw new Error('the HMAC of the encrypted file is wrong');
  }
  const decipher = createDecipheriv('aes-256-cbc', cipherKey, iv);
  const plain = Buffer.concat([decipher.update(encrypted), decipher.final()]);
  if (facts.fileSha256?.length && !sha256(plain).equals(facts.fileSha256)) {
    throw new Error('the file does not have the SHA-256 that the message names');
  }
  return plain;
}
