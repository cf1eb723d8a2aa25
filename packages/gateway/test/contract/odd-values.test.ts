/**
 * What no value can be is refused alike, wherever it stands in a path or query, with the name of the parameter. Walks
 * the OpenAPI document.
 */
import { afterAll, expect, test } from 'vitest';
import { LONGEST_TEXT } from '../../src/api/request/bounds.ts';
import { expectRefused } from '../bad-input/linked-shop.ts';
import { ask } from './ask.ts';
import { Cast } from './cast.ts';
import { type Operation, operationsOf, readDocument } from './operations.ts';
import { type GeneratedRequest, goodRequest } from './requests.ts';

const cast = await Cast.create();
const operations = operationsOf(await readDocument(cast.world.gateway.url));
afterAll(() => cast.destroy());

const TOO_LONG = 'A'.repeat(LONGEST_TEXT + 1);

/** Stories have words of their own for it. */
const codeOf = ({ path }: Operation) =>
  /^\/(status\/|stories(\/|$))/.test(path) ? 'INVALID_REQUEST' : 'VALIDATION_ERROR';

async function expectNamed(operation: Operation, odd: Partial<GeneratedRequest>, field: string) {
  const answer = await ask(cast, operation, { ...goodRequest(operation), ...odd });
  expect(answer.status, `${operation.id} ${field}`).toBe(400);
  if (operation.method === 'HEAD') return;
  expectRefused(answer, { status: 400, code: codeOf(operation) });
  // Of a list, the item is named.
  const [named] = answer.body.validation.map((each: { field: string }) => each.field.split('.')[0]);
  expect(named, operation.id).toBe(field);
}

test('as a body', async () => {
  const asked = operations.filter(({ body }) => body !== null);
  expect(asked.length).toBeGreaterThan(80);
  const type = 'application/json';
  for (const operation of asked) {
    for (const json of [[{}], 'A', 1, true]) {
      await expectNamed(operation, { body: { type, json } }, 'body');
    }
    // Those of no member are an empty body, whose missing members are named.
    for (const json of [null, []]) {
      const answer = await ask(cast, operation, { ...goodRequest(operation), body: { type, json } });
      expect(answer.text, operation.id).not.toContain('must be a JSON object');
      expect(answer.status, `${operation.id} ${answer.text}`).not.toBe(500);
    }
  }
});

test('in a path', async () => {
  const named = operations.filter(({ pathParameters }) => pathParameters.length > 0);
  expect(named.length).toBeGreaterThan(50);
  for (const operation of named) {
    for (const [at, name] of operation.pathParameters.entries()) {
      for (const value of ['a%00b', TOO_LONG]) {
        const segments = goodRequest(operation).segments.with(at, value);
        await expectNamed(operation, { segments }, name);
      }
    }
  }
});

test('in a query', async () => {
  const asked = operations.filter(({ query }) => query.length > 0);
  expect(asked.length).toBeGreaterThan(100);
  for (const operation of asked) {
    const good = goodRequest(operation).query;
    for (const { name, schema } of operation.query) {
      const others = good.filter(([other]) => other !== name);
      const odd = [['a%00b'], [TOO_LONG], ...(schema.type === 'array' ? [] : [['1', '2']])];
      for (const values of odd) {
        const query = [...others, ...values.map((value): [string, string] => [name, value])];
        await expectNamed(operation, { query }, name);
      }
    }
  }
});

test('what is given twice alike counts once', async () => {
  const operation = operations.find(({ id }) => id === 'listSendJobs');
  if (!operation) throw new Error('no such operation');
  const query: [string, string][] = Array(2).fill(['limit', '2']);
  expect((await ask(cast, operation, { ...goodRequest(operation), query })).status).toBe(200);
});
