import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  createTenant,
  exportJournal,
  listTenants,
  migrate,
  rotateToken,
  showMasterToken,
} from '../../src/cli/administration.ts';
import { doctor } from '../../src/cli/doctor.ts';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import { createGateway } from '../../src/gateway.ts';
import { StoredCredentials } from '../../src/storage/credentials.ts';
import { migrations } from '../../src/storage/sqlite/migrations/index.ts';

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

const acme = { name: 'acme', email: 'boss@acme.example', password: 'correct horse battery' };
const shownToken = (): string => /token +(\S+)/.exec(lines.join('\n'))?.[1] ?? '';

it('makes tenants whose tokens a gateway accepts, also while it runs', async () => {
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
  await createTenant(env(), acme, print);
  await expect(createTenant(env(), acme, print)).rejects.toThrow(/tenant already exists/);
  await expect(createTenant(env(), { ...acme, password: 'short' }, print)).rejects.toThrow(/8 characters/);
  await expect(rotateToken(env(), 'nobody@acme.example', print)).rejects.toThrow(/no user/);
  await createTenant(env(), { ...acme, name: 'second' }, print);
  await expect(rotateToken(env(), acme.email, print)).rejects.toThrow(/several tenants/);
});

it('migrates once and shows the master token of the data folder', async () => {
  await migrate(env(), print);
  await migrate(env(), print);
  await showMasterToken(env(), print);
  const applied = `applied: ${Object.keys(migrations).join(', ')}`;
  expect(lines).toEqual([applied, 'nothing to do', expect.stringMatching(/^[0-9a-f]{64}$/)]);
});

it('finds what keeps a gateway from starting', async () => {
  expect(await doctor(env(), print)).toBe(true);
  await migrate(env(), print);
  expect(await doctor(env(), print)).toBe(true);
  await rm(join(dataDir, 'encryption.key'));
  expect(await doctor(env(), print)).toBe(false);
  expect(lines.join('\n')).toContain('encryption.key is missing');
  expect(await doctor({ ...env(), WUTS_PORT: 'x' }, print)).toBe(false);
});

it('exports what was set aside, a JSON object a line', async () => {
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
