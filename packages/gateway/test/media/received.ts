/** Files that were received, and what is served of them. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { MediaAnswer } from '../../src/media/answer.ts';
import { adminOf, type MediaWorld, type TestDevice } from './media-world.ts';

/** A received picture whose file is in the cache already. */
export async function cached(
  world: MediaWorld,
  device: TestDevice,
  { id = 'A', bytes = randomBytes(50_000) }: { id?: string; bytes?: Buffer } = {},
) {
  const media = await world.upload(bytes);
  const rowId = await world.message(device, id, media.descriptor);
  await bytesOf(await world.media.resolve(adminOf(device.tenantId), { id }, { waitMs: 0 }));
  world.cdn.clearLog();
  return { ...media, rowId, path: media.descriptor.directPath ?? '' };
}

/** One that only the phone has still. */
export async function expired(world: MediaWorld, device: TestDevice, status: 403 | 404 | 410 = 404) {
  const media = await cached(world, device);
  await world.media.emptyCache();
  world.cdn.expire(media.path, status);
  return media;
}

/** Reads all that is served; by its end nothing holds the file any more. */
export async function bytesOf(answer: MediaAnswer): Promise<Buffer> {
  if (answer.state !== 'ready') throw new Error(`not ready: ${answer.state}`);
  const stream = answer.open();
  const bytes = await readAll(stream);
  if (!stream.closed) await once(stream, 'close');
  return bytes;
}

/** Lets what was begun in this turn of the event loop, and ends in it, end. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));

export async function readAll(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Whether it has come to its end by now. */
export function ended(work: Promise<unknown>): () => Promise<boolean> {
  let over = false;
  const end = (): void => {
    over = true;
  };
  work.then(end, end);
  return async () => {
    await settle();
    return over;
  };
}
