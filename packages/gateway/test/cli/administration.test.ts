import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createTenant,
  exportJournal,
  listTenants,
  migrate,
  rotateToken,
  showMasterToken,
} from '../../src/cli/administration.ts';
import { doctor } from '../../src/cli/doctor.ts';
import { rotateEncryptionKey } from '../../src/cli/key.ts';
import { serve } from '../../src/cli/serve.ts';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import { createGateway } from '../../src/gateway.ts';
import { StoredCredentials } from '../../src/storage/credentials.ts';
import { DATABASE_FILE } from '../../src/storage/database.ts';
import { readMigrations } from '../../src/storage/sqlite/migrations/index.ts';

const HEX_KEY = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';

let dataDir: string;
let lines: string[];
const print = (line: string): void => void lines.push(line);
const env = (): Record<string, string> => ({
  WUTS_DATA_DIR: dataDir,
  WUTS_PORT: '0',
  WUTS_LOG_LEVEL: 'silent',
  WUTS_NETWORK_URL: 'ws://127.0.0.1:9/ws/chat',
});
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'wuts-cli-'));
  lines = [];
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

/** A gateway has been started here once: nothing else makes a data folder. */
async function startedOnce(): Promise<void> {
  const gateway = await createGateway(loadConfig(env()));
  await gateway.start();
  await gateway.stop();
}

/** Answers as the host of a network does, with its clock. */
async function network(date = new Date()): Promise<{ url: string; close(): void }> {
  const server = createServer((_request, response) =>
    response.writeHead(426, { date: date.toUTCString() }).end(),
  );
  server.on('upgrade', (_request, socket) => {
    socket.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `ws://127.0.0.1:${port}/ws/chat`, close: () => server.close() };
}

const acme = { name: 'acme', email: 'boss@acme.example', password: 'correct horse battery' };
const shownToken = (): string => /token +(\S+)/.exec(lines.join('\n'))?.[1] ?? '';

it('makes tenants whose tokens a gateway accepts, also while it runs', async () => {
  await startedOnce();
  await createTenant(env(), acme, print);
  const first = shownToken();
  const gateway = await createGateway(loadConfig(env()));
  await gateway.start();
  try {
    const users = async (token: string): Promise<number> => {
      const answer = await fetch(`${gateway.url}/users`, { headers: { authorization: `Bearer ${token}` } });
      await answer.arrayBuffer();
      return answer.status;
    };
    expect(await users(first)).toBe(200);
    lines = [];
    await rotateToken(env(), 'BOSS@acme.example', print);
    expect(await users(shownToken())).toBe(200);
    lines = [];
    await createTenant(env(), { ...acme, name: 'second' }, print);
    expect(await users(shownToken())).toBe(200);
    lines = [];
    await listTenants(env(), print);
    expect(lines.map((line) => line.split('  ').at(-1))).toEqual(['acme', 'second']);
  } finally {
    await gateway.stop();
  }
});

it('says clearly what it cannot do', async () => {
  await startedOnce();
  await createTenant(env(), acme, print);
  await expect(createTenant(env(), acme, print)).rejects.toThrow(/tenant already exists/);
  await expect(createTenant(env(), { ...acme, password: 'short' }, print)).rejects.toThrow(/8 characters/);
  await expect(rotateToken(env(), 'nobody@acme.example', print)).rejects.toThrow(/no user/);
  await createTenant(env(), { ...acme, name: 'second' }, print);
  await expect(rotateToken(env(), acme.email, print)).rejects.toThrow(/several tenants/);
});

it('migrates once and shows the master token of the data folder', async () => {
  await writeFile(join(dataDir, DATABASE_FILE), '');
  await writeFile(join(dataDir, 'encryption.key'), HEX_KEY);
  await migrate(env(), print);
  await migrate(env(), print);
  await showMasterToken(env(), print);
  const applied = `applied: ${Object.keys(await readMigrations()).join(', ')}`;
  expect(lines).toEqual([applied, 'nothing to do', expect.stringMatching(/^[0-9a-f]{64}$/)]);
});

it('makes no data folder but by serving', async () => {
  const missing = { ...env(), WUTS_DATA_DIR: join(dataDir, 'mistyped') };
  const commands = [
    () => createTenant(missing, acme, print),
    () => listTenants(missing, print),
    () => migrate(missing, print),
    () => rotateToken(missing, acme.email, print),
    () => showMasterToken(missing, print),
    () => exportJournal(missing, {}, print),
    () => rotateEncryptionKey({ ...missing, WUTS_NEW_ENCRYPTION_KEY: HEX_KEY }, print),
  ];
  for (const command of commands) await expect(command()).rejects.toThrow(/mistyped holds no data/);
  await doctor(missing, print);
  expect(await readdir(dataDir)).toEqual([]);
});

it('checks the port before it makes anything', async () => {
  const taken = await network();
  const { port } = new URL(taken.url);
  const folder = join(dataDir, 'new');
  await expect(serve({ ...env(), WUTS_DATA_DIR: folder, WUTS_PORT: port })).rejects.toThrow(
    `port ${port} of 127.0.0.1 is in use`,
  );
  expect(await readdir(dataDir)).toEqual([]);
  taken.close();
});

describe('wuts doctor', () => {
  const found = () => lines.join('\n');
  let net: Awaited<ReturnType<typeof network>>;
  let sound: Record<string, string>;
  beforeEach(async () => {
    net = await network();
    sound = { ...env(), WUTS_NETWORK_URL: net.url };
  });
  afterEach(() => net.close());

  it('finds nothing wrong before the first start, nor after it', async () => {
    expect(await doctor(sound, print)).toBe(true);
    await startedOnce();
    expect(await doctor(sound, print)).toBe(true);
    expect(found()).toContain('the encryption key is the one of the database');
  });

  it('finds settings that are none, and a key that is gone', async () => {
    expect(await doctor({ ...sound, WUTS_PORT: 'x' }, print)).toBe(false);
    await startedOnce();
    await rm(join(dataDir, 'encryption.key'));
    expect(await doctor(sound, print)).toBe(false);
    expect(found()).toContain('encryption.key is missing');
  });

  it('finds a wrong key', async () => {
    await startedOnce();
    expect(await doctor({ ...sound, WUTS_ENCRYPTION_KEY: HEX_KEY }, print)).toBe(false);
    expect(found()).toContain('the encryption key is not the one this database was encrypted with');
  });

  it('finds a folder that nobody can make or write', async () => {
    const file = join(dataDir, 'file');
    await writeFile(file, '');
    for (const dir of [file, join(file, 'data')]) {
      expect(await doctor({ ...sound, WUTS_DATA_DIR: dir }, print)).toBe(false);
    }
    expect(found()).toContain('file is no folder');
  });

  it('finds a folder that is read-only, whoever asks', async () => {
    // To the one who may do anything too: nobody makes files there.
    expect(await doctor({ ...sound, WUTS_DATA_DIR: '/proc/wuts' }, print)).toBe(false);
    expect(found()).toContain('cannot be written by this user');
    await chmod(dataDir, 0o500);
    try {
      const owner = process.getuid?.() === 0;
      expect(await doctor(sound, print)).toBe(owner);
    } finally {
      await chmod(dataDir, 0o700);
    }
    expect(await readdir(dataDir)).toEqual([]);
  });

  it('tries the ffmpeg of the settings', async () => {
    const ffmpeg = join(dataDir, 'my-ffmpeg');
    await doctor({ ...sound, WUTS_FFMPEG_PATH: ffmpeg }, print);
    expect(found()).toContain(`ffmpeg not found (${ffmpeg}`);
    lines = [];
    await writeFile(ffmpeg, '#!/bin/sh\n', { mode: 0o755 });
    await doctor({ ...sound, WUTS_FFMPEG_PATH: ffmpeg }, print);
    expect(found()).toContain(`ffmpeg found (${ffmpeg})`);
  });

  it('finds a port in use, and knows a gateway that answers there', async () => {
    const { port } = new URL(net.url);
    expect(await doctor({ ...sound, WUTS_PORT: port }, print)).toBe(false);
    expect(found()).toContain(`port ${port} of 127.0.0.1 is in use`);
    const gateway = await createGateway(loadConfig(env()));
    await gateway.start();
    try {
      expect(await doctor({ ...sound, WUTS_PORT: new URL(gateway.url).port }, print)).toBe(true);
    } finally {
      await gateway.stop();
    }
  });

  it('finds a network that cannot be reached, and a clock that is off', async () => {
    expect(await doctor(env(), print)).toBe(false);
    expect(found()).toContain('127.0.0.1:9 cannot be reached (refused)');
    const late = await network(new Date(Date.now() - 3_600_000));
    expect(await doctor({ ...env(), WUTS_NETWORK_URL: late.url }, print)).toBe(false);
    expect(found()).toMatch(/the clock of this machine is 36\d\d s ahead/);
    late.close();
  });
});

it('exports what was set aside, a JSON object a line', async () => {
  await startedOnce();
  await createTenant(env(), acme, print);
  const headers = { authorization: `Bearer ${shownToken()}`, 'content-type': 'application/json' };
  lines = [];
  const gateway = await createGateway(loadConfig(env()));
  const { db, vault } = gateway.parts;
  await gateway.start();
  try {
    await fetch(`${gateway.url}/devices`, { method: 'POST', headers, body: '{"name":"shop"}' });
    const device = await db.selectFrom('devices').select(['id', 'tenant_id']).executeTakeFirstOrThrow();
    const parts = { db, vault, clock: systemClock, device: { id: device.id, tenantId: device.tenant_id } };
    const credentials = new StoredCredentials(parts);
    const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
    await credentials.write(
      [],
      [{ id: 'a|b', stanza: bytes('stanza'), plaintext: bytes('plaintext'), receivedAt: 1_000 }],
    );
    await exportJournal(env(), {}, print);
    expect(lines).toEqual([]);
    await credentials.setAside('a|b', 'RangeError');
    await exportJournal(env(), { tenant: device.tenant_id }, print);
    await exportJournal(env(), { tenant: 'another' }, print);
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        tenant_id: device.tenant_id,
        device_id: device.id,
        id: 'a|b',
        received_at: '1970-01-01T00:00:01.000Z',
        set_aside_at: expect.any(String),
        reason: 'RangeError',
        stanza: Buffer.from('stanza').toString('base64'),
        plaintext: Buffer.from('plaintext').toString('base64'),
      },
    ]);
  } finally {
    await gateway.stop();
  }
});
