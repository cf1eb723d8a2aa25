/** The files of a message beside its first. */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { adminOf, MediaWorld, type TestDevice, type TestMedia } from './media-world.ts';
import { bytesOf } from './received.ts';

let world: MediaWorld;
let device: TestDevice;
let second: TestMedia;
let rowId: string;

beforeEach(async () => {
  world = await MediaWorld.create();
  device = await world.device(await world.tenant());
  const first = await world.upload(randomBytes(100));
  second = await world.upload(randomBytes(2000));
  rowId = await world.message(device, 'A', first.descriptor);
  world.further.set(`${rowId} 1`, second.descriptor);
  world.cdn.clearLog();
});
afterEach(() => world.close());

const resolve = (index: number, has?: (sha256: string) => boolean) =>
  world.media.resolve(adminOf(device.tenantId), { id: 'A' }, { waitMs: 0, index, ...(has && { has }) });

test('it is fetched once, and then served without a device until the next start', async () => {
  for (const online of [true, false]) {
    device.online = online;
    expect((await bytesOf(await resolve(1))).equals(second.bytes)).toBe(true);
  }
  expect(await resolve(1, () => true)).toMatchObject({ state: 'unchanged' });
  expect(world.downloads()).toHaveLength(1);
  expect((await world.db.selectFrom('media').select('blob_sha256').execute())[0]?.blob_sha256).toBeNull();
  await world.restart();
  device.online = true;
  expect((await bytesOf(await resolve(1))).equals(second.bytes)).toBe(true);
  expect(world.downloads()).toHaveLength(2);
});

test('only where there is one', async () => {
  await expect(resolve(2)).rejects.toMatchObject({ code: 'MEDIA_NOT_FOUND' });
  expect((await bytesOf(await resolve(0))).length).toBe(100);
  expect(world.downloads()).toHaveLength(1);
});

test('no phone uploads it again: lost, or broken, is gone', async () => {
  const { descriptor } = second;
  world.further.set(`${rowId} 2`, { ...descriptor, fileSha256: randomBytes(32) });
  await expect(resolve(2)).rejects.toMatchObject({ code: 'MEDIA_GONE' });
  // A hash may be missing.
  world.further.set(`${rowId} 3`, { ...descriptor, fileSha256: null, fileEncSha256: null });
  expect((await bytesOf(await resolve(3))).equals(second.bytes)).toBe(true);
  world.cdn.expire(descriptor.directPath ?? '');
  await expect(resolve(1)).rejects.toMatchObject({ code: 'MEDIA_GONE' });
  expect(device.requests).toEqual([]);
});
