import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { expect, test } from 'vitest';

const SRC = join(import.meta.dirname, '../../src');
const ROOM = join('storage', 'sqlite') + sep;
/** Chooses what is stored in. */
const DOOR = join('storage', 'database.ts');
/** Files of other programs that move in, which may be databases of their own: read in memory, and nothing stored. */
const OTHERS = [`moving${sep}`, join('cli', 'packing.ts')];

test('nothing outside of storage/sqlite speaks of SQLite', () => {
  const speaking = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.startsWith(ROOM) && path !== DOOR)
    .filter((path) => !OTHERS.some((place) => path.startsWith(place)))
    .filter((path) => /sqlite|fts5|\bpragma\b|-wal\b/i.test(readFileSync(join(SRC, path), 'utf8')))
    .map((path) => relative('.', path));
  expect(speaking).toEqual([]);
});
