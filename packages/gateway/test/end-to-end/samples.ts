import { createHash, randomBytes } from 'node:crypto';
import sharp from 'sharp';

/** A JPEG that differs from every other sample. */
export async function jpeg(width = 320, height = 200): Promise<Buffer> {
  const [r, g, b] = randomBytes(3);
  const background = { r: r ?? 0, g: g ?? 0, b: b ?? 0 };
  return sharp({ create: { width, height, channels: 3, background } })
    .composite([{ input: await noise(64), left: 10, top: 10 }])
    .jpeg()
    .toBuffer();
}

export async function webp(): Promise<Buffer> {
  return sharp(await noise(64))
    .webp()
    .toBuffer();
}

async function noise(size: number): Promise<Buffer> {
  return sharp(randomBytes(size * size * 3), { raw: { width: size, height: size, channels: 3 } })
    .png()
    .toBuffer();
}

/** Bytes that begin as an MP4 file does. */
export function mp4(size = 30_000): Buffer {
  return Buffer.concat([
    Buffer.from('000000206674797069736f6d0000020069736f6d69736f3261766331', 'hex'),
    randomBytes(size),
  ]);
}

/** Bytes that begin as an Ogg Opus file does. */
export function oggOpus(size = 9_000): Buffer {
  const head = Buffer.from(
    '4f67675300020000000000000000000000000000000000000000011 3'.replace(/\s/g, ''),
    'hex',
  );
  return Buffer.concat([head, Buffer.from('OpusHead\u0001\u0001'), randomBytes(size)]);
}

export function pdf(size = 12_345): Buffer {
  return Buffer.concat([Buffer.from('%PDF-1.4\n'), randomBytes(size)]);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
