import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until, untilReceived, World } from '../end-to-end/harness.ts';
import { fillDevice } from './much-data.ts';

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
    const { body } = await api.post('/groups', { name: `Team ${word}`, participants: [number] });
    expect(body.group.name).toBe(`Team ${word}`);
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
  const gone = async () => (await world.master.get(`/global/tenants/${id}`)).status === 404;
  await until('it is gone', gone);
  expect(await findings('quokka')).toEqual([]);
  expect((await going.api.get('/devices')).status).toBe(401);
  expect((await staying.api.get('/messages/search?q=numbat')).body.messages.length).toBeGreaterThan(0);
  expect((await findings('numbat')).length).toBeGreaterThan(1);
});

async function rowsOf(deviceId: string): Promise<number> {
  const { db } = world.gateway.parts;
  const count = async (table: 'messages' | 'receipts') => {
    const { total } = await db
      .selectFrom(table)
      .select(({ fn }) => fn.countAll<number>().as('total'))
      .where('device_id', '=', deviceId)
      .executeTakeFirstOrThrow();
    return total;
  };
  return (await count('messages')) + (await count('receipts'));
}

test.each([
  'tenant',
  'user',
] as const)('a %s with much data goes a little at a time, and a restart goes on', async (what) => {
  const word = what === 'tenant' ? 'wombat' : 'bandicoot';
  const bystander = world.as(await world.tenant(`bystander-${what}`));
  const token = await world.tenant(`${what}-with-much`);
  const admin = world.as(token);
  const email = `much@${what}.example`;
  const body = { email, password: 'correct horse battery', role: 'user' };
  const { user } = (await admin.post('/users', body)).body;
  const phone = await world.sandbox.createPhone({
    number: what === 'tenant' ? '5511999995031' : '5511999995032',
    name: 'Much',
  });
  const device = await world.linkByQr(user.token, phone);
  await fillDevice(world.gateway, device, word);
  const stored = await rowsOf(device);
  const path = what === 'tenant' ? `/global/tenants/${user.tenant_id}` : `/users/${user.id}`;
  const api = what === 'tenant' ? world.master : admin;
  const answer = api.delete(path).catch(() => null);
  await until('it has begun', async () => (await rowsOf(device)) < stored);
  expect((await bystander.get('/devices')).status).toBe(200);
  if (what === 'tenant') expect((await world.master.get(path)).body.data.state).toBe('deleting');
  expect(await rowsOf(device)).toBeGreaterThan(0);
  await world.restartGateway();
  // A fast machine may have finished before the stop.
  const told = (await answer)?.body;
  expect(['deleting', 'deleted']).toContain(told?.state ?? told?.data?.state ?? 'deleting');
  // For everybody who calls it is gone already.
  expect((await world.as(user.token).get('/devices')).status).toBe(401);
  if (what === 'tenant') await world.tenant(`${what}-with-much`);
  else {
    const again = world.as(token);
    expect((await again.get(path)).status).toBe(404);
    expect((await again.get('/users')).body.users).toHaveLength(1);
    expect((await again.get('/devices?scope=tenant')).body.devices).toEqual([]);
    expect((await again.get(`/messages?device_id=${device}`)).status).toBe(404);
    expect((await again.post('/users', body)).status).toBe(201);
  }
  await world.gateway.parts.deletions.idle();
  expect(await rowsOf(device)).toBe(0);
  await until('the word is gone', async () => (await findings(word)).length === 0);
  if (what === 'tenant') expect((await world.master.get(path)).status).toBe(404);
});
