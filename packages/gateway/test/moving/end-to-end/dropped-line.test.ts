/** The line of a session that has just moved in drops, or another client takes it: nothing of the session is lost. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../end-to-end/harness.ts';
import {
  archived,
  expectToGoOn,
  handIn,
  type OpenSessions,
  openSessionsIn,
  openTown,
  type Town,
} from './goes-on.ts';
import { OtherProgram, setWrittenAt } from './other-program.ts';

const HOUR = 3_600_000;

let town: Town;
let before: OpenSessions;
/** The companion, as the network names it. */
let companion: string;
let deviceId: string;

beforeAll(async () => {
  town = await openTown('baileys');
  await town.other.end();
  setWrittenAt(town.folder, Date.now() - HOUR);
  before = openSessionsIn(town.folder);
  companion = `${town.shop.number}:${town.shop.companions[0]}@s.whatsapp.net`;
});
afterAll(() => town.destroy());

test('a line that drops as soon as it is there comes back by itself, in the sessions that exist', async () => {
  const { sandbox } = town.world;
  await sandbox.waitForOffline(companion);
  const answered = handIn(town, archived(town));
  await sandbox.waitForOnline(companion);
  sandbox.faults.drop(companion);
  await sandbox.waitForOffline(companion);
  await sandbox.waitForOnline(companion);
  const answer = await answered;
  deviceId = answer.deviceId;
  expect([answer.status, answer.body.error]).toEqual([200, undefined]);
  await expectToGoOn(town, deviceId, before);
});

test('another client that takes it is told of, and after POST /connect all goes on', async () => {
  const back = new OtherProgram('baileys', town.folder, town.world.sandbox);
  try {
    await back.told('that it is open', ({ type }) => type === 'open');
    await until('the device is replaced', async () => {
      const { data } = (await town.api.get(`/status?device_id=${deviceId}`)).body;
      return data.status === 'replaced';
    });
  } finally {
    back.kill();
  }
  const { body } = await town.api.post(`/connect?device_id=${deviceId}`);
  expect(body.data.status).toBe('connected');
  await expectToGoOn(town, deviceId, before);
});
