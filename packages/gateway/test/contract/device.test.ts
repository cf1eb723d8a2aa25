/** Every operation that takes a device takes it the same way. Walks the OpenAPI document. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectRefused } from '../bad-input/linked-shop.ts';
import type { Json } from '../end-to-end/harness.ts';
import { Cast } from './cast.ts';
import { type Operation, operationsOf, readDocument } from './operations.ts';

let cast: Cast;
let operations: Operation[];
beforeAll(async () => {
  cast = await Cast.create();
  operations = operationsOf(await readDocument(cast.world.gateway.url)).filter(takesDevice);
});
afterAll(() => cast.destroy());

const names = (operation: Operation, place: 'query' | 'headers') =>
  operation[place].map((each) => each.name.toLowerCase());

function takesDevice(operation: Operation): boolean {
  return (
    names(operation, 'query').includes('device_id') ||
    names(operation, 'headers').includes('x-device-id') ||
    operation.body?.properties?.device_id !== undefined
  );
}

/** Asks for the operation with its documented example; what is wrong with the device is told before the rest. */
async function ask(
  operation: Operation,
  { query, header, body }: { query?: string; header?: string; body?: string },
): Promise<Json> {
  const path = operation.path.replaceAll(/\{\w+\}/g, 'some-id');
  const search = new URLSearchParams(query === undefined ? {} : { device_id: query });
  for (const { name, required } of operation.query) if (required) search.set(name, 'x');
  const answer = await fetch(`${cast.world.gateway.url}${path}?${search}`, {
    method: operation.method,
    headers: {
      authorization: `Bearer ${cast.token('admin', false)}`,
      ...(operation.body ? { 'content-type': 'application/json' } : {}),
      ...(header === undefined ? {} : { 'x-device-id': header }),
    },
    ...(operation.body
      ? {
          body: JSON.stringify({
            ...operation.examples[0],
            ...(body === undefined ? {} : { device_id: body }),
          }),
        }
      : {}),
  });
  return { status: answer.status, headers: answer.headers, body: await answer.json().catch(() => null) };
}

describe('device_id and X-Device-Id', () => {
  test('are documented in every place where they count', () => {
    expect(operations.length).toBeGreaterThan(40);
    for (const operation of operations) {
      expect(names(operation, 'query'), operation.id).toContain('device_id');
      expect(names(operation, 'headers'), operation.id).toContain('x-device-id');
    }
    const without = operations.filter(({ body }) => body && !Object.hasOwn(body.properties, 'device_id'));
    expect(without.map(({ id }) => id)).toEqual([]);
  });

  test('two that differ are refused, on every operation', async () => {
    for (const operation of operations) {
      // Stories have words of their own for it.
      const code = /^\/(status\/|stories(\/|$))/.test(operation.path)
        ? 'INVALID_REQUEST'
        : 'VALIDATION_ERROR';
      const refusal = { status: 400, code, field: 'device_id' };
      const answers = [await ask(operation, { query: 'a', header: 'b' })];
      if (operation.body) answers.push(await ask(operation, { body: 'a', header: 'b' }));
      for (const answer of answers) expectRefused(answer, refusal);
    }
  });

  test('an empty one names no device, wherever it stands', async () => {
    for (const operation of operations) {
      const context = `${operation.method} ${operation.path}`;
      const unknown = await ask(operation, { query: '', header: 'no-such-device' });
      expect(unknown.body?.validation?.[0]?.field, context).not.toBe('device_id');
      if (operation.id === 'listEvents' || operation.id === 'listWebhooks') {
        expect((await ask(operation, { query: '', header: '' })).status, context).toBe(200);
        expect(unknown.status, context).toBe(404);
      }
    }
  });
});
