/** A number that a program on Baileys 7 has linked moves in, by the folder of files that the library itself wrote. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { archived, expectToGoOn, handIn, openSessionsIn, openTown, type Town } from './goes-on.ts';

vi.setConfig({ testTimeout: 90_000, hookTimeout: 120_000 });

let town: Town;

beforeAll(async () => {
  town = await openTown('baileys');
  await town.other.end();
});
afterAll(() => town.destroy());

test('messages go on in the sessions that exist', async () => {
  const before = openSessionsIn(town.folder);
  expect(before.size).toBeGreaterThan(1);
  const { status, body, deviceId } = await handIn(town, archived(town));
  expect([status, body.error]).toEqual([200, undefined]);
  console.log(JSON.stringify(body, null, 1));
  await expectToGoOn(town, deviceId, before);
});
