/** What the content builders ask of `media/`: bytes from the caller's source, and their place on WhatsApp. */
import { stopwatch } from '../clock.ts';
import { AppError, invalidField } from '../errors.ts';
import type { FileContent, OpenedSource } from '../media/outgoing/fetch-source.ts';
import type { Page } from '../media/outgoing/page.ts';
import type { UploadedMedia } from '../media/outgoing/upload.ts';
import type { PictureReader } from '../media/prepare/pictures.ts';
import type { MediaPreparation } from '../media/prepare/preparation.ts';
import type { Work } from '../quotas/fair-slots.ts';
import type { MediaDescriptor, MediaKind } from '../whatsapp/port/media.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import type { WireMessage } from '../whatsapp/port/wire-message.ts';

/** Base64 (raw or as data URI) or a URL: exactly one of the two. */
export type MediaInput = { base64: string } | { url: string };

export type OpenedMedia = OpenedSource;

/** `OutboundFiles` of `media/` fits. */
export interface OutboundMediaSource {
  /**
   * Files on behalf of one tenant: what it prepares waits behind its own, not behind the others'. `forChannel`:
   * they are uploaded as they are, for everyone to see.
   */
  for(work: Work, forChannel?: boolean): OutboundMedia;
}

/** The files of one message. */
export interface OutboundMedia {
  /** What is made and measured of sound and video. */
  readonly prepare: Pick<MediaPreparation, 'facts' | 'sound' | 'waveform' | 'frame' | 'toOpus' | 'toMp4'>;
  readonly pictures: Pick<PictureReader, 'facts' | 'preview' | 'square' | 'sticker'>;
  /** Throws INVALID_MEDIA, PAYLOAD_TOO_LARGE. `field` names the request's member in the error. */
  open(input: MediaInput, options: OpenOptions): Promise<OpenedMedia>;
  /** The beginning of an HTML page; null when it cannot be fetched. */
  page(url: string): Promise<Page | null>;
  /** Encrypts and uploads. Throws UPLOAD_FAILED, and the session's errors. */
  upload(
    session: WhatsAppSession,
    kind: MediaKind,
    media: FileContent,
    signal?: AbortSignal,
  ): Promise<UploadedMedia>;
}

export interface OpenOptions {
  field: string;
  /** Bytes. */
  maxBytes?: number;
  signal?: AbortSignal | undefined;
}

/** Exactly one of `<type>` and `<type>_url`, or VALIDATION_ERROR naming both. */
export function mediaInput(type: string, inline: string | undefined, url: string | undefined): MediaInput {
  const hasInline = inline !== undefined && inline !== '';
  const hasUrl = url !== undefined && url !== '';
  if (hasInline && !hasUrl) return { base64: inline };
  if (hasUrl && !hasInline) return { url };
  const message = hasInline
    ? `give either ${type} or ${type}_url, not both`
    : `either ${type} or ${type}_url is required`;
  throw new AppError('VALIDATION_ERROR', {
    message,
    validation: [
      { field: type, message },
      { field: `${type}_url`, message },
    ],
  });
}

/** Opens, works and disposes of the temporary file whatever happens. `work` is told which member the file came in. */
export async function withOpened<T>(
  media: Pick<OutboundMedia, 'open'>,
  input: MediaInput,
  options: OpenOptions,
  work: (opened: OpenedMedia, member: string) => Promise<T>,
): Promise<T> {
  const opened = await media.open(input, options);
  try {
    if (opened.size === 0) throw new AppError('INVALID_MEDIA', { message: `${options.field} is empty` });
    return await work(opened, 'url' in input ? `${options.field}_url` : options.field);
  } finally {
    await opened.dispose();
  }
}

/** What the file is: as its first bytes say, else as the caller or the URL's server said; null when unknown. */
export function typeOf(opened: OpenedMedia): string | null {
  return opened.detectedType ?? opened.declaredType;
}

/** Uploads and measures how long it took, in whole milliseconds. */
export async function timed(
  upload: () => Promise<UploadedMedia>,
): Promise<{ uploaded: UploadedMedia; uploadMs: number }> {
  const elapsed = stopwatch();
  const uploaded = await upload();
  return { uploaded, uploadMs: elapsed() };
}

/** The members that every media message of waE2E shares; those of the key are left out where there is none. */
export function uploadedFields(uploaded: UploadedMedia, mimeType: string): WireMessage {
  const { mediaKey, mediaKeyTimestamp, fileEncSha256 } = uploaded;
  return {
    url: uploaded.url,
    directPath: uploaded.directPath,
    fileSha256: uploaded.fileSha256,
    ...(fileEncSha256 ? { mediaKey, mediaKeyTimestamp, fileEncSha256 } : {}),
    fileLength: uploaded.fileLength,
    mimetype: mimeType,
  };
}

/** What is stored of an upload, so that our own media can be downloaded again. */
export function descriptorOf(
  kind: MediaKind,
  uploaded: UploadedMedia,
  facts: { mimeType: string } & Partial<Pick<MediaDescriptor, 'fileName' | 'seconds' | 'width' | 'height'>>,
): MediaDescriptor {
  return {
    kind,
    mimeType: facts.mimeType,
    fileName: facts.fileName ?? null,
    fileLength: uploaded.fileLength,
    mediaKey: uploaded.mediaKey,
    directPath: uploaded.directPath,
    fileSha256: uploaded.fileSha256,
    fileEncSha256: uploaded.fileEncSha256,
    ...(uploaded.handle === null ? {} : { uploadHandle: uploaded.handle }),
    seconds: facts.seconds ?? null,
    width: facts.width ?? null,
    height: facts.height ?? null,
  };
}

/** A length the caller states, in seconds; VALIDATION_ERROR unless it is a whole number from 0 on. */
export function checkedSeconds(seconds: number | undefined): number | null {
  if (seconds === undefined) return null;
  if (!Number.isSafeInteger(seconds) || seconds < 0 || seconds > 0xffff_ffff) {
    throw invalidField('seconds', 'must be a whole number of seconds', seconds);
  }
  return seconds;
}

/**
 * View-once media travels in an envelope and says so itself: images and videos in `viewOnceMessage`
 * (Baileys Utils/messages.js `generateWAMessageContent`), audio in `viewOnceMessageV2Extension` (the one
 * that whatsmeow `UnwrapRaw` opens for voice).
 */
export function asViewOnce(
  member: 'imageMessage' | 'videoMessage' | 'audioMessage',
  content: WireMessage,
): WireMessage {
  const inner = { [member]: { ...content, viewOnce: true } };
  return member === 'audioMessage'
    ? { viewOnceMessageV2Extension: { message: inner } }
    : { viewOnceMessage: { message: inner } };
}
