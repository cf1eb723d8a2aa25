/** Requests that Node refuses before Fastify sees them, byte for byte. */
import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Type } from 'typebox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../worlds/until.ts';
import { type Edge, type Json, startEdge } from './edge.ts';

let edge: Edge;
let server: Server;
/** Lets the operation `held` answer. */
let answer: (held: string) => void = () => undefined;
let holding: Promise<string> | null = null;

beforeAll(async () => {
  edge = await startEdge(async (app) => {
    server = app.server;
    const body = Type.Object({ name: Type.Optional(Type.String()) });
    const config = { access: 'public' } as const;
    const schema = { operationId: 'hold', tags: ['platform'], body, response: { 200: Type.Unknown() } };
    app.post('/test/held', { config, schema }, async () => {
      holding = new Promise((resolve) => {
        answer = resolve;
      });
      return { held: await holding };
    });
  });
});
afterAll(() => edge.close());

interface Connection {
  socket: Socket;
  /** All that has come so far. */
  got(): string;
  /** All that came, once the server has closed. */
  closed: Promise<string>;
}

function open(bytes: string | Buffer): Connection {
  const socket = connect(Number(new URL(edge.url).port), '127.0.0.1', () => socket.write(bytes));
  let got = '';
  socket.on('data', (chunk: Buffer) => {
    got += chunk.toString();
  });
  const closed = new Promise<string>((resolve) => {
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(got));
  });
  return { socket, got: () => got, closed };
}

/** The status and the envelope of the only answer there is. */
function onlyAnswer(text: string): [number, Json] {
  expect(text.match(/^HTTP\/1\.1 /gm)).toHaveLength(1);
  const at = text.indexOf('\r\n\r\n');
  expect(text.slice(0, at)).toContain('application/json');
  return [Number(text.slice(9, 12)), JSON.parse(text.slice(at))];
}

const CLOSE = 'connection: close\r\n\r\n';

describe('what is not valid HTTP', () => {
  it.each([
    ['without a Host', `GET /health HTTP/1.1\r\n${CLOSE}`, 400, 'Host: is required by HTTP/1.1'],
    ['with two', `GET /health HTTP/1.1\r\nhost: a\r\nHost: b\r\n${CLOSE}`, 400, 'Host: must be given once'],
    [
      'without one, and of nothing that is there',
      `GET /nowhere HTTP/1.1\r\n${CLOSE}`,
      400,
      'Host: is required by HTTP/1.1',
    ],
    [
      'that expects what nobody knows',
      `POST /test/held HTTP/1.1\r\nhost: x\r\nexpect: tea\r\ncontent-length: 2\r\n${CLOSE}{}`,
      400,
      'Expect: must be 100-continue, if it is given',
    ],
    ['for a tunnel', 'CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n', 405, 'this is no proxy'],
    [
      'of another protocol',
      Buffer.from('16030100a5010000a1030358', 'hex'),
      400,
      'the request is not valid HTTP',
    ],
    ['with a method of its own', `BREW /pot HTTP/1.1\r\nhost: x\r\n${CLOSE}`, 400, 'not valid HTTP'],
    [
      'with two lengths',
      'POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}',
      400,
      'not valid HTTP',
    ],
    [
      'with a length and chunks',
      'POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'not valid HTTP',
    ],
    [
      'with chunks that are none',
      'POST /test/held HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
      400,
      'not valid HTTP',
    ],
  ])('%s gets the envelope, and a line in the log', async (_what, bytes, status, words) => {
    const [given, body] = onlyAnswer(await open(bytes).closed);
    const code = status === 405 ? 'METHOD_NOT_ALLOWED' : 'VALIDATION_ERROR';
    expect([given, body.success, body.error_code]).toEqual([status, false, code]);
    expect(body.error).toContain(words);
    expect(edge.logLines.join('')).toContain(`"request_id":"${body.request_id}"`);
  });

  it('is not held against HTTP/1.0, which knows no Host, nor against who waits for 100', async () => {
    expect(await open('GET /health HTTP/1.0\r\n\r\n').closed).toContain(' 200 OK');
    holding = null;
    const type = 'content-type: application/json\r\n';
    const asks = `POST /test/held HTTP/1.1\r\nhost: x\r\n${type}expect: 100-Continue\r\ncontent-length: 2\r\n${CLOSE}`;
    const waiting = open(asks);
    await until('it may go on', () => waiting.got().startsWith('HTTP/1.1 100 '));
    waiting.socket.write('{}');
    await until('it is under way', () => holding !== null);
    answer('now');
    expect(await waiting.closed).toContain('{"held":"now"}');
  });

  it('and is not there in time is told so', async () => {
    const arrived = new Promise<Socket>((resolve) => server.once('request', ({ socket }) => resolve(socket)));
    const slow = open('POST /test/held HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{');
    const socket = await arrived;
    // As Node does once the time is over.
    server.emit('clientError', Object.assign(new Error(), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
    const [status, body] = onlyAnswer(await slow.closed);
    expect([status, body.error_code]).toEqual([408, 'REQUEST_TIMEOUT']);
  });
});

describe('what makes no sense behind a request', () => {
  it('does not say of it that it failed', async () => {
    holding = null;
    // Counted in characters, not in bytes.
    const text = '{"name":"açaí"} ';
    const asks = `POST /test/held HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text) - 1}`;
    const sent = open(`${asks}\r\n\r\n${text}`);
    await until('it is under way', () => holding !== null);
    answer('done');
    const [status, body] = onlyAnswer(await sent.closed);
    expect([status, body.held]).toEqual([200, 'done']);
  });

  it('is no second answer to one that is answered before its body is there', async () => {
    const asks = 'POST /users HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
    const early = open(`${asks}transfer-encoding: chunked\r\n\r\n`);
    await until('it is refused', () => early.got().includes('UNAUTHORIZED'));
    early.socket.write('zz\r\n');
    const [status, body] = onlyAnswer(await early.closed);
    expect([status, body.error_code]).toEqual([401, 'UNAUTHORIZED']);
  });
});
