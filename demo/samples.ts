/** Files to send: real pictures, and bytes that begin as a video, a voice note and a PDF do. */
import { createHash, randomBytes } from 'node:crypto';
import sharp, { type Sharp } from 'sharp';

export interface Sample {
  name: string;
  mimeType: string;
  bytes: Buffer;
}

export async function picture(): Promise<Sample> {
  return { name: 'image', mimeType: 'image/jpeg', bytes: await noise(200).jpeg().toBuffer() };
}

export async function sticker(): Promise<Sample> {
  return { name: 'sticker', mimeType: 'image/webp', bytes: await noise(96).webp().toBuffer() };
}

export function video(): Sample {
  const head = Buffer.from('000000206674797069736f6d0000020069736f6d69736f3261766331', 'hex');
  return { name: 'video', mimeType: 'video/mp4', bytes: Buffer.concat([head, randomBytes(300_000)]) };
}

export function voiceNote(): Sample {
  const head = Buffer.from('OggS\u0000\u0002', 'latin1');
  const page = Buffer.concat([
    head,
    Buffer.alloc(20),
    Buffer.from([1, 19]),
    Buffer.from('OpusHead\u0001\u0001'),
  ]);
  return {
    name: 'voice note',
    mimeType: 'audio/ogg; codecs=opus',
    bytes: Buffer.concat([page, randomBytes(9_000)]),
  };
}

export function invoice(): Sample {
  const bytes = Buffer.concat([Buffer.from('%PDF-1.4\n'), randomBytes(40_000)]);
  return { name: 'document', mimeType: 'application/pdf', bytes };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function noise(size: number): Sharp {
  return sharp(randomBytes(size * size * 3), { raw: { width: size, height: size, channels: 3 } });
}
