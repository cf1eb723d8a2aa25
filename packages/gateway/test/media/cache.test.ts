import { randomBytes } from 'node:crypto';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fc } from '../../../sandbox/test/random.ts';
import type { CachedMedia } from '../../src/media/cache/cache.ts';
import { until } from '../worlds/until.ts';
import { MediaWorld, sha256 } from './media-world.ts';
import { readAll, settle } from './received.ts';

let world: MediaWorld;
let tenant: string;
beforeEach(() => create());

async function create(limits: { cachedBytesOfTenant?: number } = {}): Promise<void> {
  world = await MediaWorld.create({ cacheMaxBytes: 3000, cacheMaxAgeMs: 3_600_000, ...limits });
  tenant = await world.tenant();
}
afterEach(() => world.close());

/** A file that was just taken in, and is held. */
async function taken(size: number, owner = tenant, bytes = randomBytes(size)): Promise<CachedMedia> {
  const cache = world.media.cache.of(owner);
  const staged = await cache.stage();
  await staged.write(bytes);
  return cache.admit(staged, sha256(bytes));
}

async function admit(size: number, owner = tenant, bytes = randomBytes(size)): Promise<string> {
  const file = await taken(size, owner, bytes);
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
  (await world.media.cache.of(tenant).lookUp(first))?.release();
  world.clock.advance(1);
  await until('it is the last', async () => (await stored()).at(-1) === first);
  const third = await admit(1500);
  await until('two are stored', async () => (await stored()).length === 2);
  expect((await stored()).sort()).toEqual([first, third].sort());
  expect(await world.media.cache.of(tenant).lookUp(second)).toBeNull();
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
    expect(await usedAt()).toBe(begin);
    (await world.media.cache.of(tenant).lookUp(hash))?.release();
    await settle();
  }
  // Noted a millisecond earlier, it would not be noted now.
  await until('its use is noted', async () => (await usedAt()) === begin + 60_000);
});

test('a file that is being read stays until it is read', async () => {
  const hash = await admit(1000);
  const file = await world.media.cache.of(tenant).lookUp(hash);
  const stream = file?.open();
  expect(await world.media.emptyCache()).toBe(1);
  expect(await stored()).toEqual([hash]);
  expect((await readAll(stream as Readable)).length).toBe(1000);
  await until('it is read', () => stream?.closed === true);
  expect(await world.media.emptyCache()).toBe(0);
  expect(await stored()).toEqual([]);
});

test('those that are being read are passed over, however old', async () => {
  const read = await admit(10);
  const file = await world.media.cache.of(tenant).lookUp(read);
  world.clock.advance(1);
  await admit(20);
  world.clock.advance(3_600_001);
  const young = await admit(30);
  await world.media.evict();
  expect(await stored()).toEqual([read, young]);
  file?.release();
  await world.media.evict();
  expect(await stored()).toEqual([young]);
});

test('a use that could not be noted is logged, and the file served', async () => {
  const hash = await admit(10);
  const other = await world.tenant();
  await world.db.schema.alterTable('tenants').renameTo('away').execute();
  const file = await world.media.cache.of(other).lookUp(hash);
  expect(file?.size).toBe(10);
  const text = 'the use of a cached file could not be noted';
  await until('it is logged', () => world.lines(text).length === 1);
  await world.db.schema.alterTable('away').renameTo('tenants').execute();
});

test('what could not be taken in is neither held nor charged', async () => {
  const cache = world.media.cache.of(tenant);
  const bytes = randomBytes(10);
  const staged = await cache.stage();
  await staged.write(bytes);
  await staged.discard();
  await expect(cache.admit(staged, sha256(bytes))).rejects.toThrow();
  expect(await world.media.cache.usage(tenant)).toEqual({ used: 0, limit: 3000 });
  await admit(10, tenant, bytes);
  expect(await world.media.emptyCache()).toBe(0);
});

test('a start removes half-written files and files without a row', async () => {
  const hash = await admit(10);
  const root = join(world.dataDir, 'media');
  const stray = sha256(Buffer.from('stray'));
  await mkdir(join(root, stray.slice(0, 2), stray.slice(2, 4)), { recursive: true });
  await writeFile(join(root, stray.slice(0, 2), stray.slice(2, 4), stray), 'stray');
  await mkdir(join(root, 'tmp'), { recursive: true });
  await writeFile(join(root, 'tmp', 'half'), 'half');
  const { path } = await world.scratch.folder();
  await world.restart();
  await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await readdir(root)).not.toContain('tmp');
  expect(await readdir(join(root, stray.slice(0, 2), stray.slice(2, 4)))).toEqual([]);
  expect((await world.media.cache.of(tenant).lookUp(hash))?.size).toBe(10);
});

describe('tenants share the cache', () => {
  const used = async (owner: string) => (await world.media.cache.usage(owner)).used;
  const still = () => world.media.evict();

  test('one that is over its share loses its own, however long ago others used theirs', async () => {
    const small = await world.tenant();
    const theirs = await admit(1400, small);
    for (let count = 0; count < 6; count += 1) {
      world.clock.advance(120_000);
      await admit(700);
      await still();
    }
    expect([await used(small), await used(tenant)]).toEqual([1400, 1400]);
    expect((await world.media.cache.of(small).lookUp(theirs))?.size).toBe(1400);
  });

  test('a quota of one is kept while the cache has room', async () => {
    await world.close();
    await create({ cachedBytesOfTenant: 1500 });
    const other = await world.tenant();
    const theirs = await admit(900, other);
    const first = await admit(1000);
    world.clock.advance(1);
    const second = await admit(600);
    await until('it is kept', async () => (await used(tenant)) === 600);
    await still();
    expect(await stored()).toEqual([theirs, second]);
    expect(await world.media.cache.usage(tenant)).toEqual({ used: 600, limit: 1500 });
    expect(await world.media.cache.of(tenant).lookUp(first)).toBeNull();
    // Also where a file comes to be charged because it is used.
    world.clock.advance(1);
    const third = await admit(700, other);
    await until('it is kept', async () => (await used(other)) === 700);
    (await world.media.cache.of(tenant).lookUp(third))?.release();
    await until('it is charged', async () => (await used(tenant)) === 1300);
    world.clock.advance(1);
    const fourth = await admit(300, other);
    (await world.media.cache.of(tenant).lookUp(fourth))?.release();
    await until('it is kept', async () => (await used(tenant)) === 1000);
    expect((await world.media.cache.of(tenant).lookUp(third))?.size).toBe(700);
  });

  test('a quota is kept as soon as the files are read no more', async () => {
    await world.close();
    await create({ cachedBytesOfTenant: 1500 });
    const [first, second, third] = [await taken(700), await taken(700), await taken(700)];
    await still();
    expect(await used(tenant)).toBe(2100);
    first.release();
    second.release();
    await still();
    expect(await used(tenant)).toBe(1400);
    expect(await stored()).toContain(third.sha256);
  });

  /** Brings files of these sizes, each a moment after the last. */
  async function bring(owner: string, ...sizes: number[]): Promise<void> {
    for (const size of sizes) {
      world.clock.advance(1);
      await admit(size, owner);
    }
  }

  test('one that brings files and has no more than its share loses none', async () => {
    const [brings, has, left] = [tenant, await world.tenant(), await world.tenant()];
    world.clock.advance(1);
    const gone = await admit(10, left);
    await world.media.cache.drop(left, gone);
    await bring(brings, 800);
    await bring(has, 800, 800);
    // Just its half: who has nothing any more has no share.
    await bring(brings, 700);
    await until('there is room', async () => (await used(has)) === 800);
    await still();
    expect([await used(brings), await used(has)]).toEqual([1500, 800]);
  });

  test('one that brings more than its share loses its own, though another has more', async () => {
    const [brings, has, small] = [tenant, await world.tenant(), await world.tenant()];
    await bring(brings, 300);
    await bring(has, 1500);
    await bring(small, 300);
    await bring(brings, 1100);
    await until('there is room', async () => (await used(brings)) === 1100);
    await still();
    expect([await used(brings), await used(has), await used(small)]).toEqual([1100, 1500, 300]);
    // Who brought something before counts no more.
    await bring(small, 400);
    await until('there is room', async () => (await used(has)) === 0);
    await still();
    expect([await used(brings), await used(small)]).toEqual([1100, 700]);
  });

  test('what belongs to nobody goes when there is no room', async () => {
    world.clock.advance(1);
    await admit(2000, 'nobody');
    world.clock.advance(1);
    const second = await admit(2000, 'nobody');
    await until('there is room', async () => (await stored()).length === 1);
    expect(await stored()).toEqual([second]);
    await world.db.updateTable('tenants').set({ deleting_at: 1 }).where('id', '=', tenant).execute();
    await admit(100);
    expect([await used('nobody'), await used(tenant)]).toEqual([0, 0]);
  });

  test('who has lost its files in another way is passed over', async () => {
    const ghost = await world.tenant();
    await bring(ghost, 1600);
    await world.db.deleteFrom('cached_files').where('tenant_id', '=', ghost).execute();
    await bring(tenant, 1500);
    await still();
    expect(await used(ghost)).toBe(0);
  });

  test('a file counts once however often it is taken in, and once for each who has it', async () => {
    const other = await world.tenant();
    const bytes = randomBytes(1600);
    for (const owner of [tenant, tenant, other, other]) await admit(1600, owner, bytes);
    await still();
    expect([await used(tenant), await used(other)]).toEqual([1600, 1600]);
    await world.media.cache.drop(tenant, sha256(Buffer.from('none')));
    await world.media.cache.drop(await world.tenant(), sha256(bytes));
    expect([await used(tenant), await used(other)]).toEqual([1600, 1600]);
    await bring(other, 1000);
    await still();
    expect([await used(tenant), await used(other)]).toEqual([1600, 2600]);
  });

  test('what could not be counted is counted later', async () => {
    await admit(300);
    await world.db.schema.alterTable('blobs').renameTo('blobs_away').execute();
    await world.restart().catch(() => undefined);
    await expect(world.media.cache.usage(tenant)).rejects.toThrow('no such table');
    await world.db.schema.alterTable('blobs_away').renameTo('blobs').execute();
    expect(await used(tenant)).toBe(300);
  });

  test('a file of two stays until neither has it, and is charged to whoever uses it', async () => {
    const other = await world.tenant();
    const bytes = randomBytes(500);
    const shared = await admit(500, tenant, bytes);
    await admit(500, other, bytes);
    expect([await used(tenant), await used(other)]).toEqual([500, 500]);
    await world.media.cache.drop(tenant, shared);
    expect([await used(tenant), await used(other)]).toEqual([0, 500]);
    (await world.media.cache.of(tenant).lookUp(shared))?.release();
    await until('one is gone', async () => (await used(tenant)) === 500);
    await world.media.cache.drop(tenant, shared);
    await world.media.cache.drop(other, shared);
    expect(await stored()).toEqual([]);
  });

  test('what is charged is the same after a restart', async () => {
    const other = await world.tenant();
    await admit(300);
    await admit(400, other);
    await world.restart();
    expect([await used(tenant), await used(other)]).toEqual([300, 400]);
  });

  test('and what is there in all', async () => {
    const other = await world.tenant();
    await bring(tenant, 1400);
    await bring(other, 1500);
    await world.restart();
    await bring(tenant, 200);
    await still();
    expect([await used(tenant), await used(other)]).toEqual([200, 1500]);
  });

  test('whoever downloads what, nobody with no more than a share loses any of it', async () => {
    const owners = [tenant, await world.tenant(), await world.tenant()];
    const share = 3000 / owners.length;
    const step = fc.record({
      owner: fc.nat(owners.length - 1),
      size: fc.integer({ min: 50, max: 900 }),
      content: fc.nat(9),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 40 }), async (steps) => {
        await world.media.emptyCache();
        for (const { owner, size, content } of steps) {
          const before = await Promise.all(owners.map(used));
          world.clock.advance(1);
          await admit(size, owners[owner], Buffer.alloc(size, content));
          await still();
          const after = await Promise.all(owners.map(used));
          for (const [index, bytes] of after.entries()) {
            // Whoever loses a file for another one had more than an equal share.
            const had = before[index] ?? 0;
            if (index !== owner && bytes < had) expect(had).toBeGreaterThan(share);
          }
          const { total } = await world.db
            .selectFrom('blobs')
            .select(({ fn }) => fn.sum<number>('size').as('total'))
            .executeTakeFirstOrThrow();
          expect(total).toBeLessThanOrEqual(3000);
        }
      }),
      { numRuns: 10 },
    );
  });
});
