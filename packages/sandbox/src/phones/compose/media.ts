/** Messages with a file as phones write them. */
import type { proto } from 'baileys';
import sharp from 'sharp';
import type { UploadedMedia } from '../media/media-client.ts';
import type { EncryptedMedia } from '../media/media-crypto.ts';

export interface ImageInput {
  bytes: Uint8Array;
  /** Default `image/jpeg`. */
  mimeType?: string;
  caption?: string;
  width?: number;
  height?: number;
  viewOnce?: boolean;
  /** Written into the message's `url` instead of the CDN's, to test clients that trust it. */
  url?: string;
}

export interface VideoInput extends ImageInput {
  seconds?: number;
  gif?: boolean;
}

export interface AudioInput {
  bytes: Uint8Array;
  mimeType?: string;
  seconds?: number;
  url?: string;
}

export interface DocumentInput {
  bytes: Uint8Array;
  mimeType?: string;
  fileName: string;
  caption?: string;
  url?: string;
}

export interface StickerInput {
  bytes: Uint8Array;
  mimeType?: string;
  animated?: boolean;
  url?: string;
}

/** A file after encryption and upload. */
export interface Uploaded {
  readonly encrypted: EncryptedMedia;
  readonly stored: UploadedMedia;
}

/** The longest side of the preview that phones put into an image message. */
const THUMBNAIL_PIXELS = 100;
/** Bars of a voice message's waveform, each 0 to 100. */
const WAVEFORM_BARS = 64;

/** The fields that every media message has alike. */
export function mediaFields({ encrypted, stored }: Uploaded, url?: string) {
  return {
    url: url ?? stored.url,
    directPath: stored.directPath,
    mediaKey: encrypted.mediaKey,
    mediaKeyTimestamp: Math.floor(Date.now() / 1000),
    fileSha256: encrypted.fileSha256,
    fileEncSha256: encrypted.fileEncSha256,
    fileLength: encrypted.fileLength,
  };
}

interface Preview {
  readonly width: number;
  readonly height: number;
  readonly jpegThumbnail: Buffer;
}

/** Undefined when the bytes are no picture: a phone would refuse them, a test may want to send them. */
async function preview(bytes: Uint8Array): Promise<Preview | undefined> {
  try {
    const image = sharp(bytes);
    const { width, height } = await image.metadata();
    const jpegThumbnail = await image
      .resize(THUMBNAIL_PIXELS, THUMBNAIL_PIXELS, { fit: 'inside' })
      .jpeg({ quality: 50 })
      .toBuffer();
    return { width, height, jpegThumbnail };
  } catch {
    return undefined;
  }
}

function once(message: proto.IMessage, viewOnce: boolean | undefined): proto.IMessage {
  return viewOnce ? { viewOnceMessageV2: { message } } : message;
}

export async function composeImage(input: ImageInput, uploaded: Uploaded): Promise<proto.IMessage> {
  const shown = await preview(input.bytes);
  const imageMessage: proto.Message.IImageMessage = {
    ...mediaFields(uploaded, input.url),
    mimetype: input.mimeType ?? 'image/jpeg',
    height: input.height ?? shown?.height ?? 0,
    width: input.width ?? shown?.width ?? 0,
    ...(input.caption === undefined ? {} : { caption: input.caption }),
    ...(shown ? { jpegThumbnail: shown.jpegThumbnail } : {}),
    ...(input.viewOnce ? { viewOnce: true } : {}),
  };
  return once({ imageMessage }, input.viewOnce);
}

export function composeVideo(input: VideoInput, uploaded: Uploaded): proto.IMessage {
  const videoMessage: proto.Message.IVideoMessage = {
    ...mediaFields(uploaded, input.url),
    mimetype: input.mimeType ?? 'video/mp4',
    height: input.height ?? 480,
    width: input.width ?? 640,
    seconds: input.seconds ?? 1,
    ...(input.gif ? { gifPlayback: true } : {}),
    ...(input.caption === undefined ? {} : { caption: input.caption }),
    ...(input.viewOnce ? { viewOnce: true } : {}),
  };
  return once({ videoMessage }, input.viewOnce);
}

export function composeAudio(input: AudioInput, uploaded: Uploaded, voice: boolean): proto.IMessage {
  const audioMessage: proto.Message.IAudioMessage = {
    ...mediaFields(uploaded, input.url),
    mimetype: input.mimeType ?? (voice ? 'audio/ogg; codecs=opus' : 'audio/mp4'),
    seconds: input.seconds ?? 1,
    ptt: voice,
    ...(voice ? { waveform: waveform(input.bytes) } : {}),
  };
  return { audioMessage };
}

/** A waveform that depends on the bytes alone: it is not decoded sound. */
function waveform(bytes: Uint8Array): Buffer {
  const bars = Buffer.alloc(WAVEFORM_BARS);
  for (let bar = 0; bar < WAVEFORM_BARS; bar += 1) {
    bars[bar] = (bytes[Math.floor((bar * bytes.length) / WAVEFORM_BARS)] ?? 0) % 101;
  }
  return bars;
}

/** A document with a caption travels inside `documentWithCaptionMessage`, as phones send it. */
export function composeDocument(input: DocumentInput, uploaded: Uploaded): proto.IMessage {
  const documentMessage: proto.Message.IDocumentMessage = {
    ...mediaFields(uploaded, input.url),
    mimetype: input.mimeType ?? 'application/octet-stream',
    title: input.fileName,
    fileName: input.fileName,
  };
  if (input.caption === undefined) return { documentMessage };
  documentMessage.caption = input.caption;
  return { documentWithCaptionMessage: { message: { documentMessage } } };
}

export async function composeSticker(input: StickerInput, uploaded: Uploaded): Promise<proto.IMessage> {
  const shown = await preview(input.bytes);
  return {
    stickerMessage: {
      ...mediaFields(uploaded, input.url),
      mimetype: input.mimeType ?? 'image/webp',
      height: shown?.height ?? 512,
      width: shown?.width ?? 512,
      isAnimated: input.animated ?? false,
    },
  };
}
