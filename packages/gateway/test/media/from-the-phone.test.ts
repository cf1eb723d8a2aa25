/** Files that the account's phone has to upload again. */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SessionTimeout } from '../../src/whatsapp/port/errors.ts';
import { until } from '../worlds/until.ts';
import { type MediaDesk, openMedia } from './media-desk.ts';
import { adminOf, type MediaWorld, type TestDevice } from './media-world.ts';
import { sealRetryAnswer } from './phone-says.ts';
import { bytesOf, ended, expired, settle } from './received.ts';

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

const stored = async () => (await world.db.selectFrom('blobs').select('size').execute()).length;

describe('from the phone again', () => {
  test.each([403, 404, 410] as const)('%i: asked once, and the new upload is served', async (status) => {
    const { bytes } = await expired(world, device, status);
    expect(await resolve('A')).toEqual({ state: 'retry_requested', retryAfterSeconds: 5 });
    expect(world.lines('media could not be fetched from the CDN')).toEqual([
      { level: 30, device_id: device.id, kind: 'image', outcome: 'expired', detail: `HTTP ${status}` },
    ]);
    await until('it is fetched, though nobody asks', async () => (await stored()) === 1);
    expect((await bytesOf(await resolve('A'))).equals(bytes)).toBe(true);
    expect(device.requests).toEqual(['A']);
    expect(world.events).toEqual(['media.retry']);
    expect(world.commits).toBe(1);
    await world.media.stop();
    await settle();
    expect(await world.media.emptyCache()).toBe(0);
  });

  test('with a wait, one call does', async () => {
    const { bytes } = await expired(world, device);
    expect((await bytesOf(await resolve('A', 10_000))).equals(bytes)).toBe(true);
  });

  test('ten at once ask once', async () => {
    const { bytes } = await expired(world, device);
    const answers = await Promise.all(Array.from({ length: 10 }, () => resolve('A', 10_000)));
    for (const answer of answers) expect((await bytesOf(answer)).equals(bytes)).toBe(true);
    expect(device.requests).toEqual(['A']);
  });

  test.each(['not_found', 'error_code_2'] as const)('%s: gone, and remembered', async (mood) => {
    await expired(world, device);
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
    const { bytes } = await expired(world, device);
    device.mood = 'silent';
    expect((await resolve('A')).state).toBe('retry_requested');
    const waiting = resolve('A', 10_000);
    const isOver = ended(waiting);
    world.clock.advance(9999);
    expect(await isOver()).toBe(false);
    world.clock.advance(1);
    expect((await waiting).state).toBe('retry_requested');
    await world.restart();
    expect((await resolve('A')).state).toBe('retry_requested');
    expect(device.requests).toHaveLength(1);
    world.clock.advance(world.settings.retryExpiryMs - 10_001);
    expect((await resolve('A')).state).toBe('retry_requested');
    expect(device.requests).toHaveLength(1);
    world.clock.advance(1);
    expect((await resolve('A')).state).toBe('retry_requested');
    expect(device.requests).toHaveLength(2);
    // While a request is open the media hosts are left alone.
    world.cdn.clearLog();
    expect((await resolve('A')).state).toBe('retry_requested');
    expect(world.downloads()).toEqual([]);
    world.clock.advance(world.settings.retryExpiryMs);
    device.mood = 'reupload';
    expect((await bytesOf(await resolve('A', 10_000))).equals(bytes)).toBe(true);
    expect(device.requests).toHaveLength(3);
    expect(await states()).toEqual(['expired', 'expired', 'succeeded']);
  });

  test('the pause before the next question ends with the request', async () => {
    await expired(world, device);
    device.mood = 'silent';
    await resolve('A');
    for (const [ms, retryAfterSeconds] of [
      [world.settings.retryExpiryMs - 5001, 5],
      [2001, 3],
      [2999, 1],
    ] as const) {
      world.clock.advance(ms);
      expect(await resolve('A')).toEqual({ state: 'retry_requested', retryAfterSeconds });
    }
  });

  test('one that leaves ends its own wait alone', async () => {
    const { descriptor, path } = await expired(world, device);
    device.mood = 'silent';
    const leaving = new AbortController();
    const left = world.media.resolve(
      adminOf(tenant),
      { id: 'A' },
      { waitMs: 10_000, signal: leaving.signal },
    );
    const staying = resolve('A', 10_000);
    await device.asked(1);
    await settle();
    leaving.abort();
    expect((await left).state).toBe('retry_requested');
    expect(
      (await world.media.resolve(adminOf(tenant), { id: 'A' }, { waitMs: 10_000, signal: leaving.signal }))
        .state,
    ).toBe('retry_requested');
    const stopped = resolve('A', 10_000);
    const renewed = await world.put(world.cdn.object(path)?.bytes ?? Buffer.alloc(0));
    await answered(sealRetryAnswer(descriptor.mediaKey, 'A', 'success', renewed));
    expect([(await staying).state, (await stopped).state]).toEqual(['ready', 'ready']);
  });

  test('a stop answers those who wait, and fetches nothing more', async () => {
    const { descriptor } = await expired(world, device);
    device.mood = 'silent';
    const waiting = resolve('A', 10_000);
    await device.asked(1);
    await world.room.step.stop?.();
    expect((await waiting).state).toBe('retry_requested');
    world.cdn.clearLog();
    await answered(sealRetryAnswer(descriptor.mediaKey, 'A', 'success', '/v/new'));
    await world.media.stop();
    expect(world.downloads()).toEqual([]);
    expect(await states()).toEqual(['succeeded']);
  });

  test('every five minutes what is over is noted as such, until the stop', async () => {
    await world.restart();
    await expired(world, device);
    device.mood = 'silent';
    await resolve('A');
    world.clock.advance(299_999);
    await settle();
    expect(await states()).toEqual(['open']);
    world.clock.advance(1);
    await until('it is noted', async () => (await states())[0] === 'expired');
    await resolve('A');
    // One that fails does not end it.
    await world.db.schema.alterTable('media_retry_requests').renameTo('away').execute();
    await until('it is logged', async () => {
      world.clock.advance(300_000);
      await settle();
      return world.lines('media housekeeping failed').length > 0;
    });
    await world.db.schema.alterTable('away').renameTo('media_retry_requests').execute();
    await until('it is noted again', async () => {
      world.clock.advance(300_000);
      await settle();
      return (await states())[1] === 'expired';
    });
    await resolve('A');
    await settle();
    await world.media.stop();
    world.clock.advance(300_000);
    await settle();
    expect(await states()).toEqual(['expired', 'expired', 'open']);
  });

  test.each(['SessionTimeout', 'a bug'])('a request that cannot be sent is closed: %s', async (why) => {
    const { bytes } = await expired(world, device);
    device.fails.requestReupload = why === 'a bug' ? new Error(why) : new SessionTimeout(why);
    await expect(resolve('A')).rejects.toMatchObject(
      why === 'a bug' ? { message: 'a bug' } : { code: 'WHATSAPP_TIMEOUT' },
    );
    expect(await states()).toEqual(['failed: not_sent']);
    device.fails = {};
    world.clock.advance(1);
    expect((await bytesOf(await resolve('A', 10_000))).equals(bytes)).toBe(true);
  });

  const [CHAT, CHAT_LID, GROUP] = ['5511999990001@s.whatsapp.net', '77@lid', '12036300@g.us'];
  const LIST = '1700000000@broadcast';
  const AUTHOR = '5511999990002@s.whatsapp.net';
  test.each([
    ['a chat', {}, { chat: CHAT, participant: null, fromMe: false }],
    ['one whose LID is known', { chat_lid: CHAT_LID }, { chat: CHAT, participant: null, fromMe: false }],
    [
      'one by LID',
      { chat_lid: CHAT_LID, lidAddressed: true, from_me: 1 },
      { chat: CHAT_LID, participant: null, fromMe: true },
    ],
    [
      'one by a LID that is unknown',
      { lidAddressed: true },
      { chat: CHAT, participant: null, fromMe: false },
    ],
    [
      'a group',
      { chat_jid: GROUP, is_group: 1, sender_jid: AUTHOR, sender_lid: CHAT_LID },
      { chat: GROUP, participant: AUTHOR, fromMe: false },
    ],
    [
      'a group by LID',
      {
        ...{ chat_jid: GROUP, chat_lid: '78@lid', is_group: 1, sender_jid: AUTHOR, sender_lid: CHAT_LID },
        lidAddressed: true,
      },
      { chat: GROUP, participant: CHAT_LID, fromMe: false },
    ],
    [
      'a broadcast list',
      { sender_jid: CHAT, sender_lid: CHAT_LID, chat_lid: CHAT_LID, lidAddressed: true, broadcastList: LIST },
      { chat: LIST, participant: CHAT_LID, fromMe: false },
    ],
  ])('the phone is asked under the name that it has of %s', async (_what, more, asked) => {
    const { descriptor } = await world.upload(randomBytes(10));
    await world.message(device, 'A', { ...descriptor, directPath: null }, more);
    device.mood = 'silent';
    await resolve('A');
    expect(device.addresses).toEqual([asked]);
  });

  test('a wait that outlasts the request still answers 202', async () => {
    await expired(world, device);
    device.mood = 'silent';
    const waiting = resolve('A', world.settings.retryExpiryMs + 1000);
    await device.asked(1);
    world.clock.advance(world.settings.retryExpiryMs + 1000);
    expect((await waiting).state).toBe('retry_requested');
    expect(device.requests).toHaveLength(1);
  });

  test('another error may be asked again', async () => {
    const { bytes } = await expired(world, device);
    device.mood = 'general_error';
    await expect(resolve('A', 10_000)).rejects.toMatchObject({
      code: 'MEDIA_DOWNLOAD_FAILED',
      message: 'the phone could not upload the media again (general_error)',
      detail: { retryAfterSeconds: 5 },
    });
    expect(await states()).toEqual(['failed: general_error']);
    expect(device.requests).toHaveLength(1);
    device.mood = 'reupload';
    world.clock.advance(1);
    expect((await bytesOf(await resolve('A', 10_000))).equals(bytes)).toBe(true);
  });

  test('a new upload that is gone as well may be asked for again', async () => {
    await expired(world, device);
    device.mood = 'expired_reupload';
    await expect(resolve('A', 10_000)).rejects.toMatchObject({
      code: 'MEDIA_DOWNLOAD_FAILED',
      message: 'the media could not be downloaded though the phone uploaded it again',
    });
    await world.media.stop();
    expect(await states()).toEqual(['succeeded']);
  });

  test('looking does not ask', async () => {
    await expired(world, device);
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
