import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DATABASE_FILE } from '../../src/storage/database.ts';
import { Caller } from './api-traffic.ts';
import { GatewayChild, MAIN } from './gateway-child.ts';

const ON_BAD_DISK = fileURLToPath(new URL('./gateway-on-bad-disk.ts', import.meta.url));
const MASTER_TOKEN = '4f6b1c3a-77d4-4b43-8a53-1f1c1a0f3b52-sync';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wuts-failed-sync-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function gateway(command: string[]): Promise<GatewayChild> {
  return GatewayChild.create({
    command,
    logFile: join(folder, 'gateway.log'),
    settings: {
      WUTS_DATA_DIR: join(folder, 'data'),
      WUTS_MASTER_TOKEN: MASTER_TOKEN,
      WUTS_LOG_LEVEL: 'warn',
    },
  });
}

test('a failed sync ends the gateway, and what it had acknowledged is there at the next start', async () => {
  const failing = await gateway([ON_BAD_DISK]);
  failing.spawn();
  expect(await failing.ready()).toBe(true);
  const acknowledged: string[] = [];
  const master = new Caller(failing.url, MASTER_TOKEN);
  const register = async (): Promise<boolean> => {
    const name = `tenant ${acknowledged.length}`;
    const body = { tenant_name: name, email: 'a@sync.example', password: 'a long passphrase' };
    const answer = await master.call('POST', '/register', body).catch(() => null);
    if (answer?.status !== 201) return false;
    acknowledged.push(name);
    return true;
  };
  expect(await register()).toBe(true);
  process.kill(failing.pid, 'SIGUSR2');
  while (await register());
  await failing.exited();
  expect(failing.ending).toBe('74');
  expect(await readFile(join(folder, 'gateway.log'), 'utf8')).toContain('the disk refused to keep');
  // Not carried over into the database on the way out.
  expect(existsSync(join(folder, 'data', `${DATABASE_FILE}-wal`))).toBe(true);
  await failing.close();

  const restarted = await gateway([MAIN, 'serve']);
  restarted.spawn();
  expect(await restarted.ready()).toBe(true);
  const tenants = await new Caller(restarted.url, MASTER_TOKEN).must('GET', '/tenants', 200);
  expect(JSON.stringify(tenants)).toContain(`"${acknowledged.at(-1)}"`);
  await restarted.close();
});
