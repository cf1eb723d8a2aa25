import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { typeOfBytes, typeOfFile } from '../../src/media/first-bytes.ts';
import type { Scratch } from '../../src/storage/scratch.ts';
import { MediaWorld } from './media-world.ts';

let world: MediaWorld;
let folder: Awaited<ReturnType<Scratch['folder']>>;
beforeAll(async () => {
  world = await MediaWorld.create();
  folder = await world.scratch.folder();
});
afterAll(() => world.close());

/** "BMI; …" begins as a BMP does, whose header has bytes that no text has. */
const BEGINS_AS_BMP = Buffer.from('BMI; kg; cm');
const followedBy = (...bytes: number[]) => Buffer.concat([BEGINS_AS_BMP, Buffer.from(bytes)]);

test.each<readonly [string, Buffer, string | null]>([
  ['of no format', Buffer.from('hello'), null],
  ['of nothing', Buffer.alloc(0), null],
  ['a picture', followedBy(0, 0), 'image/bmp'],
  ['a text', BEGINS_AS_BMP, null],
  ['a text in Latin 1 or UTF-8', followedBy(0xe7, 0xc3, 0xa7), null],
  ['a long text', followedBy(...Buffer.alloc(10_000, 'x')), null],
  ['a format that is written', Buffer.from('%PDF-1.4\n1 0 obj\n'), 'application/pdf'],
  ['a format that is a text', Buffer.from('BEGIN:VCALENDAR\nVERSION:2.0\n'), 'text/calendar'],
  ...[0x09, 0x0a, 0x0c, 0x0d, 0x1b, 0x20, 0x21].map(
    (byte) => [`a text with ${byte}`, followedBy(byte), null] as const,
  ),
  ...[0x00, 0x08, 0x0e, 0x1a, 0x1c, 0x1f].map(
    (byte) => [`no text: ${byte}`, followedBy(byte), 'image/bmp'] as const,
  ),
])('%s', async (_what, bytes, type) => {
  expect(await typeOfBytes(bytes)).toBe(type);
  const path = join(folder.path, 'file');
  await writeFile(path, bytes);
  expect(await typeOfFile(path)).toBe(type);
});
