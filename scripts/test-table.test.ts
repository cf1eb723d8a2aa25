import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const TESTS = join(ROOT, 'packages/gateway/test');
/** Imports of what starts a sandbox network, itself or for a whole gateway. */
const ON_SANDBOX =
  /from '(?:@wuts\/sandbox|[./\w-]*\/(?:harness|linked-session|linked-shop|linked-process|cast|child-world)\.ts)'/;

/** The first column of the row of CONTRIBUTING.md's table whose second column begins so. */
function named(whatsapp: string): string[] {
  const lines = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8').split('\n');
  const row = lines.find((line) => line.split('|')[2]?.trim().startsWith(whatsapp));
  return [...(row?.split('|')[1] ?? '').matchAll(/`([\w/-]+)`/g)].map((match) => match[1] ?? '');
}

test('CONTRIBUTING.md names every test that runs on the sandbox', () => {
  const known = [...named('the sandbox: a whole gateway'), ...named('the sandbox for what opens a session')];
  expect(known).toContain('end-to-end');
  const found = globSync('**/*.test.ts', { cwd: TESTS }).filter((file) =>
    ON_SANDBOX.test(readFileSync(join(TESTS, file), 'utf8')),
  );
  const unnamed = found.filter((file) => {
    return !known.some((each) => file === `${each}.test.ts` || file.startsWith(`${each}/`));
  });
  expect(unnamed).toEqual([]);
});

test('CONTRIBUTING.md says of every folder of tests what it runs on', () => {
  const lines = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8').split('\n');
  const first = lines.findIndex((line) => line.startsWith('| Folder '));
  const table = lines.slice(first, lines.indexOf('', first)).map((line) => line.split('|')[1] ?? '');
  const said = new Set(table.flatMap((cell) => [...cell.matchAll(/`([\w-]+)`/g)].map((match) => match[1])));
  const folders = globSync('*/**/*.test.ts', { cwd: TESTS }).map((file) => file.split('/')[0]);
  expect([...new Set(folders)].filter((folder) => !said.has(folder))).toEqual([]);
});
