/** Every example of the OpenAPI document can be sent as it stands. */
import { afterAll, describe, expect, test } from 'vitest';
import { ask } from './ask.ts';
import { Cast } from './cast.ts';
import { operationsOf, readDocument } from './operations.ts';
import { goodRequest } from './requests.ts';

const cast = await Cast.create();
const document = await readDocument(cast.world.gateway.url);
afterAll(() => cast.destroy());

// The people of the cast are those of the examples, and so is this business; ids in them are of nothing that is there.
await cast.world.sandbox.createPhone({ number: '5511888888888', name: 'Shop' });
/** What an answer says of a request that is wrong in itself. */
const WRONG = ['VALIDATION_ERROR', 'INVALID_RECIPIENT', 'INVALID_MEDIA', 'INVALID_JSON'];

const takingBodies = operationsOf(document).filter(({ body }) => body !== null);

describe.each(takingBodies.map((operation) => [operation.id, operation] as const))('%s', (_id, operation) => {
  test('has an example', () => {
    expect(operation.examples).not.toEqual([]);
  });

  test.each(
    operation.examples.map((body, index) => [index + 1, body] as const),
  )('example %i', async (_n, json) => {
    const request = goodRequest(operation);
    const answer = await ask(cast, operation, { ...request, body: { type: 'application/json', json } });
    expect(WRONG, answer.text).not.toContain(answer.body?.error_code);
    expect([200, 201, 202, 404, 409], answer.text).toContain(answer.status);
  });
});
