import { randomBytes } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fc } from '../../../sandbox/test/random.ts';
import { until } from '../worlds/until.ts';
import { MediaWorld, readAll, sha256 } from './media-world.ts';

let world: MediaWorld;
let tenant: string;
beforeEach(() => create());

async function create(limits: { cachedBytesOfTenant?: number } = {}): Promise<void> {
  world = await MediaWorld.create({ cacheMaxBytes: 3000, cacheMaxAgeMs: 3_600_000, ...limits });
  tenant = await world.tenant();
}
afterEach(() => world.close());

async function admit(size: number, owner = tenant, bytes = randomBytes(size)): Promise<string> {
  const cache = world.media.cache.of(owner);
  const staged = await cache.stage();
  await staged.write(bytes);
  const file = await cache.admit(staged, sha256(bytes));
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
    (await world.media.cache.of(tenant).lookUp(hash))?.release();
  }
  // Noted a millisecond earlier, it would not be noted now.
  await until('its use is noted', async () => (await usedAt()) === begin + 60_000);
});

test('a file that is being read stays until it is read', async () => {
  const hash = await admit(1000);
  const file = await world.media.cache.of(tenant).lookUp(hash);
  const stream = file?.open();
  await world.media.emptyCache();
  expect(await stored()).toEqual([hash]);
  expect((await readAll(stream as Readable)).length).toBe(1000);
  await until('it is read', () => stream?.closed === true);
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
    const first = await admit(1000);
    world.clock.advance(1);
    const second = await admit(1000);
    await still();
    expect(await stored()).toEqual([second]);
    expect(await world.media.cache.usage(tenant)).toEqual({ used: 1000, limit: 1500 });
    expect(await world.media.cache.of(tenant).lookUp(first)).toBeNull();
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
