/** What a phone answers to the wish for a new upload. */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../worlds/until.ts';
import { type MediaDesk, openMedia } from './media-desk.ts';
import type { MediaWorld, TestDevice } from './media-world.ts';
import { sealRetryAnswer } from './phone-says.ts';
import { bytesOf, expired } from './received.ts';

let world: MediaWorld;
let tenant: string;
let device: TestDevice;
let resolve: MediaDesk['resolve'];
let states: MediaDesk['states'];
let answered: MediaDesk['answered'];

beforeEach(async () => {
  ({ world, tenant, device, resolve, states, answered } = await openMedia());
});

afterEach(() => world.close());

const code = (name: string) => expect.objectContaining({ code: name });

test('an answer that comes after the expiry is taken', async () => {
  const { bytes, descriptor, path } = await expired(world, device);
  device.mood = 'silent';
  await resolve('A');
  world.clock.advance(world.settings.retryExpiryMs + 1);
  await world.restart();
  expect(await states()).toEqual(['expired']);
  const renewed = await world.put(world.cdn.object(path)?.bytes ?? Buffer.alloc(0));
  await answered(sealRetryAnswer(descriptor.mediaKey, 'A', 'success', renewed));
  expect((await bytesOf(await resolve('A'))).equals(bytes)).toBe(true);
  expect(device.requests).toHaveLength(1);
});

test('an answer to a request we never made changes nothing', async () => {
  const { descriptor } = await expired(world, device);
  await answered(sealRetryAnswer(descriptor.mediaKey, 'A', 'not_found', null));
  await answered(2);
  expect(world.lines('a media retry answer matches no request of ours')).toHaveLength(2);
  expect(world.events).toEqual([]);
  expect((await resolve('A', 10_000)).state).toBe('ready');
});

describe('a new upload that is broken as well', () => {
  async function broken() {
    const media = await expired(world, device);
    device.mood = 'corrupt_reupload';
    await expect(resolve('A', 10_000)).rejects.toEqual(code('MEDIA_DOWNLOAD_FAILED'));
    await until('the answer is kept', async () => (await states()).includes('failed: broken_upload'));
    return media;
  }

  test('a phone whose new upload is broken too is left alone for five minutes', async () => {
    await broken();
    device.mood = 'silent';
    const refused = (retryAfterSeconds: number) =>
      expect(resolve('A')).rejects.toMatchObject({
        code: 'MEDIA_DOWNLOAD_FAILED',
        message: expect.stringContaining('still does not match'),
        detail: { retryAfterSeconds },
      });
    await refused(300);
    world.clock.setBack(3_600_000);
    await refused(300);
    world.clock.advance(3_600_000 + 299_001);
    await refused(1);
    expect(device.requests).toHaveLength(1);
    world.clock.advance(999);
    await resolve('A');
    expect(device.requests).toHaveLength(2);
  });

  test('what is gone of a broken upload is asked for at once', async () => {
    await broken();
    world.cdn.expireAll();
    device.mood = 'silent';
    expect((await resolve('A')).state).toBe('retry_requested');
    expect(device.requests).toHaveLength(2);
  });

  test('while one phone is left alone another one is asked', async () => {
    const { descriptor } = await broken();
    const other = await world.device(tenant);
    other.mood = 'silent';
    await world.message(other, 'A', { ...descriptor, directPath: null });
    expect((await resolve('A')).state).toBe('retry_requested');
    expect([device.requests, other.requests]).toEqual([['A'], ['A']]);
  });

  test('a new upload that cannot be looked at is logged', async () => {
    const { descriptor } = await expired(world, device);
    device.mood = 'silent';
    await resolve('A');
    device.fails.connection = new Error('a bug');
    await answered(sealRetryAnswer(descriptor.mediaKey, 'A', 'success', '/v/new'));
    const text = 'media uploaded again could not be fetched';
    await until('it is logged', () => world.lines(text).length === 1);
    device.online = false;
    await answered(sealRetryAnswer(descriptor.mediaKey, 'A', 'success', '/v/newer'));
    await world.media.stop();
    expect(world.lines(text)).toHaveLength(1);
  });
});

describe('which message an answer is about', () => {
  /** Messages of one name in three chats, all asked for. */
  async function asked() {
    device.mood = 'silent';
    const made = [];
    for (const chat of ['1', '2', '3']) {
      const { descriptor } = await world.upload(randomBytes(10));
      const names = { chat_jid: `${chat}@s.whatsapp.net`, chat_lid: `${chat}@lid` };
      const row = await world.message(device, 'A', { ...descriptor, directPath: null }, names);
      world.clock.advance(1);
      made.push({ row, key: descriptor.mediaKey });
      await resolve(row);
    }
    return made;
  }
  const gone = async () =>
    (
      await world.db
        .selectFrom('media')
        .innerJoin('messages', 'messages.id', 'media.message_row_id')
        .select('messages.chat_lid')
        .where('media.outcome', '=', 'gone')
        .orderBy('messages.chat_lid')
        .execute()
    ).map(({ chat_lid }) => chat_lid);

  test('the one whose key opens it', async () => {
    const [, second] = await asked();
    await answered(sealRetryAnswer(second?.key ?? new Uint8Array(), 'A', 'not_found', null));
    expect(await gone()).toEqual(['2@lid']);
  });

  test('in the clear, the one in the chat that it names', async () => {
    await asked();
    await answered(2, 'elsewhere@s.whatsapp.net');
    await answered(null, '1@lid');
    expect(await gone()).toEqual([]);
    await answered(2, '2@s.whatsapp.net');
    await answered(2, '3@lid');
    expect(await gone()).toEqual(['2@lid', '3@lid']);
    // The only one that is open, whatever the chat is called.
    await answered(2, 'elsewhere@s.whatsapp.net');
    expect(await gone()).toEqual(['1@lid', '2@lid', '3@lid']);
  });

  test('a refusal in the clear of another kind is no loss, and of what is over nothing', async () => {
    await asked();
    await answered(5, '1@lid');
    expect(await states()).toEqual(['failed: general_error', 'open', 'open']);
    await answered(2, '1@lid');
    world.clock.advance(world.settings.retryExpiryMs);
    await answered(2, '2@lid');
    expect(await gone()).toEqual([]);
    expect(world.events).toHaveLength(1);
  });

  test('an answer that comes twice is one', async () => {
    const { descriptor } = await expired(world, device);
    device.mood = 'silent';
    await resolve('A');
    const sealed = (result: 'success' | 'not_found' | 'general_error' | 'decryption_error', path: string) =>
      answered(sealRetryAnswer(descriptor.mediaKey, 'A', result, path));
    const events: number[] = [];
    for (const [result, path] of [
      ['general_error', ''],
      ['general_error', ''],
      ['decryption_error', ''],
      ['success', '/v/1'],
      ['success', '/v/1'],
      ['success', '/v/2'],
      ['not_found', ''],
      ['not_found', ''],
      ['general_error', ''],
      ['not_found', ''],
      ['success', '/v/2'],
    ] as const) {
      await sealed(result, path);
      // Also after the time of the request.
      world.clock.advance(world.settings.retryExpiryMs);
      events.push(world.events.length);
    }
    expect(events).toEqual([1, 1, 2, 3, 3, 4, 5, 5, 6, 7, 8]);
    expect(world.commits).toBe(8);
    expect(world.lines('the phone answered a media retry request').at(-1)).toEqual({
      ...{ level: 30, device_id: device.id, result: 'success' },
    });
  });
});
