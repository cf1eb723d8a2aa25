import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MASTER_TOKEN } from '../end-to-end/harness.ts';
import { expectRefused, LinkedShop } from './linked-shop.ts';
import { rawRequest } from './raw-request.ts';

let linked: LinkedShop;
beforeAll(async () => {
  linked = await LinkedShop.create();
});
afterAll(() => linked.world.destroy());

interface Operation {
  method: string;
  path: (id: string) => string;
  code: string;
  body?: unknown;
  master?: boolean;
}

const OPERATIONS: Operation[] = [
  { method: 'GET', path: (id) => `/messages/${id}/media`, code: 'MESSAGE_NOT_FOUND' },
  { method: 'GET', path: (id) => `/messages/${id}/media?wait=1`, code: 'MESSAGE_NOT_FOUND' },
  { method: 'GET', path: (id) => `/messages/${id}/status`, code: 'MESSAGE_NOT_FOUND' },
  { method: 'GET', path: (id) => `/messages/${id}/receipts`, code: 'MESSAGE_NOT_FOUND' },
  {
    method: 'PUT',
    path: (id) => `/messages/${id}`,
    code: 'MESSAGE_NOT_FOUND',
    body: { to: '5511999994002', message: 'new' },
  },
  { method: 'GET', path: (id) => `/users/${id}`, code: 'NOT_FOUND' },
  { method: 'PUT', path: (id) => `/users/${id}`, code: 'NOT_FOUND', body: { active: false } },
  { method: 'DELETE', path: (id) => `/users/${id}`, code: 'NOT_FOUND' },
  { method: 'POST', path: (id) => `/users/${id}/promote`, code: 'NOT_FOUND', body: { new_role: 'user' } },
  { method: 'POST', path: (id) => `/users/${id}/token/rotate`, code: 'NOT_FOUND' },
  { method: 'DELETE', path: (id) => `/devices/${id}`, code: 'DEVICE_NOT_FOUND' },
  { method: 'GET', path: (id) => `/global/tenants/${id}`, code: 'NOT_FOUND', master: true },
  { method: 'DELETE', path: (id) => `/global/tenants/${id}`, code: 'NOT_FOUND', master: true },
];

/** Percent-encoded, as they go over the wire. */
const IDS: [string, string][] = [
  ['an unknown message id', '3EB0AAAAAAAAAAAAAAAA'],
  ['an unknown UUID', '7c9e6679-7425-40de-944b-e07fc1f90ae7'],
  ['encoded slashes', 'a%2Fb%2fc'],
  ['an encoded path upwards', '%2E%2E%2F%2E%2E%2Fetc%2Fpasswd'],
  ['10 kB', 'A'.repeat(10 * 1024)],
  ['10 kB of encoded slashes', '%2F'.repeat(10 * 1024)],
  ['other control characters', '%01%0d%0a%7f'],
  ['letters beyond ASCII', '%F0%9F%98%80%E2%80%AE'],
  ['SQL', "x'%20OR%20'1'='1"],
  ['the name of a member of every object', '__proto__'],
];

const call = ({ method, body, master }: Operation, path: string) =>
  rawRequest(linked.world.gateway.url, method, path, {
    headers: {
      authorization: `Bearer ${master ? MASTER_TOKEN : linked.token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

const NAMED = OPERATIONS.map(
  (operation) => [`${operation.method} ${operation.path('{id}')}`, operation] as const,
);

describe.each(NAMED)('%s', (_name, operation) => {
  test.each(IDS)('%s: 404', async (_what, id) => {
    expectRefused(await call(operation, operation.path(id)), { status: 404, code: operation.code });
  });

  test.each([
    ['raw slashes', 'a/b/c/d'],
    ['nothing', ''],
    ['10 kB of raw slashes', '/'.repeat(10 * 1024)],
  ])('%s: no such path', async (_what, id) => {
    const answer = await call(operation, operation.path(id));
    expect(answer.status).toBe(404);
    expectRefused(answer, { status: 404, code: answer.body.error_code });
  });

  test('the character U+0000: 400 before it comes near a database', async () => {
    const answer = await call(operation, operation.path('a%00b'));
    expectRefused(answer, { status: 400, code: 'VALIDATION_ERROR' });
  });

  test.each(['%', '%zz', '%ff', '%c0%af'])('%s is not percent-encoding: 400', async (id) => {
    expectRefused(await call(operation, operation.path(id)), { status: 400, code: 'VALIDATION_ERROR' });
  });
});

test('HEAD of unknown media: 404 without a body', async () => {
  const answer = await rawRequest(linked.world.gateway.url, 'HEAD', '/messages/3EB0AAAA/media', {
    headers: { authorization: `Bearer ${linked.token}` },
  });
  expect([answer.status, answer.text]).toEqual([404, '']);
});

describe('a device id that is none', () => {
  const UNKNOWN = ['7c9e6679-7425-40de-944b-e07fc1f90ae7', 'nonsense', 'A'.repeat(10 * 1024), 'a/b'];
  const number = '5511999994002';
  const calls: [string, string, Record<string, unknown> | undefined][] = [
    ['GET', '/qr', undefined],
    ['GET', '/qr/status', undefined],
    ['POST', '/paircode', { phone: number }],
    ['POST', '/connect', {}],
    ['POST', '/disconnect', {}],
    ['POST', '/logout', {}],
    ['POST', '/send/text', { number, text: 'x' }],
    ['POST', '/send/image', { number, image: 'aGk=' }],
    ['POST', '/send/video', { number, video: 'aGk=' }],
    ['POST', '/send/audio', { number, audio: 'aGk=' }],
    ['POST', '/send/document', { number, document: 'aGk=' }],
    ['POST', '/send/sticker', { number, sticker: 'aGk=' }],
  ];
  test.each(calls)('%s %s: 404 in query, header and body', async (method, path, body) => {
    const refusal = { status: 404, code: 'DEVICE_NOT_FOUND' };
    for (const id of UNKNOWN) {
      const inQuery = `${path}?device_id=${encodeURIComponent(id)}`;
      expectRefused(await linked.api.call(method, inQuery, body), refusal);
      expectRefused(await linked.api.call(method, path, body, { 'x-device-id': id }), refusal);
      if (body) expectRefused(await linked.api.call(method, path, { ...body, device_id: id }), refusal);
    }
  });
});

test('none of it sent, unlinked or deleted anything', async () => {
  await linked.expectNothingSent();
  expect((await linked.api.get('/status')).body.data).toMatchObject({
    connected: true,
    device_id: linked.deviceId,
  });
  expect((await linked.api.get('/users')).body.users).toHaveLength(1);
  expect((await linked.world.master.get('/tenants')).body.tenants).toHaveLength(1);
});
