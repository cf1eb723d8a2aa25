import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ERROR_CATALOGUE } from '../packages/gateway/src/errors.ts';

const SOURCES = join(import.meta.dirname, '../packages/gateway/src');
const page = (name: string) => readFile(join(import.meta.dirname, name), 'utf8');

test('docs/errors.md lists the catalogue', async () => {
  const rows = [...(await page('errors.md')).matchAll(/^\| (\d{3}) +\| `([A-Z_]+)` +\| (.*?) +\|/gm)];
  const listed = rows.map(([, status, code, text]) => ({ code, status: Number(status), text }));
  const catalogue = Object.entries(ERROR_CATALOGUE).map(([code, entry]) => ({ code, ...entry }));
  expect(listed).toEqual(catalogue);
});

test('docs/configuration.md lists every setting', async () => {
  const settings = (text: string) => text.matchAll(/(?<!\w)(WUTS_[A-Z_]*[A-Z]|DATABASE_URL)(?!\w|_FILE)/g);
  const source = await readFile(join(SOURCES, 'config.ts'), 'utf8');
  const read = [...source.matchAll(/read\.\w+\(\s*'([A-Z_]+)'/g)].map(([, name]) => name);
  const rows = (await page('configuration.md')).split('\n').filter((line) => line.startsWith('| `'));
  const listed = rows.flatMap((row) => [...settings(row.split('|')[1] ?? '')].map(([, name]) => name));
  expect(new Set(listed)).toEqual(new Set(read));
});
