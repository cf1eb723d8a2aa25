import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config.ts';
import { createGateway, type Gateway } from '../../src/gateway.ts';
import { createLog } from '../../src/observability/log.ts';
import { longestStop, type Step, stopSteps } from '../../src/steps.ts';
import { FolderInUse, lockFolder } from '../../src/storage/database.ts';
import { SEALED } from '../../src/storage/sealed.ts';

const MASTER = 'Zk3Vx9qLw2Rt7Yp4Nb8Hs6Df1Gj5Mc0A';

let dataDir: string;
const started: Gateway[] = [];
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'wuts-gateway-'));
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((gateway) => gateway.stop()));
  await rm(dataDir, { recursive: true, force: true });
});

async function start(more: Record<string, string> = {}): Promise<Gateway> {
  const gateway = await createGateway(
    loadConfig({
      WUTS_PORT: '0',
      WUTS_DATA_DIR: dataDir,
      WUTS_MASTER_TOKEN: MASTER,
      WUTS_LOG_LEVEL: 'silent',
      // Nothing listens there, and nothing is asked: no device is linked.
      WUTS_NETWORK_URL: 'ws://127.0.0.1:9/ws/chat',
      ...more,
    }),
  );
  started.push(gateway);
  await gateway.start();
  return gateway;
}

async function register(gateway: Gateway, name: string): Promise<string> {
  const response = await fetch(`${gateway.url}/register`, {
    method: 'POST',
    headers: { authorization: `Bearer ${MASTER}`, 'content-type': 'application/json' },
    body: JSON.stringify({ tenant_name: name, email: 'a@b.example', password: 'correct horse battery' }),
  });
  expect(response.status).toBe(201);
  return ((await response.json()) as { token: string }).token;
}

async function status(gateway: Gateway, path: string, token: string): Promise<number> {
  const response = await fetch(`${gateway.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  await response.arrayBuffer();
  return response.status;
}

it('keeps tenants, tokens and devices over a restart', async () => {
  const first = await start();
  const token = await register(first, 'acme');
  await fetch(`${first.url}/devices`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'phone' }),
  });
  await first.stop();
  const second = await start();
  const devices = await fetch(`${second.url}/devices`, { headers: { authorization: `Bearer ${token}` } });
  expect(await devices.json()).toMatchObject({ devices: [{ name: 'phone', connected: false }] });
  const metrics = await (await fetch(`${second.url}/metrics`)).text();
  expect(metrics).toContain('wuts_devices{state="new",reason="created"} 1');
  expect(metrics).toMatch(/^wuts_database_bytes [1-9]/m);
  expect(metrics).toMatch(/^wuts_database_wal_bytes \d/m);
  expect(metrics).toMatch(/^wuts_disk_free_bytes [1-9]/m);
  expect(metrics).toMatch(/^wuts_send_jobs{state="scheduled"} 0$/m);
});

it('stops within 10 s, whatever its parts do: a part that never ends is named and left behind', async () => {
  const lines: Record<string, unknown>[] = [];
  const log = createLog({
    level: 'warn',
    format: 'json',
    destination: { write: (line: string) => void lines.push(JSON.parse(line)) },
  });
  const ended: string[] = [];
  const step = (name: string, more: Partial<Step> = {}): Step => ({
    name,
    stop: () => void ended.push(name),
    ...more,
  });
  const forever = () => new Promise(() => undefined);
  let cut = false;
  await stopSteps(
    [
      step('database'),
      step('fails', { stop: () => Promise.reject(new Error('no')) }),
      [
        step('a'),
        step('hangs', {
          stop: forever,
          stopMs: 20,
          late: () => {
            cut = true;
          },
        }),
        step('b'),
      ],
      step('throws', {
        stop: () => {
          throw new Error('at once');
        },
      }),
      step('requests'),
    ],
    log,
  );
  expect(ended).toEqual(['requests', 'a', 'b', 'database']);
  expect(cut).toBe(true);
  expect(lines.map(({ step: name }) => name)).toEqual(['throws', 'hangs', 'fails']);
  expect(longestStop((await start()).steps)).toBeLessThan(10_000);
});

it('has its data folder for itself', async () => {
  await start();
  expect(() => lockFolder(dataDir, 0)).toThrow(FolderInUse);
});

it('closes kept-alive connections, lets go of the folder and ends in time', async () => {
  const gateway = await start();
  const token = await register(gateway, 'acme');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  expect((await get(agent, `${gateway.url}/users`, token)).statusCode).toBe(200);
  const begun = performance.now();
  await Promise.all([gateway.stop(), gateway.stop()]);
  expect(performance.now() - begun).toBeLessThan(10_000);
  await expect(get(agent, `${gateway.url}/users`, token)).rejects.toThrow(
    /ECONNREFUSED|ECONNRESET|socket hang up/,
  );
  agent.destroy();
  lockFolder(dataDir, 0)();
});

it('answers who waits for a QR when it stops', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const gateway = await start({ WUTS_NETWORK_URL: `ws://127.0.0.1:${port}/` });
  const token = await register(gateway, 'acme');
  const waiting = fetch(`${gateway.url}/qr`, { headers: { authorization: `Bearer ${token}` } });
  await expect
    .poll(() => gateway.parts.tenants.devicesByState())
    .toEqual([{ state: 'pairing', reason: 'waiting_for_scan', count: 1 }]);
  await gateway.stop();
  const answer = await waiting;
  expect([answer.status, await answer.json()]).toEqual([503, expect.objectContaining({ success: false })]);
  silent.close();
});

it('refuses another key than that of its first start, though no device is linked', async () => {
  const first = await start();
  await first.stop();
  const other = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
  await expect(start({ WUTS_ENCRYPTION_KEY: other })).rejects.toThrow(ConfigError);
  // The refusal has let go of the folder.
  expect((await start()).url).not.toBe('');
});

it('refuses another key for a database of before the key was checked', async () => {
  const first = await start();
  const token = await register(first, 'acme');
  expect(await status(first, '/devices', token)).toBe(200);
  const { db, vault } = first.parts;
  const made = await fetch(`${first.url}/devices`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'phone' }),
  });
  const { device } = (await made.json()) as { device: { id: string } };
  const { tenant_id } = await db.selectFrom('devices').select('tenant_id').executeTakeFirstOrThrow();
  const value = vault.seal(Buffer.from('creds'), SEALED.credentials.at({ device_id: device.id }));
  await db
    .insertInto('device_credentials')
    .values({ device_id: device.id, tenant_id, value, updated_at: 1 })
    .execute();
  await db.deleteFrom('encryption_key').execute();
  await first.stop();
  const other = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
  await expect(start({ WUTS_ENCRYPTION_KEY: other })).rejects.toThrow(ConfigError);
  await (await start()).stop();
  await expect(start({ WUTS_ENCRYPTION_KEY: other })).rejects.toThrow(ConfigError);
});

function get(agent: Agent, url: string, token: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    httpRequest(url, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
      response.resume();
      response.on('end', () => resolve(response));
    })
      .on('error', reject)
      .end();
  });
}
