import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { until, untilReceived, World } from '../story/harness.ts';

vi.setConfig({ testTimeout: 90_000 });

let world: World;
beforeAll(async () => {
  world = await World.create();
});
afterAll(() => world?.destroy());

/** Names and contents of the data folder that hold the word, in any case. */
async function findings(word: string): Promise<string[]> {
  const entries = await readdir(world.dataDir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const found = [];
  for (const file of files) {
    if ((await readFile(file)).toString('latin1').toLowerCase().includes(word)) found.push(file);
  }
  return found;
}

test('a deleted tenant leaves nothing in the data folder, and the others lose nothing', async () => {
  const link = async (name: string, last: number) => {
    const token = await world.tenant(name);
    const phone = await world.sandbox.createPhone({ number: `55119999950${last}1`, name });
    const friend = await world.sandbox.createPhone({ number: `55119999950${last}2`, name: 'Friend' });
    await world.linkByQr(token, phone);
    return { token, phone, friend, api: world.as(token) };
  };
  const going = await link('quokkaworks', 1);
  const staying = await link('numbatworks', 2);
  const document = (word: string) => Buffer.from(`a file of ${word}`.repeat(9000)).toString('base64');
  for (const [{ api, phone, friend }, word] of [
    [going, 'quokka'],
    [staying, 'numbat'],
  ] as const) {
    const number = friend.number;
    await api.post('/send/text', { number, text: `${word} goes out` });
    await api.post('/send/document', { number, document: document(word), file_name: `${word}.txt` });
    const { id } = await friend.sendText(phone.number, `${word} comes in`);
    await untilReceived(api, id);
    const send_at = new Date(Date.now() + 3_600_000).toISOString();
    const later = await api.post('/send/document', {
      number,
      document: document(word),
      file_name: 'x',
      send_at,
    });
    expect(later.status).toBe(202);
    await until('its words can be found', async () => {
      return (await api.get(`/messages/search?q=${word}`)).body.messages?.length > 0;
    });
    const folders = (await findings(word)).map((path) => relative(world.dataDir, path).split(sep)[0]);
    expect(folders.sort()).toEqual(['blobs', 'outbox', 'wuts.db-wal']);
  }
  const { tenants } = (await world.master.get('/tenants')).body;
  const { id } = tenants.find(({ name }: { name: string }) => name === 'quokkaworks');
  const deleted = await world.master.delete(`/global/tenants/${id}`);
  expect(deleted.status).toBe(200);
  expect(await findings('quokka')).toEqual([]);
  expect((await going.api.get('/devices')).status).toBe(401);
  expect((await staying.api.get('/messages/search?q=numbat')).body.messages.length).toBeGreaterThan(0);
  expect((await findings('numbat')).length).toBeGreaterThan(1);
});
