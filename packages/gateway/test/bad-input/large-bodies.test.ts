/** Bodies that are made to be expensive are refused early, and files in base64 go through whole. */
import { createHash, randomFillSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectRefused, LinkedShop } from './linked-shop.ts';
import { type RawAnswer, rawRequest } from './raw-request.ts';

const MIB = 1024 ** 2;
const number = '5511999994002';

let linked: LinkedShop;
beforeAll(async () => {
  linked = await LinkedShop.create();
});
afterAll(() => linked?.world.destroy());

const post = (path: string, body: string | Buffer): Promise<RawAnswer> =>
  rawRequest(linked.world.gateway.url, 'POST', path, {
    headers: { authorization: `Bearer ${linked.token}`, 'content-type': 'application/json' },
    body,
  });
const bystander = () => linked.world.as(null).get('/version');

describe.each(['/send/text', '/send/image', '/bulk', '/devices'])('%s', (path) => {
  test.each([
    ['brackets', '['.repeat(500_000)],
    ['objects', '{"a":'.repeat(150_000)],
    [
      'an unknown member',
      `{"number":"${number}","text":"x","name":"x","deep":${'['.repeat(65)}${']'.repeat(65)}}`,
    ],
  ])('nested too deep, %s: 400 names the body', async (_what, body) => {
    expectRefused(await post(path, body), { status: 400, code: 'VALIDATION_ERROR', field: 'body' });
  });

  test('too many items, which nobody looks at: 400', async () => {
    const body = JSON.stringify({ number, text: 'x', name: 'x', mentioned: Array(100_000).fill(0) });
    expectRefused(await post(path, body), { status: 400, code: 'VALIDATION_ERROR', field: 'body' });
  });

  test('brackets in a text do not nest', async () => {
    const answer = await post(path, JSON.stringify({ unknown: `\\"${'['.repeat(100)}\\` }));
    expect(answer.body.validation[0].field).not.toBe('body');
  });

  test('more than 1 MiB that is no file: 413', async () => {
    const members = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`m${index}`, 'x'.repeat(30_000)]),
    );
    expectRefused(await post(path, JSON.stringify({ number, name: 'x', ...members })), {
      status: 413,
      code: 'PAYLOAD_TOO_LARGE',
    });
  });
});

test('7.6 MiB of brackets: refused, and a bystander is answered', async () => {
  const [answer, other] = await Promise.all([post('/send/image', '['.repeat(8_000_000)), bystander()]);
  expectRefused(answer, { status: 400, code: 'VALIDATION_ERROR', field: 'body' });
  expect(other.status).toBe(200);
});

test('3,000,000 mentions: 400, and a bystander is answered', async () => {
  const body = `{"number":"${number}","text":"x","mentioned":[${'0,'.repeat(3_000_000)}0]}`;
  const [answer, other] = await Promise.all([post('/send/text', body), bystander()]);
  expectRefused(answer, { status: 400, code: 'VALIDATION_ERROR', field: 'body' });
  expect(other.status).toBe(200);
  expect((await linked.world.as(null).get('/ready')).status).toBe(200);
});

describe('a file as base64', () => {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  const random = (length: number) => randomFillSync(new Uint8Array(length));
  const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

  test('of 32 MiB arrives whole', async () => {
    const bytes = random(32 * MIB);
    const answer = await post('/send/document', JSON.stringify({ number, document: base64(bytes) }));
    expect(answer.status, answer.text).toBe(200);
    const got = await linked.contact.waitForMessage(({ id }) => id === answer.body.message_id);
    expect(sha256(await linked.contact.downloadMedia(got))).toBe(sha256(bytes));
  });

  test.each([
    ['one byte more', 32 * MIB + 1],
    ['far more', 40 * MIB],
  ])('of %s: 413 that says how to send it', async (_what, length) => {
    const answer = await post('/send/document', JSON.stringify({ number, document: base64(random(length)) }));
    expectRefused(answer, { status: 413, code: 'PAYLOAD_TOO_LARGE' });
    expect(answer.body.error).toContain('multipart/form-data or by URL');
  });
});
