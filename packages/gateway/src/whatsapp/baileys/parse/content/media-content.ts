/** Files in messages: what their descriptors say. */
import type { MediaDescriptor, MediaKind } from '../../../port/media.ts';
import type { proto } from '../../library.ts';

/** The fields that all media messages share, and those that some have. */
export interface MediaFields {
  mimetype?: string | null;
  mediaKey?: Uint8Array | null;
  directPath?: string | null;
  fileSha256?: Uint8Array | null;
  fileEncSha256?: Uint8Array | null;
  fileLength?: number | { toNumber(): number } | null;
  fileName?: string | null;
  title?: string | null;
  seconds?: number | null;
  width?: number | null;
  height?: number | null;
}

/** The members that a header, a title or a message itself may have a file in. */
export interface FileHolder {
  imageMessage?: proto.Message.IImageMessage | null;
  videoMessage?: proto.Message.IVideoMessage | null;
  audioMessage?: proto.Message.IAudioMessage | null;
  documentMessage?: proto.Message.IDocumentMessage | null;
}

/** The file in a header, a title or a footer: at most one. */
export function filesIn(holder: FileHolder | null | undefined): MediaDescriptor[] {
  const { imageMessage, videoMessage, audioMessage, documentMessage } = holder ?? {};
  const found = [
    imageMessage && descriptor('image', imageMessage),
    videoMessage && descriptor('video', videoMessage),
    audioMessage && descriptor(audioMessage.ptt ? 'voice' : 'audio', audioMessage),
    documentMessage && descriptor('document', documentMessage),
  ];
  return found.filter((file) => !!file);
}

/** Null when the message carries no usable key: such media cannot be fetched at all. */
export function descriptor(kind: MediaKind, fields: MediaFields): MediaDescriptor | null {
  if (fields.mediaKey?.length !== 32) return null;
  return {
    kind,
    mimeType: fields.mimetype || 'application/octet-stream',
    fileName: fields.fileName || fields.title || null,
    fileLength: toNumber(fields.fileLength),
    mediaKey: new Uint8Array(fields.mediaKey),
    directPath: fields.directPath || null,
    fileSha256: hash(fields.fileSha256),
    fileEncSha256: hash(fields.fileEncSha256),
    seconds: fields.seconds ?? null,
    width: fields.width || null,
    height: fields.height || null,
  };
}

function hash(value: Uint8Array | null | undefined): Uint8Array | null {
  return value?.length === 32 ? new Uint8Array(value) : null;
}

function toNumber(value: number | { toNumber(): number } | null | undefined): number | null {
  if (value == null) return null;
  const n = typeof value === 'number' ? value : value.toNumber();
  return Number.isSafeInteger(n) && n >= 0 ? n : null;
}
