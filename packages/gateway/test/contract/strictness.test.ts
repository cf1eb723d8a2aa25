/**
 * The document refuses what the gateway refuses, and the other way round. Sends each operation its good request with
 * one member after the other changed to what its schema just allows and just does not.
 */
import { afterAll, expect, test } from 'vitest';
import { ask, inPlayground } from './ask.ts';
import { Cast } from './cast.ts';
import { DocumentedRequests } from './documented-request.ts';
import { nearTexts, variations } from './near-values.ts';
import { type Operation, operationsOf, readDocument } from './operations.ts';
import { goodRequest } from './requests.ts';

const cast = await Cast.create();
const document = await readDocument(cast.world.gateway.url);
const documented = new DocumentedRequests(document);
afterAll(() => cast.destroy());

/** What all sends take is looked at in one of them. */
const OF_ALL_SENDS = Object.keys(document.components.schemas.SendTextRequest.properties).filter(
  (name) => name in document.components.schemas.SendLocationRequest.properties,
);
const ONE_SEND = 'sendText';

const operations = operationsOf(document);
const named = (those: Operation[]) => those.map((operation) => [operation.id, operation] as const);

test.each(named(operations.filter(({ body }) => body !== null)))('the body of %s', async (id, operation) => {
  const request = goodRequest(operation);
  if (request.body === null || !('json' in request.body)) throw new Error(`${id} has no good body`);
  const { type, json } = request.body;
  const differing: string[] = [];
  for (const { body, what, nothing } of variations(operation.body, json)) {
    const [member = ''] = what.split(/[.:]/);
    const sends = 'typingDuration' in operation.body.properties;
    if (sends && id !== ONE_SEND && OF_ALL_SENDS.includes(member)) continue;
    const answer = await ask(cast, operation, { ...request, body: { type, json: body } });
    const asSent = cast.fill(body, inPlayground(operation));
    const difference = documented.difference(operation, asSent, answer);
    if (difference !== null && !(nothing && answer.status !== 400)) differing.push(`${what} ${difference}`);
  }
  expect(differing).toEqual([]);
});

/** One operation for each header: they are read in one place. */
const headed = operations.flatMap((operation) => operation.headers.map((header) => ({ operation, header })));
const NAMES = [...new Set(headed.map(({ header }) => header.name))].filter((name) => name !== 'x-device-id');

test.each(NAMES)('the header %s', async (name) => {
  const [first] = headed.filter(({ header }) => header.name === name);
  if (!first) throw new Error(`no operation has ${name}`);
  const { operation, header } = first;
  const differing: string[] = [];
  for (const text of nearTexts(header.schema).filter((each) => each.length < 9000)) {
    const answer = await ask(cast, operation, { ...goodRequest(operation), headers: { [name]: text } });
    const difference = documented.ofParameter(header, text, answer);
    if (difference !== null) differing.push(`${name}: ${text.slice(0, 30)} (${text.length}) ${difference}`);
  }
  expect(differing).toEqual([]);
});

const NUMBERS = ['integer', 'number'];

/** What programs write that know a parameter and have nothing to say: `?cursor=&limit=0`. */
test.each(
  named(operations.filter(({ query }) => query.length > 0)),
)('what is empty in the query of %s is not given', async (_id, operation) => {
  const request = goodRequest(operation);
  const differing: string[] = [];
  for (const { name, required, schema } of operation.query) {
    // Which device is meant is looked at elsewhere: some of these requests end its link.
    if (required || name === 'device_id' || schema['x-empty-counts'] === true) continue;
    const others = request.query.filter(([other]) => other !== name);
    const without = await ask(cast, operation, { ...request, query: others });
    const nothing = ['', ...(NUMBERS.includes(schema.type) ? ['0'] : [])];
    for (const text of nothing) {
      const query: [string, string][] = [...others, [name, text]];
      const { status, text: answer } = await ask(cast, operation, { ...request, query });
      // The request before may have ended the link (503).
      const refused = (code: number): boolean => code === 400 || code === 500;
      if (refused(status) !== refused(without.status)) differing.push(`${name}=${text} ${status} ${answer}`);
    }
  }
  expect(differing).toEqual([]);
});

/** Waiting and choosing a device are looked at elsewhere. */
const LOOKED_AT_ELSEWHERE = ['device_id', 'wait'];
const queried = operations.filter(({ query }) =>
  query.some(({ name }) => !LOOKED_AT_ELSEWHERE.includes(name)),
);

test.each(named(queried))('the query of %s', async (_id, operation) => {
  const request = goodRequest(operation);
  const differing: string[] = [];
  for (const parameter of operation.query) {
    const { name, required, schema } = parameter;
    if (LOOKED_AT_ELSEWHERE.includes(name)) continue;
    const others = request.query.filter(([other]) => other !== name);
    for (const text of nearTexts(schema)) {
      // What is empty is not given.
      if (!required && (text === '' || text === '0')) continue;
      const query: [string, string][] = [...others, [name, encodeURIComponent(text)]];
      const difference = documented.ofParameter(
        parameter,
        text,
        await ask(cast, operation, { ...request, query }),
      );
      if (difference !== null) differing.push(`${name}=${text.slice(0, 30)} (${text.length}) ${difference}`);
    }
  }
  expect(differing).toEqual([]);
});
