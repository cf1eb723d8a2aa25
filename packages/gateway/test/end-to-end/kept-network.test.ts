/** A sandbox with a data folder: what was linked to it is linked when it starts again. */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Phone, type Sandbox, startSandbox } from '@wuts/sandbox';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until, untilReceived, World } from './harness.ts';

let folder: string;
let world: World;
let token: string;
let deviceId: string;
let people: { shop: Phone; customer: Phone };
const later: Sandbox[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wuts-kept-'));
  world = await World.create({ sandbox: { dataFolder: folder } });
  people = {
    shop: await world.sandbox.createPhone({ number: '5511999987001', name: 'Shop' }),
    customer: await world.sandbox.createPhone({ number: '5511999987002', name: 'Customer' }),
  };
  token = await world.tenant('keeper');
  deviceId = await world.linkByQr(token, people.shop);
});
afterEach(async () => {
  await world.gateway.stop();
  for (const sandbox of later.splice(0)) await sandbox.stop();
  await rm(world.dataDir, { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
});

/** Ends the network, and starts it again from its folder, where clients look for it. */
async function restartNetwork(): Promise<{ sandbox: Sandbox; shop: Phone; customer: Phone }> {
  const { url, cdn } = world.sandbox;
  await world.sandbox.stop();
  const sandbox = await startSandbox({
    dataFolder: folder,
    port: Number(new URL(url).port),
    cdnPort: Number(new URL(cdn.url).port),
  });
  later.push(sandbox);
  const [shop, customer] = sandbox.phones;
  if (!shop || !customer) throw new Error('the phones are gone');
  return { sandbox, shop, customer };
}

test('the device reconnects, receives and sends without being linked anew', async () => {
  const api = world.as(token);
  const before = await people.customer.sendText(people.shop.number, 'before');
  await untilReceived(api, before.id);
  const group = await people.customer.createGroup('Orders', [people.shop]);
  const { rootKey, caPem } = world.sandbox;

  const { sandbox, shop, customer } = await restartNetwork();
  expect(sandbox).toMatchObject({ rootKey, caPem });
  await world.untilConnected(token, deviceId);

  const after = await customer.sendText(shop.number, 'after');
  await untilReceived(api, after.id);
  const answer = await api.post('/send/text', { number: customer.number, text: 'answer' });
  expect(answer.status).toBe(200);
  await customer.waitForMessage(({ id }) => id === answer.body.message_id);
  await shop.waitForMessage(({ id }) => id === answer.body.message_id);
  const inGroup = await api.post('/send/text', { number: group.jid, text: 'to all' });
  expect(inGroup.status).toBe(200);
  await customer.waitForMessage(({ id }) => id === inGroup.body.message_id);
  expect([...shop.problems, ...customer.problems]).toEqual([]);
});

test('a channel goes on with its posts, and a choice of who sees stories stays', async () => {
  const api = world.as(token);
  const { body } = await api.post('/newsletters', { name: 'Offers', description: 'What is new' });
  const channel: string = body.newsletter.id;
  const post = async (text: string) =>
    expect((await api.post(`/newsletters/${channel}/messages`, { text })).status).toBe(200);
  await post('before');
  await api.put('/status/privacy', { type: 'blacklist', list: [people.customer.number] });
  const lists = async () => (await api.get('/status/privacy')).body.lists;
  await until('the server knows who sees stories', async () => (await lists())[0].type === 'blacklist');

  await restartNetwork();
  await world.untilConnected(token, deviceId);
  await post('after');
  const read = await api.get(`/newsletters/${channel}/messages`);
  expect(read.body.messages.map(({ content }: { content: string }) => content)).toEqual(['before', 'after']);
  expect(await lists()).toMatchObject([{ type: 'blacklist', list: [people.customer.jid] }]);
});

test('what waited for a device that was away still waits for it', async () => {
  await world.gateway.stop();
  const { id } = await people.customer.sendText(people.shop.number, 'while you were away');
  await restartNetwork();
  await world.restartGateway();
  await world.untilConnected(token, deviceId);
  await untilReceived(world.as(token), id);
});

test('a companion is linked after a restart, and nobody else may read the folder', async () => {
  const { customer } = await restartNetwork();
  await world.untilConnected(token, deviceId);
  await world.linkByQr(await world.tenant('another'), customer);
  expect(await readdir(folder)).toEqual(expect.arrayContaining(['identity', 'state']));
  for (const name of ['identity', 'state']) {
    expect((await stat(join(folder, name))).mode & 0o077, name).toBe(0);
  }
});
