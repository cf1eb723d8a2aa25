/** What a QR says is told while it is good for something, and is nowhere in the data folder. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AdvancingClock } from '../../src/clock.ts';
import { type Api, type Json, until, World } from '../end-to-end/harness.ts';
import { Receiver } from '../webhooks/receiver.ts';
import { problems } from './schema.ts';

const clock = new AdvancingClock();
let world: World;
let receiver: Receiver;
let api: Api;

beforeAll(async () => {
  world = await World.create({
    clock,
    sandbox: { companionRegRefresh: 'never' },
    settings: { WUTS_ALLOW_NETWORKS: '127.0.0.0/8' },
  });
  receiver = await Receiver.start();
  api = world.as(await world.tenant('sealed'));
});
afterAll(async () => {
  await world?.destroy();
  await receiver?.stop();
});

/** Files of the data folder, and what they hold. */
async function dataFolder(): Promise<Map<string, Buffer>> {
  const entries = await readdir(world.dataDir, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(await Promise.all(paths.map(async (path) => [path, await readFile(path)] as const)));
}

const told = async (): Promise<Json[]> => (await api.get('/events?event=qr.generated')).body.events;

test('a QR reaches the webhook and whoever pulls, and is not kept in clear', async () => {
  const { device } = (await api.post('/devices', { name: 'phone' })).body;
  await api.post('/webhook', {
    device_id: device.id,
    webhook_url: receiver.url,
    enabled_events: ['qr.generated'],
  });
  const { qr_code: code } = (await api.get(`/qr?device_id=${device.id}`)).body.data;
  const pushed = await until('the webhook has the QR', async () =>
    receiver.received.find(({ event }) => (event.data as Json).qr_code === code),
  );
  const event = (await told()).find(({ data }) => data.qr_code === code);
  expect(event).toEqual(pushed.event);
  expect(Object.keys(event.data)).toEqual(['qr_code', 'qr_url', 'expires_at']);
  expect(problems('qr.generated', event.data)).toEqual([]);

  // The whole of it, and each of its parts that is a secret: the reference, and the key that signs the device.
  const parts = [code, ...code.split(',')].filter((part: string) => part.length >= 20);
  expect(parts.length).toBeGreaterThan(3);
  const files = await dataFolder();
  expect([...files.values()].some((bytes) => bytes.includes('qr.generated'))).toBe(true);
  for (const [path, bytes] of files) {
    for (const part of parts) expect(bytes.includes(part), `${path} holds ${part}`).toBe(false);
  }
});

test('a QR that has expired is told without what it said, also by a delivery that comes late', async () => {
  receiver.behave = () => 500;
  const { device } = (await api.post('/devices', { name: 'another' })).body;
  await api.post('/webhook', {
    device_id: device.id,
    webhook_url: receiver.url,
    enabled_events: ['qr.generated'],
  });
  const { qr_code: code } = (await api.get(`/qr?device_id=${device.id}`)).body.data;
  const failed = await until('the first delivery has failed', async () =>
    receiver.received.find(({ event }) => (event.data as Json).qr_code === code),
  );
  receiver.behave = () => 200;
  await until('a later one has come', async () => {
    clock.advance(5 * 60_000);
    return receiver.received.find(({ event }) => event.id === failed.event.id && event !== failed.event);
  });
  const late = receiver.received.findLast(({ event }) => event.id === failed.event.id);
  const { expires_at } = failed.event.data as Json;
  expect(late?.event.data).toEqual({ qr_code: null, qr_url: null, expires_at });
  const pulled = (await told()).find(({ id }) => id === failed.event.id);
  expect(pulled.data).toEqual({ qr_code: null, qr_url: null, expires_at });
  expect(problems('qr.generated', pulled.data)).toEqual([]);
});
