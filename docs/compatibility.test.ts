import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { World } from '../packages/gateway/test/end-to-end/harness.ts';

interface Row {
  tag: string;
  operation: string;
  method: string;
  /** As OpenAPI writes it. */
  path: string;
}

/** How many operations each tag of the public documentation has. */
const DOCUMENTED: Record<string, number> = {
  calls: 1,
  chats: 9,
  contacts: 9,
  groups: 17,
  instances: 13,
  messages: 28,
  newsletters: 9,
  payments: 4,
  platform: 1,
  proxy: 6,
  status: 4,
  'users-and-admin': 10,
  webhooks: 5,
};

let page: string;
let world: World;
/** `GET /path` → operationId, of the running gateway. */
const served = new Map<string, string>();

beforeAll(async () => {
  page = await readFile(join(import.meta.dirname, 'compatibility.md'), 'utf8');
  world = await World.create();
  const { body } = await world.as(null).get('/openapi.json');
  for (const [path, item] of Object.entries(body.paths as Record<string, Record<string, unknown>>)) {
    for (const [method, operation] of Object.entries(item)) {
      served.set(`${method.toUpperCase()} ${path}`, (operation as { operationId: string }).operationId);
    }
  }
});
afterAll(() => world?.destroy());

const section = (title: string) => page.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';

function rowsOf(tag: string): Row[] {
  const pattern = /^\| (\S.*?) +\| `([A-Z]+) (\S+)` +\| .*? +\| \*\*done\*\*[^|]*\|$/gm;
  return [...section(tag).matchAll(pattern)].map(([, operation = '', method = '', path = '']) => {
    return { tag, operation, method, path };
  });
}

const rows = () => Object.keys(DOCUMENTED).flatMap(rowsOf);
const ours = () => [...section('Ours').matchAll(/^\| (\w+) +\| `([A-Z]+) (\S+)` +\|/gm)];

describe('docs/compatibility.md', () => {
  test.each(Object.entries(DOCUMENTED))('has a row for each operation of %s', (tag, count) => {
    expect(rowsOf(tag)).toHaveLength(count);
  });

  test('everything is done and served, under the documented operationId', () => {
    const missing = rows().filter((row) => {
      const operationId = served.get(`${row.method} ${row.path}`);
      return operationId === undefined || (!row.operation.startsWith('(') && operationId !== row.operation);
    });
    expect(missing).toEqual([]);
  });

  test('everything served is on it', () => {
    const known = new Set([
      ...rows().map((row) => `${row.method} ${row.path}`),
      ...ours().map(([, , method, path]) => `${method} ${path}`),
    ]);
    const unlisted = [...served.keys()].filter((route) => {
      // HEAD comes with its GET.
      return !known.has(route) && !known.has(route.replace(/^HEAD /, 'GET '));
    });
    expect(unlisted).toEqual([]);
    const gone = ours().filter(([, name, method, path]) => served.get(`${method} ${path}`) !== name);
    expect(gone.map(([line]) => line)).toEqual([]);
  });
});
