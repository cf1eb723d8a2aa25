import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importSession } from '../../../src/cli/import.ts';
import { World } from '../../end-to-end/harness.ts';
import { ALICE, changedStore, SAMPLE_STORE, unclosedStore } from '../whatsmeow/sample-store.ts';

let world: World;
let token: string;
let device: string;

beforeAll(async () => {
  world = await World.create();
  token = await world.tenant('movers');
  device = (await world.as(token).post('/devices', { name: 'moved in' })).body.device.id;
});
afterAll(() => world.destroy());

describe('a whatsmeow store that is handed in', () => {
  it('has to be told which of its devices is meant', async () => {
    const { status, body } = await handIn(SAMPLE_STORE, {});
    expect([status, body.error_code]).toEqual([409, 'IMPORT_AMBIGUOUS']);
    expect(body.sessions).toHaveLength(8);
    expect(body.sessions).toContain(ALICE);
  });

  it('is checked by the engine, which takes all of it that has a place here', async () => {
    const { status, body } = await handIn(SAMPLE_STORE, { session: ALICE, dry_run: 'true' });
    expect([status, body.error]).toEqual([200, undefined]);
    expect(body.source).toMatchObject({ format: 'whatsmeow', session: ALICE });
    expect(body.account).toEqual({
      jid: '551199990001@s.whatsapp.net',
      lid: '10000000000001@lid',
      phone_number: '551199990001',
      push_name: 'alice',
      device: 2,
    });
    expect(counts(body.taken)).toEqual({
      'pre-key': 5,
      session: 7,
      'identity-key': 7,
      'sender-key': 3,
      'app-state-sync-key': 2,
      'lid-mapping': 16,
      tctoken: 2,
    });
    expect(counts(body.not_taken)).toEqual({ 'app-state-sync-version': 1, 'message secret': 1 });
  });

  it('is sent with its log by the command', async () => {
    const folder = await unclosedStore(
      () => undefined,
      (db) => db.prepare('DELETE FROM whatsmeow_pre_keys WHERE jid = ? AND key_id > 2').run(ALICE),
    );
    try {
      const lines: string[] = [];
      const input = { url: world.gateway.url, token, path: join(folder, 'main.db'), deviceId: device };
      const options = { session: ALICE, dryRun: true, force: true };
      await importSession({ ...input, ...options }, (line) => lines.push(line));
      expect(lines.join('\n')).toContain('Taken: 2 pre-key,');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('may be what pg_dump wrote, also compressed', async () => {
    const dump = gzipSync(readFileSync(join(import.meta.dirname, '../whatsmeow/store.sql')));
    const { status, body } = await handIn(dump, { session: ALICE, dry_run: 'true' });
    expect([status, body.error]).toEqual([200, undefined]);
    expect(counts(body.taken)).toMatchObject({ session: 1, 'sender-key': 3 });
  });

  it.each([
    ['damaged', () => SAMPLE_STORE.subarray(0, 20_000), 'SESSION_MALFORMED', 'cannot be read'],
    [
      'of a version that nobody here knows',
      () => changedStore((db) => db.exec('UPDATE whatsmeow_version SET version = 99, compat = 99')),
      'SESSION_MALFORMED',
      'of version 99',
    ],
    [
      'of an account that signed another identity',
      () => withOthers('adv_account_sig'),
      'SESSION_INCONSISTENT',
      'another identity',
    ],
    [
      'of a device that did not sign',
      () => withOthers('adv_device_sig'),
      'SESSION_INCONSISTENT',
      'is not signed',
    ],
    [
      "with another device's pre-key",
      () => withOthers('signed_pre_key'),
      'SESSION_INCONSISTENT',
      'is not signed',
    ],
    [
      "with another device's identity",
      () => withOthers('identity_key'),
      'SESSION_INCONSISTENT',
      'another identity',
    ],
  ])('is refused: %s', async (_, store, code, why) => {
    const { status, body } = await handIn(store(), { session: ALICE });
    expect([status, body.error_code]).toEqual([422, code]);
    expect(body.error).toContain(why);
    expect((await world.as(token).get(`/status?device_id=${device}`)).body.data.connected).toBe(false);
  });
});

/** Alice's device with a value of another one. */
function withOthers(column: string): Buffer {
  return changedStore((db) => {
    const other = db.prepare(`SELECT ${column} FROM whatsmeow_device WHERE jid <> ?`).pluck().get(ALICE);
    db.prepare(`UPDATE whatsmeow_device SET ${column} = ? WHERE jid = ?`).run(other, ALICE);
  });
}

async function handIn(file: Uint8Array, fields: Record<string, string>) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set('file', new Blob([Buffer.from(file)]), 'main.db');
  const response = await fetch(`${world.gateway.url}/devices/${device}/import`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: form,
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

function counts(list: { what: string; count: number }[]): Record<string, number> {
  return Object.fromEntries(list.map(({ what, count }) => [what, count]));
}
