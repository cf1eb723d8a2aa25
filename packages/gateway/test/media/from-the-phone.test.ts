/** Files that the account's phone has to upload again. */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MediaAnswer } from '../../src/media/answer.ts';
import { until } from '../worlds/until.ts';
import { adminOf, MediaWorld, readAll, type TestDevice } from './media-world.ts';

let world: MediaWorld;
let tenant: string;
let device: TestDevice;

beforeEach(async () => {
  world = await MediaWorld.create();
  tenant = await world.tenant();
  device = await world.device(tenant);
});

afterEach(() => world.close());

const resolve = (id: string, waitMs = 0, tenantId = tenant) =>
  world.media.resolve(adminOf(tenantId), { id }, { waitMs });

async function bytesOf(answer: MediaAnswer): Promise<Buffer> {
  if (answer.state !== 'ready') throw new Error(`not ready: ${answer.state}`);
  return readAll(answer.open());
}

/** A received picture whose file is in the cache already. */
async function cached(id: string, bytes = randomBytes(50_000)) {
  const media = await world.upload(bytes);
  const rowId = await world.message(device, id, media.descriptor);
  await bytesOf(await resolve(id));
  world.cdn.clearLog();
  return { ...media, rowId, path: media.descriptor.directPath ?? '' };
}

async function expired(id: string, status: 403 | 404 | 410 = 404) {
  const media = await cached(id);
  await world.media.emptyCache();
  world.cdn.expire(media.path, status);
  return media;
}

const code = (name: string) => expect.objectContaining({ code: name });

describe('from the phone again', () => {
  test.each([403, 404, 410] as const)('%i: asked once, and the new upload is served', async (status) => {
    const { bytes } = await expired('A', status);
    expect(await resolve('A')).toEqual({ state: 'retry_requested', retryAfterSeconds: 5 });
    await until('it is there', async () => (await resolve('A')).state === 'ready');
    expect((await bytesOf(await resolve('A'))).equals(bytes)).toBe(true);
    expect(device.requests).toEqual(['A']);
  });

  test('with a wait, one call does', async () => {
    const { bytes } = await expired('A');
    expect((await bytesOf(await resolve('A', 10_000))).equals(bytes)).toBe(true);
  });

  test('ten at once ask once', async () => {
    const { bytes } = await expired('A');
    const answers = await Promise.all(Array.from({ length: 10 }, () => resolve('A', 10_000)));
    for (const answer of answers) expect((await bytesOf(answer)).equals(bytes)).toBe(true);
    expect(device.requests).toEqual(['A']);
  });

  test.each(['not_found', 'error_code_2'] as const)('%s: gone, and remembered', async (mood) => {
    await expired('A');
    device.mood = mood;
    await expect(resolve('A', 10_000)).rejects.toEqual(code('MEDIA_GONE'));
    device.mood = 'reupload';
    device.online = false;
    await world.restart();
    await expect(resolve('A')).rejects.toEqual(code('MEDIA_GONE'));
    expect(device.requests).toHaveLength(1);
  });

  test('another device’s phone may still have what one has lost', async () => {
    const { bytes, descriptor } = await world.upload(randomBytes(1000));
    const other = await world.device(tenant);
    await world.message(device, 'A', descriptor);
    world.clock.advance(1);
    await world.message(other, 'A', descriptor);
    world.cdn.expire(descriptor.directPath ?? '');
    device.mood = 'not_found';
    expect((await bytesOf(await resolve('A', 10_000))).equals(bytes)).toBe(true);
    expect([other.requests, device.requests]).toEqual([['A'], ['A']]);
  });

  test('a silent phone is not asked again until the request expires, also across a restart', async () => {
    const { bytes } = await expired('A');
    device.mood = 'silent';
    expect((await resolve('A')).state).toBe('retry_requested');
    const waiting = resolve('A', 10_000);
    await until('the phone is asked', () => device.requests.length === 1);
    world.clock.advance(10_000);
    expect((await waiting).state).toBe('retry_requested');
    await world.restart();
    expect((await resolve('A')).state).toBe('retry_requested');
    expect(device.requests).toHaveLength(1);
    world.clock.advance(world.settings.retryExpiryMs);
    device.mood = 'reupload';
    expect((await bytesOf(await resolve('A', 10_000))).equals(bytes)).toBe(true);
    expect(device.requests).toHaveLength(2);
  });

  test('a wait that outlasts the request still answers 202', async () => {
    await expired('A');
    device.mood = 'silent';
    const waiting = resolve('A', world.settings.retryExpiryMs + 1000);
    await device.asked(1);
    world.clock.advance(world.settings.retryExpiryMs + 1000);
    expect((await waiting).state).toBe('retry_requested');
    expect(device.requests).toHaveLength(1);
  });

  test('an answer that comes after the expiry is taken', async () => {
    const { bytes, descriptor, path } = await expired('A');
    device.mood = 'silent';
    await resolve('A');
    world.clock.advance(world.settings.retryExpiryMs + 1);
    await world.restart();
    const requests = await world.db.selectFrom('media_retry_requests').select('state').execute();
    expect(requests).toEqual([{ state: 'expired' }]);
    const { sealRetryAnswer } = await import('./media-world.ts');
    const renewed = await world.put(world.cdn.object(path)?.bytes ?? Buffer.alloc(0));
    const notice = { messageId: 'A', chat: 'x', fromMe: false, participant: null, errorCode: null };
    const encrypted = sealRetryAnswer(descriptor.mediaKey, 'A', 'success', renewed);
    await world.media.handleRetryAnswer(device, { ...notice, encrypted });
    expect((await bytesOf(await resolve('A'))).equals(bytes)).toBe(true);
    expect(device.requests).toHaveLength(1);
  });

  test('an answer to a request we never made changes nothing', async () => {
    const { descriptor } = await expired('A');
    const { sealRetryAnswer } = await import('./media-world.ts');
    const notice = { messageId: 'A', chat: 'x', fromMe: false, participant: null };
    const encrypted = sealRetryAnswer(descriptor.mediaKey, 'A', 'not_found', null);
    await world.media.handleRetryAnswer(device, { ...notice, encrypted, errorCode: null });
    await world.media.handleRetryAnswer(device, { ...notice, encrypted: null, errorCode: 2 });
    expect((await resolve('A', 10_000)).state).toBe('ready');
  });

  test('another error may be asked again', async () => {
    const { bytes } = await expired('A');
    device.mood = 'general_error';
    await expect(resolve('A', 10_000)).rejects.toEqual(code('MEDIA_DOWNLOAD_FAILED'));
    expect(device.requests).toHaveLength(1);
    device.mood = 'reupload';
    expect((await bytesOf(await resolve('A', 10_000))).equals(bytes)).toBe(true);
  });

  test('a phone whose new upload is broken too is left alone for a while', async () => {
    await expired('A');
    device.mood = 'corrupt_reupload';
    await expect(resolve('A', 10_000)).rejects.toEqual(code('MEDIA_DOWNLOAD_FAILED'));
    await until('the answer is kept', async () => {
      const rows = await world.db.selectFrom('media_retry_requests').select('result').execute();
      return rows.some((row) => row.result === 'broken_upload');
    });
    await expect(resolve('A')).rejects.toEqual(code('MEDIA_DOWNLOAD_FAILED'));
    expect(device.requests).toHaveLength(1);
  });

  test('looking does not ask', async () => {
    await expired('A');
    const answer = await world.media.resolve(adminOf(tenant), { id: 'A' }, { waitMs: 0, mayRequest: false });
    expect(answer.state).toBe('retry_requested');
    expect(device.requests).toEqual([]);
  });

  test('a message that never had a path is asked for at once', async () => {
    const { descriptor } = await world.upload(randomBytes(10));
    await world.message(device, 'A', { ...descriptor, directPath: null });
    device.mood = 'silent';
    expect((await resolve('A')).state).toBe('retry_requested');
    expect(world.downloads()).toEqual([]);
  });
});
