import { randomBytes } from 'node:crypto';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MediaAnswer } from '../../src/media/answer.ts';
import { until } from '../worlds/until.ts';
import { adminOf, MediaWorld, readAll, sha256, type TestDevice } from './media-world.ts';

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

  test('on arrival no more is fetched than the policy says, whatever the sender said of the length', async () => {
    const most = world.settings.prefetchMaxBytes;
    for (const [id, said] of [
      ['LIAR', 1],
      ['SILENT', null],
    ] as const) {
      const { bytes, descriptor } = await world.upload(randomBytes(5 * most));
      const path = descriptor.directPath ?? '';
      world.cdn.slow(path, 2_000_000);
      world.cdn.clearLog();
      world.media.prefetch(await world.message(device, id, { ...descriptor, fileLength: said }));
      await until('it is asked for', () => world.cdn.log.length === 1);
      expect(world.cdn.log[0]?.bytes).toBeLessThan(most);
      if (said !== null) continue;
      // Who asks for it gets it, also while it is being fetched on arrival.
      world.cdn.restore(path);
      const rowId = await world.message(device, 'AGAIN', { ...descriptor, fileLength: null });
      world.media.prefetch(rowId);
      expect((await bytesOf(await resolve('AGAIN'))).equals(bytes)).toBe(true);
    }
  });

  test('a stop lets a download end, and breaks off one that takes long', async () => {
    const soon = await world.upload(randomBytes(1000));
    const never = await world.upload(randomBytes(1000));
    // A quarter of a second and 100 s for the ciphertext.
    world.cdn.slow(soon.descriptor.directPath ?? '', 4000);
    world.cdn.slow(never.descriptor.directPath ?? '', 10);
    world.media.prefetch(await world.message(device, 'SOON', soon.descriptor));
    world.media.prefetch(await world.message(device, 'NEVER', never.descriptor));
    await world.media.stop();
    const kept = await world.db.selectFrom('media').select(['message_row_id', 'blob_sha256']).execute();
    expect(kept.filter((row) => row.blob_sha256 !== null)).toHaveLength(1);
    expect((await world.db.selectFrom('blobs').select('size').execute()).map((row) => row.size)).toEqual([
      1000,
    ]);
  });

  test('a range reads only its bytes', async () => {
    const { bytes } = await cached('A');
    const answer = await resolve('A');
    if (answer.state !== 'ready') throw new Error(answer.state);
    expect((await readAll(answer.open({ start: 10, end: 19 }))).equals(bytes.subarray(10, 20))).toBe(true);
  });

  test('the same file in fifty messages is stored once, and a forward with its key is not downloaded', async () => {
    const { bytes, descriptor } = await cached('A');
    const again = await world.upload(bytes);
    for (let at = 0; at < 50; at += 1) {
      const forward = at % 2 === 0 ? descriptor : again.descriptor;
      await world.message(device, `F${at}`, { ...forward, mediaKey: Uint8Array.from(forward.mediaKey) });
    }
    for (let at = 0; at < 50; at += 1) {
      expect((await bytesOf(await resolve(`F${at}`))).equals(bytes)).toBe(true);
    }
    expect(await world.db.selectFrom('blobs').selectAll().execute()).toHaveLength(1);
    expect(world.downloads()).toHaveLength(1);
  });

  test('a file that lost bytes on disk is fetched again', async () => {
    const { bytes } = await cached('A');
    const hash = sha256(bytes);
    await writeFile(join(world.dataDir, 'media', hash.slice(0, 2), hash.slice(2, 4), hash), 'torn');
    expect((await bytesOf(await resolve('A'))).equals(bytes)).toBe(true);
    expect(world.downloads()).toHaveLength(1);
  });

  test('a caller that has the file is told so without its bytes, even when they were evicted', async () => {
    const { bytes } = await cached('A');
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
    const { bytes, descriptor } = await cached('A');
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
    await cached('A');
    await world.message(device, 'TEXT', null);
    await expect(resolve('A', 0, await world.tenant())).rejects.toEqual(code('MESSAGE_NOT_FOUND'));
    await expect(resolve('NONE')).rejects.toEqual(code('MESSAGE_NOT_FOUND'));
    await expect(resolve('TEXT')).rejects.toEqual(code('MEDIA_NOT_FOUND'));
  });
});

describe('from the CDN', () => {
  test('ten at once make one download', async () => {
    const { bytes } = await cached('A');
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
    if (fault === 'wrong hash') return;
    // Healed and the request expired: the right bytes.
    world.cdn.restore(path);
    world.clock.advance(world.settings.retryExpiryMs + 1);
    expect((await bytesOf(await resolve('A'))).equals(bytes)).toBe(true);
  });

  test('more than the cap is not taken', async () => {
    const { descriptor } = await world.upload(randomBytes(world.settings.maxBytes + 1));
    await world.message(device, 'A', { ...descriptor, fileLength: 10 });
    await expect(resolve('A')).rejects.toEqual(code('MEDIA_DOWNLOAD_FAILED'));
  });

  test('a closed session is 503', async () => {
    const media = await cached('A');
    expect(media.bytes.length).toBeGreaterThan(0);
    await world.media.emptyCache();
    device.online = false;
    await expect(resolve('A')).rejects.toEqual(code('DEVICE_NOT_READY'));
  });
});
