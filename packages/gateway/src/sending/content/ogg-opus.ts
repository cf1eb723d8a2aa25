/** How long an Ogg/Opus file plays, read from its first and last page (RFC 3533, RFC 7845). */
import { open } from 'node:fs/promises';
import type { OpenedMedia } from '../outbound-media.ts';

/** Opus counts time in samples of 48 kHz whatever the input was (RFC 7845 §4). */
const SAMPLES_PER_SECOND = 48_000;
/** The largest Ogg page: 27 bytes of header, 255 lacing values, 255 segments of 255 bytes. */
const LARGEST_PAGE = 27 + 255 + 255 * 255;
const PAGE_HEADER = 27;
const CAPTURE = Buffer.from('OggS');
/** In OpusHead: 8 bytes of magic, version, channels, then the pre-skip. */
const CHANNELS_OFFSET = 9;
const PRE_SKIP_OFFSET = 10;

const HEAD = 512;

/**
 * Null when the file is not Ogg/Opus. `seconds` is rounded, and null when the last page cannot be found.
 */
export async function readOpus(
  opened: OpenedMedia,
): Promise<{ seconds: number | null; channels: number } | null> {
  if (!opened.detectedType?.includes('ogg')) return null;
  const head = await readPart(opened, 0, HEAD);
  const opusHead = head.indexOf('OpusHead');
  if (!head.subarray(0, 4).equals(CAPTURE) || opusHead < 0 || head.length < opusHead + 12) return null;
  const preSkip = head.readUInt16LE(opusHead + PRE_SKIP_OFFSET);
  const channels = head.readUInt8(opusHead + CHANNELS_OFFSET);
  const tailStart = Math.max(0, opened.size - LARGEST_PAGE);
  const tail = await readPart(opened, tailStart, LARGEST_PAGE);
  const lastPage = tail.lastIndexOf(CAPTURE);
  const isFirstPage = tailStart + lastPage === 0;
  if (lastPage < 0 || isFirstPage || tail.length < lastPage + PAGE_HEADER) return { seconds: null, channels };
  // All ones mean that no packet ends on this page.
  const position = tail.readBigInt64LE(lastPage + 6);
  if (position < preSkip) return { seconds: null, channels };
  return { seconds: Math.round((Number(position) - preSkip) / SAMPLES_PER_SECOND), channels };
}

async function readPart(opened: OpenedMedia, start: number, length: number): Promise<Buffer> {
  if ('bytes' in opened.content) {
    return Buffer.from(opened.content.bytes.subarray(start, start + length));
  }
  const file = await open(opened.content.path, 'r');
  try {
    const buffer = Buffer.alloc(Math.min(length, Math.max(0, opened.size - start)));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
