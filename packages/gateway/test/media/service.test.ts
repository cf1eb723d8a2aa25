import { randomBytes, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { counted } from '../../src/media/counted.ts';
import { SessionTimeout } from '../../src/whatsapp/port/errors.ts';
import { until } from '../worlds/until.ts';
import { type MediaDesk, openMedia } from './media-desk.ts';
import { adminOf, type MediaWorld, sha256, type TestDevice } from './media-world.ts';
import { bytesOf, cached, expired, readAll, settle } from './received.ts';

let world: MediaWorld;
let tenant: string;
let device: TestDevice;
let resolve: MediaDesk['resolve'];

beforeEach(async () => {
  ({ world, tenant, device, resolve } = await openMedia());
});

afterEach(() => world.close());

const code = (name: string) => expect.objectContaining({ code: name });

describe('from the cache', () => {
  test('what was fetched on arrival is served without the CDN', async () => {
    const { bytes, descriptor } = await world.upload(randomBytes(100_000));
    const rowId = await world.message(device, 'A', descriptor);
    world.media.prefetch(rowId);
    await until(
      'it is stored',
      async () => (await world.db.selectFrom('blobs').selectAll().execute()).length === 1,
    );
    world.cdn.clearLog();
    const answer = await resolve('A');
    expect(answer).toMatchObject({
      state: 'ready',
      sha256: sha256(bytes),
      size: bytes.length,
      kind: 'image',
    });
    expect((await bytesOf(answer)).equals(bytes)).toBe(true);
    expect(world.downloads()).toEqual([]);
    await world.media.stop();
    await settle();
    expect(await world.media.emptyCache()).toBe(0);
  });

  test('policy decides what is fetched on arrival: kind and size', async () => {
    const video = await world.upload(randomBytes(100), 'video');
    const most = world.settings.prefetchMaxBytes;
    const large = await world.upload(randomBytes(most + 1));
    const full = await world.upload(randomBytes(most));
    const small = await world.upload(randomBytes(100));
    small.descriptor.fileLength = null;
    for (const [id, media] of Object.entries({ video, large, full, small })) {
      world.media.prefetch(await world.message(device, id, media.descriptor));
    }
    const sizes = async () =>
      (await world.db.selectFrom('blobs').select('size').orderBy('size').execute()).map((row) => row.size);
    await until('two are stored', async () => (await sizes()).length === 2);
    await world.media.stop();
    expect(world.downloads()).toHaveLength(2);
    expect(await sizes()).toEqual([100, most]);
  });

  test('nothing is fetched on arrival of what is gone or unknown, or for a device that is away', async () => {
    const { rowId, descriptor } = await expired(world, device);
    device.mood = 'not_found';
    await expect(resolve('A', 10_000)).rejects.toEqual(code('MEDIA_GONE'));
    const other = await world.device(tenant);
    other.online = false;
    const away = await world.message(other, 'B', descriptor);
    world.cdn.clearLog();
    for (const row of [rowId, away, randomUUID()]) world.media.prefetch(row);
    await world.media.stop();
    expect(world.downloads()).toEqual([]);
    expect(world.lines('media could not be fetched on arrival')).toEqual([]);
  });

  test('what keeps a file from being fetched on arrival is logged', async () => {
    const { descriptor } = await world.upload(randomBytes(10));
    const rowId = await world.message(device, 'A', descriptor);
    device.fails.connection = new SessionTimeout('no answer');
    world.media.prefetch(rowId);
    await until('it is told', () => world.lines('media was not fetched on arrival').length === 1);
    expect(world.lines('media was not fetched on arrival')).toEqual([{ level: 20, outcome: 'no_hosts' }]);
    device.fails.connection = new Error('a bug');
    world.media.prefetch(rowId);
    await until('it is told', () => world.lines('media could not be fetched on arrival').length === 1);
  });

  test('on arrival no more is fetched than the policy says, whatever the sender said of the length', async () => {
    const most = world.settings.prefetchMaxBytes;
    for (const [id, said] of [
      ['LIAR', 1],
      ['SILENT', null],
    ] as const) {
      const { descriptor } = await world.upload(randomBytes(5 * most));
      const path = descriptor.directPath ?? '';
      world.cdn.slow(path, 2_000_000);
      world.cdn.clearLog();
      world.media.prefetch(await world.message(device, id, { ...descriptor, fileLength: said }));
      await until('it is asked for', () => world.cdn.log.length === 1);
      expect(world.cdn.log[0]?.bytes).toBeLessThan(most);
    }
  });

  test('a stop breaks off what takes long to come in', async () => {
    const { descriptor } = await world.upload(randomBytes(1000));
    // 100 s for the ciphertext.
    world.cdn.slow(descriptor.directPath ?? '', 10);
    world.media.prefetch(await world.message(device, 'NEVER', descriptor));
    await world.media.stop();
    expect(world.lines('media was not fetched on arrival')).toEqual([{ level: 20, outcome: 'unreachable' }]);
    expect(await world.db.selectFrom('blobs').selectAll().execute()).toEqual([]);
  });

  test('a file that is served stays until it is read, or let go', async () => {
    await cached(world, device);
    await settle();
    for (const _from of ['the cache', 'the CDN']) {
      const answer = await resolve('A');
      await settle();
      expect(await world.media.emptyCache()).toBe(1);
      if (answer.state === 'ready') answer.release();
      expect(await world.media.emptyCache()).toBe(0);
    }
  });

  test('a range reads only its bytes', async () => {
    const { bytes } = await cached(world, device);
    const answer = await resolve('A');
    if (answer.state !== 'ready') throw new Error(answer.state);
    expect((await readAll(answer.open({ start: 10, end: 19 }))).equals(bytes.subarray(10, 20))).toBe(true);
  });

  test('the same file in fifty messages is stored once, and a forward with its key is not downloaded', async () => {
    const { bytes, descriptor } = await cached(world, device);
    const again = await world.upload(bytes);
    for (let at = 0; at < 50; at += 1) {
      const forward = at % 2 === 0 ? descriptor : again.descriptor;
      const hash = at % 4 < 2 ? forward.fileSha256 : null;
      const mediaKey = Uint8Array.from(forward.mediaKey);
      await world.message(device, `F${at}`, { ...forward, mediaKey, fileSha256: hash });
    }
    for (let at = 0; at < 50; at += 1) {
      expect((await bytesOf(await resolve(`F${at}`))).equals(bytes)).toBe(true);
    }
    expect(await world.db.selectFrom('blobs').selectAll().execute()).toHaveLength(1);
    expect(world.downloads()).toHaveLength(1);
  });

  test('a file that lost bytes on disk is fetched again', async () => {
    const { bytes } = await cached(world, device);
    const hash = sha256(bytes);
    await writeFile(join(world.dataDir, 'media', hash.slice(0, 2), hash.slice(2, 4), hash), 'torn');
    expect((await bytesOf(await resolve('A'))).equals(bytes)).toBe(true);
    expect(world.downloads()).toHaveLength(1);
    const text = 'a cached file is missing or damaged; it will be fetched again';
    expect(world.lines(text)).toEqual([{ level: 40, sha256: hash }]);
    await settle();
    expect(await world.media.emptyCache()).toBe(0);
  });

  test('a caller that has the file is told so without its bytes, even when they were evicted', async () => {
    const { bytes } = await cached(world, device);
    await world.media.emptyCache();
    const hash = sha256(bytes);
    const answer = await world.media.resolve(
      adminOf(tenant),
      { id: 'A' },
      {
        waitMs: 0,
        has: (each) => each === hash,
      },
    );
    expect(answer).toEqual({ state: 'unchanged', sha256: hash });
    expect(world.downloads()).toEqual([]);
  });
});

describe('whose file it is', () => {
  test('naming the hash of another tenant’s file opens nothing', async () => {
    const { bytes, descriptor } = await cached(world, device);
    const thief = await world.device(await world.tenant());
    const own = await world.upload(randomBytes(1000));
    const claims = [
      // Everything that stands in a message but the key.
      { ...descriptor, mediaKey: randomBytes(32) },
      // The victim's plaintext hash on a file of one's own.
      { ...own.descriptor, fileSha256: descriptor.fileSha256 },
      // No path to download from, only hashes.
      { ...descriptor, mediaKey: randomBytes(32), directPath: null },
    ];
    for (const [at, claim] of claims.entries()) {
      await world.message(thief, `T${at}`, claim);
      thief.mood = 'silent';
      const answer = await resolve(`T${at}`, 0, thief.tenantId);
      expect(answer.state).toBe('retry_requested');
      const unchanged = await world.media.resolve(
        adminOf(thief.tenantId),
        { id: `T${at}` },
        {
          waitMs: 0,
          has: (each) => each === sha256(bytes),
        },
      );
      expect(unchanged.state).toBe('retry_requested');
    }
    const rows = await world.db
      .selectFrom('media')
      .select('blob_sha256')
      .where('tenant_id', '=', thief.tenantId)
      .execute();
    expect(rows.map((row) => row.blob_sha256)).toEqual([null, null, null]);
  });

  test.each([
    ['key', { mediaKey: randomBytes(32) }],
    ['plaintext', { fileSha256: randomBytes(32) }],
  ])('nor does it within the tenant, with another %s', async (_what, claim) => {
    const { descriptor } = await cached(world, device);
    device.mood = 'silent';
    await world.message(device, 'B', { ...descriptor, ...claim });
    expect((await resolve('B')).state).toBe('retry_requested');
  });

  test('a file of a channel is known by its hash alone', async () => {
    const bytes = randomBytes(500);
    const { descriptor } = await world.upload(bytes);
    const none = new Uint8Array(0);
    const plain = { ...descriptor, mediaKey: none, directPath: await world.put(bytes) };
    const rowId = await world.message(device, 'A', { ...plain, fileEncSha256: none });
    const { enc_sha256 } = await world.db.selectFrom('media').select('enc_sha256').executeTakeFirstOrThrow();
    expect(enc_sha256).toBeNull();
    await world.message(device, 'B', plain);
    for (const id of ['A', 'B']) expect((await bytesOf(await resolve(id))).equals(bytes)).toBe(true);
    // All that it has of the other's is a hash of what nobody encrypted.
    await world.message(device, 'C', { ...plain, directPath: null, fileSha256: null });
    device.mood = 'silent';
    expect((await resolve('C')).state).toBe('retry_requested');
    world.cdn.clearLog();
    world.media.prefetch(rowId);
    await world.media.stop();
    expect(world.downloads()).toEqual([]);
  });

  test('not even while the other tenant’s download is under way', async () => {
    const { descriptor } = await world.upload(randomBytes(300_000));
    world.cdn.slow(descriptor.directPath ?? '', 1_500_000);
    await world.message(device, 'A', descriptor);
    const thief = await world.device(await world.tenant());
    thief.mood = 'silent';
    await world.message(thief, 'T', { ...descriptor, mediaKey: randomBytes(32) });
    const [mine, theirs] = await Promise.all([resolve('A'), resolve('T', 0, thief.tenantId)]);
    await bytesOf(mine);
    expect(theirs.state).toBe('retry_requested');
  });

  test('a message of another tenant does not exist, and a text has no media', async () => {
    await cached(world, device);
    await world.message(device, 'TEXT', null);
    await expect(resolve('A', 0, await world.tenant())).rejects.toEqual(code('MESSAGE_NOT_FOUND'));
    await expect(resolve('NONE')).rejects.toEqual(code('MESSAGE_NOT_FOUND'));
    await expect(resolve('TEXT')).rejects.toEqual(code('MEDIA_NOT_FOUND'));
  });
});

test('what requests came to is counted', async () => {
  const counts: string[] = [];
  const media = counted(world.media, (outcome) => counts.push(outcome));
  const ask = (id: string) => media.resolve(adminOf(tenant), { id }, { waitMs: 0 });
  await cached(world, device);
  await bytesOf(await ask('A'));
  await settle();
  await expect(ask('NONE')).rejects.toEqual(code('MESSAGE_NOT_FOUND'));
  await world.media.emptyCache();
  device.fails.connection = new Error('a bug');
  await expect(ask('A')).rejects.toThrow('a bug');
  expect(counts).toEqual(['ready', 'message_not_found', 'internal_error']);
});
