/** A pack of stickers as phones write it: a zip of WebP files beside its tray icon (zapo media/sticker/sticker-pack.ts). */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { proto } from 'baileys';

export interface PackedSticker {
  readonly bytes: Uint8Array;
  readonly emojis?: readonly string[];
  readonly animated?: boolean;
}

export interface StickerPackInput {
  readonly name: string;
  readonly publisher: string;
  readonly description?: string;
  readonly caption?: string;
  readonly stickers: readonly PackedSticker[];
  /** Shown in the list of packs. */
  readonly trayIcon: Uint8Array;
}

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END = 0x06054b50;
/** Of the format that knows no compression. */
const VERSION = 10;

/** The zip, and what the message says of each sticker: files are named by their hash. */
export function packStickers({ stickers, trayIcon }: StickerPackInput): {
  zip: Buffer;
  listed: proto.Message.StickerPackMessage.ISticker[];
  trayIconFileName: string;
} {
  const listed = stickers.map(({ bytes, emojis = [], animated = false }) => ({
    fileName: `${nameOf(bytes)}.webp`,
    emojis: [...emojis],
    isAnimated: animated,
    isLottie: false,
    mimetype: 'image/webp',
  }));
  const trayIconFileName = `${nameOf(trayIcon)}.png`;
  const files = stickers.map(({ bytes }, at) => ({ name: listed[at]?.fileName ?? '', bytes }));
  return { zip: zipped([...files, { name: trayIconFileName, bytes: trayIcon }]), listed, trayIconFileName };
}

function nameOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url');
}

/** PKWARE's APPNOTE 4.3: each file behind a header, then the directory of all; nothing compressed. */
function zipped(files: readonly { name: string; bytes: Uint8Array }[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, bytes } of files) {
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(VERSION, 0);
    shared.writeUInt32LE(crc32(bytes), 10);
    shared.writeUInt32LE(bytes.length, 14);
    shared.writeUInt32LE(bytes.length, 18);
    shared.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([uint32(LOCAL_HEADER), shared, Buffer.from(name), bytes]);
    const attributes = Buffer.alloc(14);
    attributes.writeUInt32LE(at, 10);
    const madeBy = Buffer.from([VERSION, 0]);
    directory.push(Buffer.concat([uint32(CENTRAL_HEADER), madeBy, shared, attributes, Buffer.from(name)]));
    parts.push(local);
    at += local.length;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(listing.length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...parts, listing, uint32(END), end]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

const { USER_CREATED } = proto.Message.StickerPackMessage.StickerPackOrigin;

/** The message, around what `uploadMedia` says of the zip and of the picture of the whole pack. */
export function composeStickerPack(
  input: StickerPackInput,
  packed: ReturnType<typeof packStickers>,
  file: { readonly fileLength: number } & proto.Message.IStickerPackMessage,
  thumbnail: proto.Message.IStickerPackMessage,
): proto.IMessage {
  const { name, publisher, description = null, caption = null } = input;
  const { listed: stickers, trayIconFileName } = packed;
  const about = { stickerPackId: nameOf(packed.zip), name, publisher, packDescription: description, caption };
  const origin = { stickerPackOrigin: USER_CREATED, stickerPackSize: file.fileLength };
  return { stickerPackMessage: { ...about, stickers, trayIconFileName, ...origin, ...file, ...thumbnail } };
}
