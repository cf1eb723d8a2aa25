import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MASTER_TOKEN } from '../end-to-end/harness.ts';
import { expectRefused, LinkedShop } from './linked-shop.ts';
import { type RawAnswer, rawRequest } from './raw-request.ts';

const MEDIA_MAX_BYTES = 1024 * 1024;

let linked: LinkedShop;
let sentId: string;
beforeAll(async () => {
  linked = await LinkedShop.create({ WUTS_MEDIA_MAX_BYTES: String(MEDIA_MAX_BYTES) });
  sentId = await linked.sendMarker();
});
afterAll(() => linked.world.destroy());

const number = '5511999994002';

/** Operations with a required member in their body; each with one that is good. */
const OPERATIONS: { path: string; method?: string; good: Record<string, unknown>; master?: boolean }[] = [
  { path: '/send/text', good: { number, text: 'x' } },
  { path: '/send/image', good: { number, image: 'aGk=' } },
  { path: '/send/video', good: { number, video: 'aGk=' } },
  { path: '/send/audio', good: { number, audio: 'aGk=' } },
  { path: '/send/document', good: { number, document: 'aGk=' } },
  { path: '/send/sticker', good: { number, sticker: 'aGk=' } },
  { path: '/messages/SENT', method: 'PUT', good: { to: number, message: 'x' } },
  { path: '/devices', good: { name: 'x' } },
  { path: '/paircode', good: { phone: number } },
  { path: '/users', good: { email: 'a@b.example', password: 'long enough' } },
  { path: '/users/x/promote', good: { new_role: 'user' } },
  {
    path: '/register',
    good: { tenant_name: 'x', email: 'a@b.example', password: 'long enough' },
    master: true,
  },
];

describe.each(OPERATIONS)('$path', ({ path, method = 'POST', good, master }) => {
  const takesFile = /^\/send\/(image|video|audio|document|sticker)$/.test(path);
  const send = (body: string | Buffer, type: string | null = 'application/json'): Promise<RawAnswer> =>
    rawRequest(linked.world.gateway.url, method, path.replace('SENT', sentId), {
      headers: {
        authorization: `Bearer ${master ? MASTER_TOKEN : linked.token}`,
        ...(type === null ? {} : { 'content-type': type }),
      },
      body,
    });

  test.each([
    ['half of it', '{"number":'],
    ['words', 'hello'],
    ['single quotes', "{'number':'1'}"],
    ['a trailing comma', '{"number":"1",}'],
    ['two documents', '{}{}'],
    ['not a number', '{"number":NaN}'],
    ['bytes', Buffer.from([0xff, 0xfe, 0x00, 0x01])],
    ['a form', 'number=1&text=x'],
    ['a poisoned prototype', '{"__proto__":{"role":"admin"}}'],
    ['a poisoned constructor', '{"constructor":{"prototype":{"role":"admin"}}}'],
  ])('a body that is not JSON, %s: 400 INVALID_JSON', async (_what, body) => {
    expectRefused(await send(body), { status: 400, code: 'INVALID_JSON' });
  });

  test.each([
    'true',
    '5',
    '"text"',
    '[[[]]]',
  ])('JSON that is no object, %s: 400 names the body', async (body) => {
    expectRefused(await send(body), { status: 400, code: 'VALIDATION_ERROR', field: 'body' });
  });

  test.each(['', ' \n', '{}', '[]', 'null'])('an empty body (%j): 400', async (body) => {
    expectRefused(await send(body), { status: 400, code: 'VALIDATION_ERROR' });
  });

  test.each(Object.keys(good))('%s of a wrong type: 400 names it', async (field) => {
    for (const value of [5, true, [], {}, [good[field]], { value: good[field] }]) {
      const answer = await send(JSON.stringify({ ...good, [field]: value }));
      expectRefused(answer, { status: 400, code: 'VALIDATION_ERROR', field });
    }
  });

  test.each([
    ['text', 'text/plain'],
    ['a form', 'application/x-www-form-urlencoded'],
    ['XML', 'application/xml'],
    ['nearly JSON', 'application/jsonp'],
    ['nonsense', 'nonsense'],
    ['nothing', null],
  ])('the content type of %s: 415', async (_what, type) => {
    expectRefused(await send(JSON.stringify(good), type), { status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' });
  });

  test('a multipart form with JSON in it', async () => {
    const refusal = takesFile
      ? { status: 400, code: 'VALIDATION_ERROR' }
      : { status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' };
    expectRefused(await send(JSON.stringify(good), 'multipart/form-data; boundary=x'), refusal);
  });

  test('a body over the limit: 413', async () => {
    const body = JSON.stringify({ ...good, more: 'x'.repeat(2 * MEDIA_MAX_BYTES) });
    expectRefused(await send(body), { status: 413, code: 'PAYLOAD_TOO_LARGE' });
  });
});

describe('optional members', () => {
  const cases: [string, unknown][] = [
    ['delay', '1'],
    ['delay', -1],
    ['typingDuration', 'long'],
    ['typingDuration', -0.1],
    ['quoted', 'an id'],
    ['quoted', [5]],
    ['quoted', { body: 'x' }],
    ['quoted', { key: { fromMe: true } }],
    ['quoted.key', { quoted: { key: 5 } }],
    ['quoted.message', { quoted: { message_id: 'x', message: 'text' } }],
    ['device_id', 'a\u0000'],
    ['quoted.message_id', { quoted: { message_id: 'x\u0000' } }],
    ['quoted.body', { quoted: { message_id: 'x', body: 'a\u0000' } }],
    ['quoted.message.conversation', { quoted: { message_id: 'x', message: { conversation: '\u0000' } } }],
    ['mentioned.0', { mentioned: ['\u0000'] }],
    ['mentioned', 'somebody'],
    ['mentioned.0', { mentioned: [5] }],
    ['mentioned.1', { mentioned: [number, 'somebody'] }],
    ['mentioned', Array.from({ length: 2049 }, () => number)],
    ['device_id', 5],
    ['to', 5],
    ['to', '5511999994009'],
  ];
  test.each(cases)('%s: %j is 400 and named', async (field, value) => {
    const nested = field.includes('.');
    const body = { number, text: 'x', ...(nested ? (value as object) : { [field]: value }) };
    const answer = await linked.api.post('/send/text', body);
    expectRefused(answer, { status: 400, code: 'VALIDATION_ERROR', field });
  });

  test.each(['text', 'message'])('%s of 4097 characters: 400', async (field) => {
    const long = '😀'.repeat(4097);
    const answer =
      field === 'text'
        ? await linked.api.post('/send/text', { number, text: long })
        : await linked.api.put(`/messages/${sentId}`, { to: number, message: long });
    expectRefused(answer, { status: 400, code: 'VALIDATION_ERROR', field });
  });

  test.each(['text', 'message'])('an empty %s: 400', async (field) => {
    const answer =
      field === 'text'
        ? await linked.api.post('/send/text', { number, text: '' })
        : await linked.api.put(`/messages/${sentId}`, { to: number, message: '' });
    expectRefused(answer, { status: 400, code: 'VALIDATION_ERROR', field });
  });
});

describe('query strings and headers', () => {
  test.each([
    ['/messages/x/media?wait=61', 'wait'],
    ['/messages/x/media?wait=-1', 'wait'],
    ['/messages/x/media?wait=soon', 'wait'],
    ['/messages/x/media?wait=1e999', 'wait'],
    ['/devices?scope=everything', 'scope'],
    ['/qr?refresh=perhaps', 'refresh'],
    ['/qr/status', 'device_id'],
  ])('GET %s: 400', async (path, field) => {
    expectRefused(await linked.api.get(path), { status: 400, code: 'VALIDATION_ERROR', field });
  });

  test.each(['', ' ', 'ü', 'x'.repeat(256)])('an Idempotency-Key that is none (%j): 400', async (key) => {
    const answer = await rawRequest(linked.world.gateway.url, 'POST', '/send/text', {
      headers: {
        authorization: `Bearer ${linked.token}`,
        'content-type': 'application/json',
        'idempotency-key': key,
      },
      body: JSON.stringify({ number, text: 'x' }),
    });
    expectRefused(answer, { status: 400, code: 'VALIDATION_ERROR', field: 'Idempotency-Key' });
  });

  test('an Idempotency-Key with another request: 409', async () => {
    const headers = { 'idempotency-key': 'one' };
    const first = { number, document: 'aGk=', caption: 'marker' };
    expect(
      (await linked.api.put(`/messages/${sentId}`, { to: number, message: 'new' }, headers)).status,
    ).toBe(200);
    expectRefused(await linked.api.post('/send/document', first, headers), {
      status: 409,
      code: 'IDEMPOTENCY_CONFLICT',
    });
  });
});

test('no secret comes back in a refusal', async () => {
  const password = 'hunter2';
  const { token, api, world } = linked;
  for (const answer of [
    await api.post('/users', { email: 'nobody', password }),
    await api.post('/users', { email: 5, password: [password] }),
    await world.as(`${token}x`).get('/users'),
    await world.as(token).get('/tenants'),
    await world.as(MASTER_TOKEN).get('/users'),
  ]) {
    const text = answer.bytes.toString();
    expect(answer.status).toBeGreaterThanOrEqual(400);
    for (const secret of [password, token, MASTER_TOKEN]) expect(text).not.toContain(secret);
  }
});

test('none of it sent or made anything', async () => {
  await linked.sendMarker();
  const { inbox } = linked.contact;
  expect(inbox.filter((message) => message.kind !== 'edit' && message.text !== 'marker')).toEqual([]);
  expect((await linked.api.get('/users')).body.users).toHaveLength(1);
  expect((await linked.api.get('/devices')).body.devices).toHaveLength(1);
  expect((await linked.world.master.get('/tenants')).body.tenants).toHaveLength(1);
});
