/** A number that a program on Baileys 7 has linked moves in, by the folder of files that the library itself wrote. */
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { importSession } from '../../../src/cli/import.ts';
import { until } from '../../end-to-end/harness.ts';
import { archived, expectToGoOn, handIn, openSessionsIn, openTown, type Town } from './goes-on.ts';
import { OtherProgram, setWrittenAt } from './other-program.ts';

let town: Town;
let deviceId: string;

beforeAll(async () => {
  town = await openTown('baileys');
  await town.other.end();
});
afterAll(() => town.destroy());

async function byCommand(options: {
  dryRun?: boolean;
  force?: boolean;
  deviceId?: string;
}): Promise<string[]> {
  const lines: string[] = [];
  const { world, token, folder } = town;
  const input = { url: world.gateway.url, token, path: folder, ...options };
  await importSession(input, (line) => lines.push(line), { pollMs: 20, watchedMs: 60 });
  return lines;
}

test('a folder that was written to a moment ago is refused', async () => {
  setWrittenAt(town.folder, Date.now());
  await expect(byCommand({})).rejects.toThrow(/409.*stop the program that holds it/);
  expect((await town.api.get('/devices')).body.devices).toEqual([]);
});

test('a dry run says what would be taken, and leaves nothing', async () => {
  const lines = await byCommand({ dryRun: true, force: true });
  expect(lines[0]).toBe("Baileys' multi-file auth state (6 or 7): a folder with creds.json (.)");
  expect(lines[1]).toBe(`Account ${town.shop.number}, linked device ${town.shop.companions[0]}`);
  expect(lines[2]).toMatch(
    /^Taken: \d+ pre-key, \d+ session, \d+ identity-key, 2 sender-key, 1 sender-key-memory, /,
  );
  expect(lines.at(-1)).toBe('Nothing was changed: this was a dry run.');
  expect((await town.api.get('/devices')).body.devices).toEqual([]);
});

test('what breaks off in the middle has changed nothing', async () => {
  const { db } = town.world.gateway.parts;
  await sql`create trigger full before insert on signal_keys when new.type = 'lid-mapping'
    begin select raise(abort, 'no room'); end`.execute(db);
  const broken = await handIn(town, archived(town));
  expect(broken.status).toBeGreaterThanOrEqual(500);
  for (const table of ['signal_keys', 'device_credentials'] as const) {
    expect(await db.selectFrom(table).selectAll().execute()).toEqual([]);
  }
  const { body } = await town.api.get(`/status?device_id=${broken.deviceId}`);
  expect(body.data).toMatchObject({ status: 'new', jid: null, is_logged_in: false });
  await sql`drop trigger full`.execute(db);
});

test('messages go on in the sessions that exist', async () => {
  const before = openSessionsIn(town.folder);
  expect(before.size).toBeGreaterThan(1);
  const answer = await handIn(town, archived(town));
  deviceId = answer.deviceId;
  expect([answer.status, answer.body.error]).toEqual([200, undefined]);
  expect(answer.body).toMatchObject({
    source: { format: 'baileys', session: '.' },
    account: { jid: town.shop.jid, lid: town.shop.lid, phone_number: town.shop.number, push_name: 'Shop' },
    status: 'connected',
    hint: null,
  });
  await expectToGoOn(town, deviceId, before);
});

test('what the account keeps for all its devices is known', async () => {
  await until('the pin is known', async () => {
    const { body } = await town.api.get(`/chats/${town.ana.jid}?device_id=${deviceId}`);
    return body.chat?.pinned === true || body.pinned === true;
  });
});

test('it moves in once: not into a device that is linked, nor into another one, whosever it is', async () => {
  const again = await handIn(town, archived(town), { deviceId });
  expect([again.status, again.body.error_code]).toEqual([409, 'ALREADY_CONNECTED']);
  const other = await handIn(town, archived(town));
  expect(other.body).toMatchObject({ error_code: 'SESSION_HELD_HERE', device_ids: [deviceId] });
  const token = await town.world.tenant('strangers');
  const strange = await handIn({ ...town, token, api: town.world.as(token) }, archived(town));
  expect(strange.body.error_code).toBe('SESSION_HELD_HERE');
  expect(strange.bytes.toString()).not.toContain(deviceId);
});

test('when the other program comes back, the status says so, and what to do', async () => {
  const back = new OtherProgram('baileys', town.folder, town.world.sandbox);
  try {
    await back.told('that it is open', ({ type }) => type === 'open');
    const status = await until('the device is replaced', async () => {
      const { data } = (await town.api.get(`/status?device_id=${deviceId}`)).body;
      return data.status === 'replaced' && data;
    });
    expect(status.hint).toMatch(/stop that one, then POST \/connect/);
  } finally {
    back.kill();
  }
  const { body } = await town.api.post(`/connect?device_id=${deviceId}`);
  expect(body.data.status).toBe('connected');
});
