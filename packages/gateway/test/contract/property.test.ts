import { afterAll, describe, expect, test } from 'vitest';
import { fc, SEED } from '../../../sandbox/test/random.ts';
import { ask } from './ask.ts';
import { Cast } from './cast.ts';
import { DocumentedAnswers } from './documented-answer.ts';
import { operationsOf, readDocument } from './operations.ts';
import { anyRequest, goodRequest } from './requests.ts';

/** To run a failure again: its seed. Requests build on what earlier ones left behind. */
const RUNS = Number(process.env.WUTS_TEST_RUNS) || 12;
console.info(`WUTS_TEST_SEED=${SEED} WUTS_TEST_RUNS=${RUNS}`);
/** Some 0.2 s per success, for the password: fewer runs. */
const COSTLY = new Set(['createUser', 'deleteUser', 'superAdminRegisterTenant', 'superAdminDeleteTenant']);
const PASSKEY_STEP = /^\/devices\/\{deviceID\}\/passkey/;

const cast = await Cast.create();
const document = await readDocument(cast.world.gateway.url);
const operations = operationsOf(document);
const answers = new DocumentedAnswers(document);
afterAll(() => cast.destroy());

describe.each(
  operations.map((operation) => [`${operation.method} ${operation.path}`, operation] as const),
)('%s', (_name, operation) => {
  test('a good request succeeds', async () => {
    const answer = await ask(cast, operation, goodRequest(operation));
    // That needs a phone which demands a passkey: see end-to-end/passkey.test.ts.
    if (PASSKEY_STEP.test(operation.path)) expect([400, 409], answer.text).toContain(answer.status);
    else expect(answer.status, answer.text.slice(0, 600)).toBeLessThan(300);
    answers.check(operation, answer);
  });

  test('any request gets a documented answer', async () => {
    const numRuns = COSTLY.has(operation.id) ? Math.ceil(RUNS / 2) : RUNS;
    const property = fc.asyncProperty(anyRequest(operation), async (generated) => {
      answers.check(operation, await ask(cast, operation, generated));
    });
    await fc.assert(property, { numRuns });
  });
});

test('afterwards the gateway is as well as before', async () => {
  const { world } = cast;
  expect((await world.as(null).get('/ready')).status).toBe(200);
  const status = await world.as(cast.token('admin', false)).get('/status');
  expect(status.body.data.connected).toBe(true);
});
