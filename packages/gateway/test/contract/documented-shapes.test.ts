/** The running answers, held against the shapes of the public documentation. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ask } from './ask.ts';
import { Cast } from './cast.ts';
import { DOCUMENTED } from './documented-shapes.ts';
import { operationsOf, readDocument } from './operations.ts';
import { goodRequest } from './requests.ts';
import { differences } from './shape.ts';

const cast = await Cast.create();
const operations = operationsOf(await readDocument(cast.world.gateway.url));
afterAll(() => cast.destroy());

/** Bytes, and text. */
const NO_JSON = ['getMessageMedia', '(metrics)'];

test('every documented operation that is done has its shape here', async () => {
  const page = await readFile(join(import.meta.dirname, '../../../../docs/compatibility.md'), 'utf8');
  const [documented = ''] = page.split('\n## Ours');
  const done = [...documented.matchAll(/^\| (\S+) +\|.*\*\*done\*\*/gm)].map(([, name]) => name);
  expect(Object.keys(DOCUMENTED).sort()).toEqual(done.filter((name) => !NO_JSON.includes(name ?? '')).sort());
});

describe('answers as documented', () => {
  test.each(
    operations.flatMap((operation) => {
      const shape = DOCUMENTED[operation.id];
      return shape === undefined ? [] : [[operation.id, operation, shape] as const];
    }),
  )('%s', async (_id, operation, shape) => {
    const answer = await ask(cast, operation, goodRequest(operation));
    expect(answer.status, answer.text.slice(0, 600)).toBeLessThan(300);
    expect(differences(shape, answer.body)).toEqual([]);
  });
});
