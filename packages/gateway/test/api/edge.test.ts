import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { connect } from 'node:net';
import { Type } from 'typebox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failures } from '../../src/api/request/failures.ts';
import { OneOf } from '../../src/api/schemas.ts';
import type { Answered } from '../../src/api/server.ts';
import { AppError, ERROR_CATALOGUE, type ErrorCode } from '../../src/errors.ts';
import { undocumentedAnswers } from '../worlds/documented-answers.ts';
import { type Edge, type Json, MASTER, register, startEdge } from './edge.ts';

const REQUEST_ID = /^[\w.:+/=-]{1,128}$/;
let edge: Edge;
let token: string;
let release: () => void = () => undefined;
let arrive: () => void = () => undefined;
const arrived = new Promise<void>((resolve) => {
  arrive = resolve;
});

beforeAll(async () => {
  edge = await startEdge(async (app) => {
    const tags = ['platform'];
    const response = { 200: Type.Unknown(), ...failures('RATE_LIMITED') };
    app.get('/test/crash', { schema: { operationId: 'crash', tags, response } }, async () => {
      throw new Error('the password is swordfish and 5511987654321 called');
    });
    app.get('/test/later', { schema: { operationId: 'later', tags, response } }, async () => {
      throw new AppError('RATE_LIMITED', { retryAfterSeconds: 2.2, extra: { device_ids: ['a', 'b'] } });
    });
    app.get('/test/surprise', { schema: { operationId: 'surprise', tags, response } }, async () => {
      throw new AppError('QR_TIMEOUT');
    });
    app.get('/test/held', { schema: { operationId: 'held', tags, response } }, async () => {
      await new Promise<void>((resolve) => {
        release = resolve;
        arrive();
      });
      return { success: true };
    });
    const body = Type.Object({
      name: Type.Optional(Type.String({ maxLength: 5 })),
      kind: Type.Optional(OneOf(['one', 'two'])),
      items: Type.Optional(Type.Array(Type.Object({ count: Type.Integer() }), { maxItems: 10 })),
      api_token: Type.Optional(Type.String({ maxLength: 5 })),
    });
    const querystring = Type.Object({
      count: Type.Optional(Type.Integer()),
      flag: Type.Optional(Type.Boolean()),
    });
    app.post(
      '/test/echo/:id',
      {
        config: { access: 'public' },
        schema: {
          operationId: 'echo',
          tags,
          params: Type.Object({ id: Type.String() }),
          body,
          querystring,
          response,
        },
      },
      async (request) => ({ params: request.params, query: request.query, body: request.body }),
    );
  });
  token = (await register(edge, 'edge')).token;
});

afterAll(async () => {
  release();
  await edge.close();
});

describe('tokens', () => {
  it.each([
    ['Bearer', (secret: string) => `Bearer ${secret}`],
    ['bearer', (secret: string) => `bearer ${secret}`],
    ['BEARER and spaces', (secret: string) => `BEARER   ${secret}  `],
    ['no scheme', (secret: string) => secret],
    ['a token in capitals', (secret: string) => `Bearer ${secret.toUpperCase()}`],
  ])('are accepted with %s', async (_what, header) => {
    const { status } = await edge.call('GET', '/users', { headers: { authorization: header(token) } });
    expect(status).toBe(200);
  });

  it.each([
    ['no header', undefined, 'unauthorized'],
    ['an empty header', '', 'unauthorized'],
    ['a scheme alone', 'Bearer', 'unauthorized'],
    ['an unknown token', 'Bearer 11111111-2222-4333-8444-555555555555', 'Invalid token'],
    ['a token that is no UUID', 'Bearer x', 'Invalid token'],
    ['another scheme', 'Basic YTpi', 'Invalid token'],
    ['the master token', `Bearer ${MASTER}`, 'Invalid token'],
  ])('are refused: %s', async (_what, authorization, text) => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const { status, body } = await edge.call('GET', '/users', { headers });
    expect([status, body.error_code, body.error]).toEqual([401, 'UNAUTHORIZED', text]);
  });

  it.each([
    ['none', undefined, 'master token required'],
    ['a wrong one', `${MASTER}x`, 'invalid master token'],
    ["a user's", 'user', 'invalid master token'],
  ])('for the platform are refused: %s', async (_what, given, text) => {
    const { status, body } = await edge.call('GET', '/tenants', { token: given === 'user' ? token : given });
    expect([status, body.error_code, body.error]).toEqual([401, 'UNAUTHORIZED', text]);
  });

  it('are asked for before the body is looked at', async () => {
    const { status } = await edge.call('POST', '/users', { body: '{"broken' });
    expect(status).toBe(401);
  });
});

describe('the error envelope', () => {
  it('is complete', async () => {
    const { body, headers } = await edge.call('GET', '/users');
    expect(body).toEqual({
      success: false,
      error: 'unauthorized',
      error_code: 'UNAUTHORIZED',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      request_id: headers.get('x-request-id'),
    });
  });

  it('carries further members and Retry-After', async () => {
    const { status, body, headers } = await edge.call('GET', '/test/later', { token });
    expect([status, body.device_ids, headers.get('retry-after')]).toEqual([429, ['a', 'b'], '3']);
  });

  it('says nothing about what was not foreseen, and the log does', async () => {
    const { status, text, body } = await edge.call('GET', '/test/crash', { token });
    expect([status, body.error_code, body.error]).toEqual([500, 'INTERNAL_ERROR', 'internal error']);
    expect(text).not.toContain('swordfish');
    const line = edge.logLines.find((each) => each.includes(body.request_id) && each.includes('"err"'));
    expect(line).toContain('the password is swordfish');
    expect(line).not.toContain('5511987654321');
    expect(line).toContain('5511***21');
  });

  it.each([
    ['an unknown path', 'GET', '/nothing/here', 404, 'NOT_FOUND'],
    ['an unknown method of a known path', 'PATCH', '/users', 405, 'METHOD_NOT_ALLOWED'],
    ['a path that is not percent-encoded', 'GET', '/users/%zz', 400, 'VALIDATION_ERROR'],
  ])('answers %s', async (_what, method, path, status, code) => {
    const answer = await edge.call(method, path, { token });
    expect([answer.status, answer.body.error_code]).toEqual([status, code]);
    expect(answer.headers.get('x-request-id')).toMatch(REQUEST_ID);
  });
});

describe('an answer', () => {
  it.each([
    ['/test/later', 'later: 429 RATE_LIMITED', true],
    ['/test/crash', 'crash: 500 INTERNAL_ERROR', true],
    ['/test/surprise', 'surprise: 408 QR_TIMEOUT', false],
  ])('of %s is told with whether the document lists it', async (path, answer, documented) => {
    const told: string[] = [];
    const listener = (message: unknown) => {
      const { operation, status, code, documented: known } = message as Answered;
      told.push(`${operation}: ${status} ${code} ${known}`);
    };
    subscribe('wuts:answer', listener);
    await edge.call('GET', path, { token });
    unsubscribe('wuts:answer', listener);
    expect(told).toEqual([`${answer} ${documented}`]);
    expect(undocumentedAnswers()).toEqual(documented ? [] : [answer]);
  });
});

describe('bodies', () => {
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    edge.call('POST', '/test/echo/1', { body, headers });

  it.each([
    ['no JSON', '{"name":', 400, 'INVALID_JSON'],
    ['a poisoned prototype', '{"__proto__":{"admin":true}}', 400, 'INVALID_JSON'],
    ['an array', '[{}]', 400, 'VALIDATION_ERROR'],
    ['a text', '"text"', 400, 'VALIDATION_ERROR'],
    ['more than a megabyte', JSON.stringify({ name: 'x'.repeat(1024 * 1024) }), 413, 'PAYLOAD_TOO_LARGE'],
  ])('that are %s are refused', async (_what, body, status, code) => {
    const answer = await post(body);
    expect([answer.status, answer.body.error_code]).toEqual([status, code]);
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'nonsense',
  ])('of type %s are refused', async (type) => {
    const answer = await post('{}', { 'content-type': type });
    expect([answer.status, answer.body.error_code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
  });

  it('may be empty or missing where every member is optional', async () => {
    expect((await edge.call('POST', '/test/echo/1')).body.body).toEqual({});
    expect(
      (await edge.call('POST', '/test/echo/1', { headers: { 'content-type': 'application/json' } })).status,
    ).toBe(200);
    expect((await post('', { 'content-type': 'application/json; charset=utf-8' })).body.body).toEqual({});
  });

  it('name every field that is wrong, with its value, but no secret', async () => {
    const { status, body } = await post({
      name: 5,
      kind: 'three',
      items: [{ count: 1 }, { count: '2' }, {}],
      api_token: 'very secret',
      more: 'is ignored',
    });
    expect([status, body.error_code]).toEqual([400, 'VALIDATION_ERROR']);
    expect(body.validation).toEqual([
      { field: 'name', message: 'must be string', value: 5 },
      { field: 'kind', message: 'must be one of one, two', value: 'three' },
      { field: 'items.1.count', message: 'must be integer', value: '2' },
      { field: 'items.2.count', message: 'is required' },
      { field: 'api_token', message: 'must NOT have more than 5 characters' },
    ]);
  });

  it('name a password that cannot be one without showing it', async () => {
    const { text, body } = await edge.call('POST', '/users', {
      token,
      body: { email: 'nobody', password: 'x'.repeat(300), role: 'king', webhook_url: 'ftp://x' },
    });
    expect(body.validation.map((each: Json) => each.field).sort()).toEqual([
      'email',
      'password',
      'role',
      'webhook_url',
    ]);
    expect(text).not.toContain('xxxx');
  });

  it('keep members that nobody knows; query strings are converted, bodies are not', async () => {
    const answer = await edge.call('POST', '/test/echo/a%2Fb?count=5&flag=true', { body: { more: 1 } });
    expect(answer.body).toEqual({
      params: { id: 'a/b' },
      query: { count: 5, flag: true },
      body: { more: 1 },
      warnings: [{ field: 'more', message: 'is not known here and was ignored' }],
    });
    const wrong = await edge.call('POST', '/test/echo/1?count=many', { body: {} });
    expect(wrong.body.validation).toEqual([{ field: 'count', message: 'must be integer', value: 'many' }]);
  });

  // What Go's strconv.ParseBool takes, and nothing else.
  it.each([
    [true, ['1', 't', 'T', 'true', 'TRUE', 'True']],
    [false, ['0', 'f', 'F', 'false', 'FALSE', 'False']],
    [undefined, ['']],
    ['refused', ['yes', 'on', '2', 'tRUE', 'null']],
  ])('a flag of a query is %s as %j', async (meant, texts) => {
    for (const text of texts) {
      const { status, body } = await edge.call('POST', `/test/echo/1?flag=${text}`, { body: {} });
      const read = status === 400 ? 'refused' : body.query.flag;
      expect([text, read]).toEqual([text, meant]);
    }
  });
});

describe('requests', () => {
  it.each([
    ['a sane id', 'client-42/a:b', true],
    ['a strange id', 'a b', false],
    ['a long id', 'x'.repeat(129), false],
  ])('keep %s', async (_what, id, kept) => {
    const { headers } = await edge.call('GET', '/health', { headers: { 'x-request-id': id } });
    expect(headers.get('x-request-id') === id).toBe(kept);
    expect(headers.get('x-request-id')).toMatch(REQUEST_ID);
  });

  it.each<[string, string, ErrorCode]>([
    ['is no HTTP', 'nonsense\r\n\r\n', 'VALIDATION_ERROR'],
    [
      'has 2 MB of headers',
      `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(2 * 1024 * 1024)}\r\n\r\n`,
      'HEADERS_TOO_LARGE',
    ],
    [
      'has a path of 2 MB',
      `GET /users/${'y'.repeat(2 * 1024 * 1024)} HTTP/1.1\r\nhost: x\r\n\r\n`,
      'HEADERS_TOO_LARGE',
    ],
  ])('get the envelope when what comes %s', async (_what, bytes, code) => {
    const answer = await raw(bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${ERROR_CATALOGUE[code].status} `));
    expect(answer).toMatch(/\r\nx-request-id: \S/);
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({
      success: false,
      error_code: code,
      request_id: expect.any(String),
    });
  });

  it('never reach the log with their token, path ids or query', async () => {
    await edge.call('GET', '/users/some-secret-id?phone=5511987654321', { token });
    const log = edge.logLines.join('');
    expect(log).toContain('"route":"/users/:id"');
    for (const secret of [token, MASTER, 'some-secret-id', '5511987654321', 'correct horse']) {
      expect(log).not.toContain(secret);
    }
  });
});

describe('the platform', () => {
  it('tells its health, readiness and version without a token', async () => {
    expect((await edge.call('GET', '/health')).body).toEqual({ status: 'ok' });
    expect((await edge.call('GET', '/ready')).body).toEqual({ status: 'ready' });
    expect((await edge.call('GET', '/version')).body).toEqual({
      name: 'wuts',
      version: '0.0.0-test',
      node: process.version,
    });
  });

  it('counts requests by route pattern', async () => {
    await edge.call('GET', '/nothing/at/all');
    const { text, headers } = await edge.call('GET', '/metrics');
    expect(headers.get('content-type')).toMatch(/^text\/plain/);
    expect(text).toMatch(/wuts_http_requests_total\{method="GET",route="\/health",status="200"\} \d+/);
    expect(text).toContain('route="unknown",status="404"');
    expect(text).toContain('process_cpu_seconds_total');
    expect(text).not.toContain('/nothing/at/all');
  });

  it('refuses work while it stops, and answers what is under way', async () => {
    const held = edge.call('GET', '/test/held', { token });
    await arrived;
    edge.lifecycle.phase = 'stopping';
    try {
      const { status, body, headers } = await edge.call('GET', '/users', { token });
      expect([status, body.error_code, headers.get('connection')]).toEqual([503, 'SHUTTING_DOWN', 'close']);
      expect((await edge.call('GET', '/ready')).status).toBe(503);
      expect((await edge.call('GET', '/health')).status).toBe(200);
      expect((await edge.call('GET', '/metrics')).status).toBe(200);
      edge.lifecycle.phase = 'starting';
      expect((await edge.call('GET', '/ready')).status).toBe(503);
    } finally {
      edge.lifecycle.phase = 'ready';
      release();
    }
    expect((await held).status).toBe(200);
  });
});

/** Sends bytes as they are and returns everything that comes back. */
function raw(bytes: string): Promise<string> {
  const { hostname, port } = new URL(edge.url);
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.on('data', (chunk) => {
      answer += chunk.toString('utf8');
    });
    // The server may close before it has read everything; what it answered has arrived by then.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
  });
}
