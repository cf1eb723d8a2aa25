/** Every list and text that a request may carry has a documented bound. Walks the OpenAPI document. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bounded } from '../../src/api/request/bounds.ts';
import { type Json, World } from '../end-to-end/harness.ts';
import { type Operation, operationsOf, readDocument } from './operations.ts';

let world: World;
let operations: Operation[];
beforeAll(async () => {
  world = await World.create();
  operations = operationsOf(await readDocument(world.gateway.url));
});
afterAll(() => world?.destroy());

/** Where a bound is missing. */
function unbounded(schema: Json, place: string): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const missing: string[] = [];
  if (schema.type === 'string' && !schema.enum && schema.const === undefined && !(schema.maxLength > 0)) {
    missing.push(`${place}: maxLength`);
  }
  if (schema.type === 'array' && !(schema.maxItems > 0)) missing.push(`${place}: maxItems`);
  const map = schema.patternProperties ?? (typeof schema.additionalProperties === 'object' || undefined);
  if (map && !(schema.maxProperties > 0)) missing.push(`${place}: maxProperties`);
  const inside: [string, Json][] = [
    ...Object.entries<Json>(schema.properties ?? {}),
    ...Object.entries<Json>(schema.patternProperties ?? {}),
    ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].map((each: Json): [string, Json] => ['|', each]),
    ['[]', schema.items],
  ];
  return [...missing, ...inside.flatMap(([name, each]) => unbounded(each, `${place}.${name}`))];
}

test('bodies, queries and headers', () => {
  expect(operations.length).toBeGreaterThan(50);
  const missing = operations.flatMap((operation) => [
    ...unbounded(operation.body, operation.id),
    ...[...operation.query, ...operation.headers].flatMap(({ name, schema }) =>
      unbounded(schema, `${operation.id}?${name}`),
    ),
  ]);
  expect(missing).toEqual([]);
});

test('every operation that sends documents what it refuses when it is asked too much', () => {
  const sends = operations.filter(({ path }) => path.startsWith('/send/') || path === '/bulk');
  expect(sends.length).toBeGreaterThan(15);
  for (const { id, responses } of sends) expect(responses[429]?.description, id).toContain('RATE_LIMITED');
});

test.each([
  ['a list', { type: 'object', properties: { a: { type: 'array', items: {} } } }],
  ['a list in a union', { anyOf: [{ type: 'null' }, { type: 'array' }] }],
  ['a map', { type: 'object', patternProperties: { '^.*$': { type: 'string' } } }],
])('%s without a bound stops the start', (_what, schema) => {
  expect(() => bounded(schema, 'POST /x body')).toThrow(/POST \/x body.* needs max/);
});
