/** ARCHITECTURE.md names what is there: a file that was moved would send its readers astray. */
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const PAGE = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
const SRC = join(ROOT, 'packages/gateway/src');

test('every file and folder that it names exists', () => {
  const there = globSync('{packages/*/{src,test,pages}/**,scripts/**,docs/**,packages/*}', { cwd: ROOT });
  const named = [...PAGE.matchAll(/`([\w./-]*[\w-]\/?)`/g)].flatMap((match) => match[1] ?? []);
  const paths = named.filter(
    (each) => /\.ts$|\/./.test(each) && !each.startsWith('/') && !each.includes('…'),
  );
  expect(paths.length).toBeGreaterThan(100);
  const missing = paths.filter((path) => {
    const end = `/${path.replace(/\/$/, '')}`;
    return !there.some((each) => `/${each}`.endsWith(end));
  });
  expect(missing).toEqual([]);
});

test('every file that the contract of the library names exists', () => {
  const contract = readFileSync(
    join(ROOT, 'packages/gateway/test/whatsapp/library-contract.test.ts'),
    'utf8',
  );
  const engine = globSync('whatsapp/baileys/**/*.ts', { cwd: SRC });
  const named = [...contract.matchAll(/^test\('([^:']+):/gm)].flatMap((match) => match[1]?.split(', ') ?? []);
  expect(named.length).toBeGreaterThan(10);
  const missing = named.filter(
    (name) => name.endsWith('.ts') && !engine.some((each) => each.endsWith(`/${name}`)),
  );
  expect(missing).toEqual([]);
});

test('every room is in its picture', () => {
  const picture = PAGE.slice(PAGE.indexOf('```'), PAGE.indexOf('```', PAGE.indexOf('```') + 3));
  const rooms = readdirSync(SRC, { withFileTypes: true }).filter((each) => each.isDirectory());
  expect(rooms.map(({ name }) => name).filter((name) => !picture.includes(`${name}/`))).toEqual([]);
});
