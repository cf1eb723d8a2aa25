/**
 * A number that a program on Baileys 6 has linked moves in. That version names people by their digits alone and keeps no
 * LIDs. It is no dependency of the product: npm installs it into a folder of its own, with npm's libsignal in the
 * place of the one that its manifest wants from elsewhere.
 */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { importSession } from '../../../src/cli/import.ts';
import { expectToGoOn, openSessionsIn, openTown, type Town } from './goes-on.ts';

let town: Town;
let installed: string;

beforeAll(async () => {
  installed = await mkdtemp(join(tmpdir(), 'wuts-baileys-6-'));
  await cp(join(import.meta.dirname, 'baileys-6'), installed, { recursive: true });
  await promisify(execFile)('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: installed });
  const library = pathToFileURL(join(installed, 'node_modules/baileys/lib/index.js')).href;
  town = await openTown(library);
  await town.other.end();
});
afterAll(async () => {
  await town?.destroy();
  await rm(installed, { recursive: true, force: true });
});

test('messages go on in the sessions that exist, those of LIDs under the name that they have now', async () => {
  const { ana, bia, shop } = town;
  const lids = new Map(
    [ana, bia, shop].flatMap(({ number, lid }) => {
      const digits = lid.split('@')[0] ?? '';
      return [
        [number, digits],
        [digits, digits],
      ];
    }),
  );
  const before = openSessionsIn(town.folder, (address) => {
    const [user = '', device = ''] = address.split('.');
    return lids.has(user) ? `${lids.get(user)}_1.${device}` : address;
  });
  expect(before.size).toBeGreaterThan(1);
  const lines: string[] = [];
  const { world, token, api, folder } = town;
  const input = { url: world.gateway.url, token, path: folder, name: 'moved in', force: true };
  await importSession(input, (line) => lines.push(line), { pollMs: 20, watchedMs: 100 });
  expect(lines.at(-1)).toBe('It stays connected.');
  const [device] = (await api.get('/devices')).body.devices;
  expect(device).toMatchObject({ name: 'moved in', whatsapp_jid: shop.jid, connected: true });
  await expectToGoOn(town, device.id, before);
});
