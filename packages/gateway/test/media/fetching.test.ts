/** Files that are fetched from the CDN while somebody waits. */
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stopwatch } from '../../src/clock.ts';
import { SessionTimeout } from '../../src/whatsapp/port/errors.ts';
import { until } from '../worlds/until.ts';
import { adminOf, MediaWorld, type TestDevice } from './media-world.ts';
import { oddHost } from './odd-host.ts';
import { bytesOf, cached, ended, settle } from './received.ts';

let world: MediaWorld;
let tenant: string;
let device: TestDevice;

/** A host that answers when the test does. */
let odd: Awaited<ReturnType<typeof oddHost>>;
let held: ServerResponse[];

beforeEach(async () => {
  held = [];
  odd = await oddHost((_request, response) => void held.push(response));
  world = await MediaWorld.create({}, odd.caPem);
  tenant = await world.tenant();
  device = await world.device(tenant);
});

afterEach(async () => {
  await world.close();
  await odd.stop();
});

const resolve = (id: string, waitMs = 0, tenantId = tenant) =>
  world.media.resolve(adminOf(tenantId), { id }, { waitMs });

const LOST = 'media could not be fetched from the CDN';
const code = (name: string) => expect.objectContaining({ code: name });

describe('from the CDN', () => {
  test('ten at once make one download', async () => {
    const { bytes } = await cached(world, device);
    await world.media.emptyCache();
    const answers = await Promise.all(Array.from({ length: 10 }, () => resolve('A')));
    for (const answer of answers) expect((await bytesOf(answer)).equals(bytes)).toBe(true);
    expect(world.downloads()).toHaveLength(1);
  });

  test('any device of the tenant that is connected will do, and a cached copy needs none', async () => {
    const { bytes, descriptor } = await world.upload(randomBytes(1000));
    const other = await world.device(tenant);
    await world.message(other, 'A', descriptor);
    await world.message(device, 'A', descriptor);
    device.online = false;
    expect((await bytesOf(await resolve('A'))).equals(bytes)).toBe(true);
    other.online = false;
    expect((await bytesOf(await resolve('A'))).equals(bytes)).toBe(true);
    await world.media.emptyCache();
    await expect(resolve('A')).rejects.toEqual(code('DEVICE_NOT_READY'));
  });

  test.each(['corrupt', 'truncate', 'wrong hash'] as const)('%s: never served, never kept', async (fault) => {
    const { bytes, descriptor } = await world.upload(randomBytes(30_000));
    const path = descriptor.directPath ?? '';
    if (fault === 'corrupt') world.cdn.corrupt(path);
    if (fault === 'truncate') world.cdn.truncate(path, 20_000);
    const fileSha256 = fault === 'wrong hash' ? randomBytes(32) : descriptor.fileSha256;
    await world.message(device, 'A', { ...descriptor, fileSha256 });
    device.mood = 'silent';
    expect((await resolve('A')).state).toBe('retry_requested');
    expect(await world.db.selectFrom('blobs').selectAll().execute()).toEqual([]);
    expect(await readdir(join(world.dataDir, 'media', 'tmp'))).toEqual([]);
    expect(world.lines(LOST)).toMatchObject([
      { outcome: 'corrupt', detail: fault === 'wrong hash' ? 'plaintext_hash' : 'ciphertext_hash' },
    ]);
    if (fault === 'wrong hash') return;
    // Healed and the request expired: the right bytes.
    world.cdn.restore(path);
    world.clock.advance(world.settings.retryExpiryMs + 1);
    expect((await bytesOf(await resolve('A'))).equals(bytes)).toBe(true);
  });

  test('more than the cap is not taken', async () => {
    const { descriptor } = await world.upload(randomBytes(world.settings.maxBytes + 1));
    await world.message(device, 'A', { ...descriptor, fileLength: 10 });
    await expect(resolve('A')).rejects.toMatchObject({
      code: 'MEDIA_DOWNLOAD_FAILED',
      message: `the media is larger than ${world.settings.maxBytes} bytes, the most this server downloads`,
    });
  });

  test.each([
    [
      'no host',
      { hosts: [] },
      {
        code: 'MEDIA_DOWNLOAD_FAILED',
        message: 'the media could not be downloaded from WhatsApp: no media host is known',
        detail: { retryAfterSeconds: 5 },
      },
      { outcome: 'unreachable', detail: 'no media host is known' },
    ],
    [
      'no answer of WhatsApp',
      { fails: { connection: new SessionTimeout('silence') } },
      {
        code: 'WHATSAPP_TIMEOUT',
        message: 'WhatsApp did not say where its media hosts are: silence',
      },
      { outcome: 'no_hosts', detail: 'WhatsApp did not say where its media hosts are: silence' },
    ],
  ])('%s is said and logged, and another device tried', async (_what, state, error, logged) => {
    const { bytes, descriptor } = await world.upload(randomBytes(10));
    await world.message(device, 'A', descriptor);
    Object.assign(device, state);
    await expect(resolve('A')).rejects.toMatchObject(error);
    expect(world.lines(LOST)).toEqual([{ level: 30, device_id: device.id, kind: 'image', ...logged }]);
    await world.message(await world.device(tenant), 'A', descriptor);
    expect((await bytesOf(await resolve('A'))).equals(bytes)).toBe(true);
  });

  test('a fault of ours is not taken for one of WhatsApp’s', async () => {
    const { descriptor } = await world.upload(randomBytes(10));
    await world.message(device, 'A', descriptor);
    await world.message(await world.device(tenant), 'A', descriptor);
    device.fails.connection = new Error('a bug');
    await expect(resolve('A')).rejects.toThrow('a bug');
  });

  test('a closed session is 503', async () => {
    const media = await cached(world, device);
    expect(media.bytes.length).toBeGreaterThan(0);
    await world.media.emptyCache();
    device.online = false;
    await expect(resolve('A')).rejects.toEqual(code('DEVICE_NOT_READY'));
  });
});

describe('while a download is under way', () => {
  async function underWay(bytes: Buffer) {
    const { descriptor } = await world.upload(bytes);
    device.hosts = [odd.hostname];
    const ciphertext = world.cdn.object(descriptor.directPath ?? '')?.bytes;
    const rowId = await world.message(device, 'A', { ...descriptor, fileLength: null });
    return { rowId, serve: () => held.at(-1)?.writeHead(200).end(ciphertext) };
  }
  const asked = (count: number) => until('it is asked for', () => held.length === count);

  test('a caller waits for 100 s and then asks again; it goes on without him', async () => {
    const { serve } = await underWay(randomBytes(1000));
    const waiting = resolve('A');
    const isOver = ended(waiting);
    await asked(1);
    world.clock.advance(99_999);
    expect(await isOver()).toBe(false);
    world.clock.advance(1);
    await expect(waiting).rejects.toMatchObject({
      code: 'WHATSAPP_TIMEOUT',
      detail: { retryAfterSeconds: 5 },
    });
    serve();
    await until(
      'it is there',
      async () => (await world.db.selectFrom('media').select('blob_sha256').executeTakeFirst())?.blob_sha256,
    );
    await settle();
    expect(await world.media.emptyCache()).toBe(0);
    expect(held).toHaveLength(1);
  });

  test('a stop waits a second for it', async () => {
    const { serve } = await underWay(randomBytes(1000));
    const waiting = resolve('A');
    await asked(1);
    const elapsed = stopwatch();
    const stopping = world.media.stop();
    expect(await ended(stopping)()).toBe(false);
    serve();
    const answer = await waiting.catch((error: Error) => error);
    // A machine may be too slow for it to come in by then.
    if (answer instanceof Error) expect(elapsed()).toBeGreaterThan(990);
    else expect(answer.state).toBe('ready');
    await stopping;
  });

  test('a stop breaks it off then', async () => {
    await underWay(randomBytes(1000));
    const waiting = resolve('A');
    const isOver = ended(waiting);
    await asked(1);
    await world.media.stop();
    expect(await isOver()).toBe(true);
    await expect(waiting).rejects.toMatchObject({ message: expect.stringContaining('it took too long') });
  });

  test('on arrival with its bound, one who asks gets all of it', async () => {
    const bytes = randomBytes(5 * world.settings.prefetchMaxBytes);
    const { rowId, serve } = await underWay(bytes);
    world.media.prefetch(rowId);
    await asked(1);
    const waiting = resolve('A');
    await settle();
    serve();
    await asked(2);
    serve();
    expect((await bytesOf(await waiting)).equals(bytes)).toBe(true);
  });

  test('what cannot be noted is not held', async () => {
    const { serve } = await underWay(randomBytes(1000));
    const waiting = resolve('A');
    await asked(1);
    await world.db.schema.alterTable('media').renameTo('media_away').execute();
    serve();
    await expect(waiting).rejects.toThrow('no such table');
    await world.db.schema.alterTable('media_away').renameTo('media').execute();
    await settle();
    expect(await world.media.emptyCache()).toBe(0);
  });
});
