import { createHmac, hkdfSync } from 'node:crypto';
import type { AccountFile } from '../whatsapp/port/account-files.ts';
import type { MessageKind } from '../whatsapp/port/content.ts';
import type { MediaKind } from '../whatsapp/port/media.ts';

/** A media key is 32 random bytes chosen by the sender's client. */
export const MEDIA_KEY_BYTES = 32;
/** The HMAC-SHA256 behind the ciphertext is cut to so many bytes (whatsmeow download.go mediaHMACLength). */
export const MAC_BYTES = 10;
export const AES_BLOCK_BYTES = 16;

/** What lies on the media hosts encrypted: media of messages, and files made for this device alone. */
export type FileKind = MediaKind | AccountFile['kind'];

/** HKDF info per kind: whatsmeow download.go MediaType and classToMediaType; Baileys MEDIA_HKDF_KEY_MAPPING. */
const HKDF_INFO: Record<FileKind, string> = {
  image: 'WhatsApp Image Keys',
  video: 'WhatsApp Video Keys',
  audio: 'WhatsApp Audio Keys',
  voice: 'WhatsApp Audio Keys',
  document: 'WhatsApp Document Keys',
  sticker: 'WhatsApp Image Keys',
  sticker_pack: 'WhatsApp Sticker Pack Keys',
  history: 'WhatsApp History Keys',
  app_state: 'WhatsApp App State Keys',
  // zapo protocol/media.ts.
  group_history: 'Group History',
};

/** The media hosts' own type names: whatsmeow mediaTypeToMMSType, Baileys MEDIA_PATH_MAP. */
const MMS_TYPE: Record<FileKind, string> = {
  image: 'image',
  video: 'video',
  audio: 'audio',
  voice: 'audio',
  document: 'document',
  sticker: 'image',
  sticker_pack: 'sticker-pack',
  history: 'md-msg-hist',
  app_state: 'md-app-state',
  group_history: 'group-history',
};

export const MEDIA_KINDS: readonly MediaKind[] = [
  'image',
  'video',
  'audio',
  'voice',
  'document',
  'sticker',
  'sticker_pack',
];

/** What beside the media kinds may have a file in it: in its header, its cards, its note. */
const WITH_FILES: readonly MessageKind[] = ['template', 'interactive', 'buttons', 'product', 'payment'];

/** Whether messages of the kind may have a file. */
export function mayHaveFile(kind: MessageKind): boolean {
  return isMediaKind(kind) || WITH_FILES.includes(kind);
}

/** Whether messages of the kind may have more than one: in the cards of a carousel, of a product and its catalogue. */
export function mayHaveSeveralFiles(kind: MessageKind): boolean {
  return kind === 'interactive' || kind === 'template' || kind === 'product';
}

/** Whether messages of the kind have a file. */
export function isMediaKind(kind: string): kind is MediaKind {
  return (MEDIA_KINDS as readonly string[]).includes(kind);
}

/** `/mms/<type>/…` in uploads and `mms-type=<type>` in downloads. */
export function mmsType(kind: FileKind): string {
  return MMS_TYPE[kind];
}

export interface MediaKeys {
  iv: Buffer;
  cipherKey: Buffer;
  macKey: Buffer;
}

/** Expands a media key to 112 bytes: IV, AES-256 key, MAC key; the rest is unused (whatsmeow getMediaKeys). */
export function expandMediaKey(kind: FileKind, mediaKey: Uint8Array): MediaKeys {
  const expanded = Buffer.from(hkdfSync('sha256', mediaKey, new Uint8Array(0), HKDF_INFO[kind], 112));
  return {
    iv: expanded.subarray(0, 16),
    cipherKey: expanded.subarray(16, 48),
    macKey: expanded.subarray(48, 80),
  };
}

/** Key of media-retry payloads (whatsmeow mediaretry.go getMediaRetryKey). */
export function mediaRetryKey(mediaKey: Uint8Array): Buffer {
  const info = 'WhatsApp Media Retry Notification';
  return Buffer.from(hkdfSync('sha256', mediaKey, new Uint8Array(0), info, 32));
}

/**
 * A name for a media key that does not give it away: two descriptors with the same fingerprint and the same
 * ciphertext hash are the same file under the same key. Kept in memory only.
 */
export function mediaKeyFingerprint(kind: MediaKind, mediaKey: Uint8Array): string {
  return createHmac('sha256', mediaKey).update(HKDF_INFO[kind]).digest('hex');
}
