/** The gateway's own loop was busy when the time of a request was over. */
import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { GuardedClient, GuardedRequestError } from '../../src/net/guarded-client.ts';
import { Vault } from '../../src/storage/vault.ts';
import { Attempts } from '../../src/webhooks/attempt.ts';
import { OutsideServer, standStill } from '../net/outside-server.ts';

/** The request has to be under way before: that much a machine under load may need. */
const TIME_LIMIT_MS = 2000;

let server: OutsideServer;
let client: GuardedClient;
beforeEach(async () => {
  server = await OutsideServer.start();
  client = new GuardedClient({ allowNetworks: ['127.0.0.0/8'] });
});
afterEach(async () => {
  await client.close();
  await server.stop();
});

function attempt() {
  const event = {
    id: randomUUID(),
    name: 'message.received',
    created_at: 0,
    device_id: randomUUID(),
    user_id: randomUUID(),
    data: '{}',
    sealed: null,
  };
  const target = { url: server.url, timeoutMs: TIME_LIMIT_MS, secret: null, headers: {} };
  const attempts = new Attempts({ client, clock: systemClock, vault: new Vault(randomBytes(32)) });
  return attempts.make(target, event, { id: randomUUID(), attempt: 1 });
}

test('a receiver that answered in time is a success', async () => {
  const asked = server.asked();
  const result = attempt();
  await asked;
  server.answerMeanwhile(TIME_LIMIT_MS + 50);
  expect(await result).toMatchObject({ status: 200, error: null });
});

test('one that did not is a time-out', async () => {
  const asked = server.asked();
  const result = attempt();
  await asked;
  standStill(TIME_LIMIT_MS + 50);
  expect(await result).toMatchObject({ status: null, error: 'timeout' });
});

test('the same for everything that is fetched', async () => {
  const asked = server.asked();
  const answer = client.request(server.url, { maxBytes: 100, timeoutMs: TIME_LIMIT_MS });
  await asked;
  server.answerMeanwhile(TIME_LIMIT_MS + 50);
  const { status, body } = await answer;
  body.destroy();
  expect(status).toBe(200);
  const next = server.asked();
  const silent = client.request(server.url, { maxBytes: 100, timeoutMs: TIME_LIMIT_MS });
  const failed = expect(silent).rejects.toThrow(GuardedRequestError);
  await next;
  standStill(TIME_LIMIT_MS + 50);
  await failed;
});
