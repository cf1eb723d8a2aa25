import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../packages/gateway/src/config.ts';
import { createGateway } from '../packages/gateway/src/gateway.ts';

const SOURCES = join(import.meta.dirname, '../packages/gateway/src');
const page = await readFile(join(import.meta.dirname, 'operations.md'), 'utf8');

test('docs/operations.md lists every metric with what it says', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'wuts-metrics-'));
  const gateway = await createGateway(
    loadConfig({
      WUTS_PORT: '0',
      WUTS_DATA_DIR: dataDir,
      WUTS_LOG_LEVEL: 'silent',
      WUTS_NETWORK_URL: 'ws://127.0.0.1:9/ws/chat',
    }),
  );
  await gateway.start();
  try {
    const told = await (await fetch(`${gateway.url}/metrics`)).text();
    const metrics = [...told.matchAll(/^# HELP (wuts_\S+) (.+)$/gm)].map(
      ([, name, help]) => `${name}: ${help}`,
    );
    const rows = [...page.matchAll(/^\| `(wuts_\w+)` \|[^|]*\| (.+) \|$/gm)].map(
      ([, name, help]) => `${name}: ${help}`,
    );
    expect(rows.sort()).toEqual(metrics.sort());
  } finally {
    await gateway.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
});

test('the log lines that it names are written', async () => {
  const files = (await readdir(SOURCES, { recursive: true })).filter((path) => path.endsWith('.ts'));
  const sources = (await Promise.all(files.map((path) => readFile(join(SOURCES, path), 'utf8')))).join('\n');
  const lines = [...page.matchAll(/^\| (?:info|warn|error) \| `(.+?)` \|/gm)].map(([, line = '']) => line);
  expect(lines.length).toBeGreaterThan(10);
  expect(lines.filter((line) => !sources.includes(`'${line}'`))).toEqual([]);
});
