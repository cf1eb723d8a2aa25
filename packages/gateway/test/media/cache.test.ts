import { randomBytes } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MediaWorld, readAll, sha256, until } from './media-world.ts';

let world: MediaWorld;
beforeEach(async () => {
  world = await MediaWorld.create({ cacheMaxBytes: 3000, cacheMaxAgeMs: 3_600_000 });
});
afterEach(() => world.close());

async function admit(size: number): Promise<string> {
  const bytes = randomBytes(size);
  const staged = await world.media.cache.stage();
  await staged.write(bytes);
  const file = await world.media.cache.admit(staged, sha256(bytes));
  file.release();
  return file.sha256;
}

const stored = async () =>
  (await world.db.selectFrom('blobs').select('sha256').orderBy('last_used_at').execute()).map(
    (row) => row.sha256,
  );

test('the least recently used go first when the cache grows over its size', async () => {
  const first = await admit(1000);
  world.clock.advance(120_000);
  const second = await admit(1000);
  world.clock.advance(120_000);
  (await world.media.cache.lookUp(first))?.release();
  world.clock.advance(1);
  await until(async () => (await stored()).at(-1) === first);
  const third = await admit(1500);
  await until(async () => (await stored()).length === 2);
  expect((await stored()).sort()).toEqual([first, third].sort());
  expect(await world.media.cache.lookUp(second)).toBeNull();
});

test('what nobody used for the age limit goes', async () => {
  const old = await admit(10);
  world.clock.advance(3_600_000);
  const young = await admit(10);
  await world.media.evict();
  expect(await stored()).toEqual([old, young]);
  world.clock.advance(1);
  await world.media.evict();
  expect(await stored()).toEqual([young]);
});

test('what just fills the cache stays', async () => {
  const first = await admit(1000);
  world.clock.advance(1);
  const second = await admit(2000);
  await world.media.evict();
  expect(await stored()).toEqual([first, second]);
});

test('that a file was used is noted once a minute', async () => {
  const hash = await admit(10);
  const usedAt = async () =>
    (await world.db.selectFrom('blobs').select('last_used_at').executeTakeFirstOrThrow()).last_used_at;
  const begin = await usedAt();
  for (const ms of [59_999, 1]) {
    world.clock.advance(ms);
    (await world.media.cache.lookUp(hash))?.release();
  }
  // Noted a millisecond earlier, it would not be noted now.
  await until(async () => (await usedAt()) === begin + 60_000);
});

test('a file that is being read stays until it is read', async () => {
  const hash = await admit(1000);
  const file = await world.media.cache.lookUp(hash);
  const stream = file?.open();
  await world.media.emptyCache();
  expect(await stored()).toEqual([hash]);
  expect((await readAll(stream as Readable)).length).toBe(1000);
  await until(() => stream?.closed === true);
  await world.media.emptyCache();
  expect(await stored()).toEqual([]);
});

test('a start removes half-written files and files without a row', async () => {
  const hash = await admit(10);
  const root = join(world.dataDir, 'media');
  const stray = sha256(Buffer.from('stray'));
  await mkdir(join(root, stray.slice(0, 2), stray.slice(2, 4)), { recursive: true });
  await writeFile(join(root, stray.slice(0, 2), stray.slice(2, 4), stray), 'stray');
  await mkdir(join(root, 'tmp'), { recursive: true });
  await writeFile(join(root, 'tmp', 'half'), 'half');
  await world.restart();
  expect(await readdir(root)).not.toContain('tmp');
  expect(await readdir(join(root, stray.slice(0, 2), stray.slice(2, 4)))).toEqual([]);
  expect((await world.media.cache.lookUp(hash))?.size).toBe(10);
});
