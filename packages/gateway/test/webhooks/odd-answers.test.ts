/** What receivers answer that is hardly HTTP, of the kinds that proxies and small scripts bring about. */
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebhookWorld } from './webhook-world.ts';

let world: WebhookWorld;
let server: Server | null = null;
const sockets = new Set<Socket>();

beforeEach(async () => {
  world = await WebhookWorld.create();
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(null)));
  server = null;
  await world.destroy();
});

/** A receiver that answers each request with these bytes, and then as `after` says. */
function answering(bytes: string, after: 'end' | 'stay' | 'cut' = 'end'): Promise<string> {
  const listening = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write(bytes);
      if (after === 'end') socket.end();
      if (after === 'cut') socket.resetAndDestroy();
    });
  });
  return listen(listening);
}

async function listen(listening: Server): Promise<string> {
  server = listening;
  listening.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const address = listening.address();
  if (typeof address !== 'object' || !address) throw new Error('not listening');
  return `http://127.0.0.1:${address.port}/hook`;
}

async function deliver(url: string) {
  const { caller, device } = await world.device();
  const endpoint = await world.configure(caller, device, { url, retryAttempts: 1, timeoutSeconds: 5 });
  await world.record(device, 'chat', 1);
  return endpoint;
}

async function lastAttempt() {
  const attempts = world.db.selectFrom('webhook_attempts').selectAll().orderBy('id', 'desc');
  return attempts.executeTakeFirstOrThrow();
}

test.each([
  [
    'with hints before it',
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  ],
  ['without a length', 'HTTP/1.1 200 OK\r\n\r\nok'],
  ['of the former century', 'HTTP/1.0 200 OK\r\n\r\nok'],
  ['without a word', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n'],
  ['in pieces', 'HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
  ['that promises more than comes', 'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nok'],
  ['whose pieces are broken', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok'],
])('200 counts once: an answer %s', async (_what, bytes) => {
  const endpoint = await deliver(await answering(bytes));
  await world.untilStates(endpoint, 'delivered');
});

test('of an answer without a body nothing is kept', async () => {
  const endpoint = await deliver(await answering('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  await world.untilStates(endpoint, 'delivered');
  expect(await lastAttempt()).toMatchObject({ status: 200, error: null, response_head: null });
});

test('the first KiB of an answer is kept, also when it comes in pieces, and no U+0000', async () => {
  const pieces = ['\0a', 'b'.repeat(1000), 'c'.repeat(22), 'd'.repeat(10)];
  const body = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('');
  const head = 'HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n';
  const endpoint = await deliver(await answering(`${head}${body}0\r\n\r\n`));
  await world.untilAttempts(endpoint, 1);
  expect((await lastAttempt()).response_head).toBe(`\uFFFDa${'b'.repeat(1000)}${'c'.repeat(22)}`);
});

test('an answer of megabytes is not read to its end: it costs its connection', async () => {
  const long = createHttpServer((request, response) => {
    request.resume();
    response.end(Buffer.alloc(3_000_000, 'x'));
  });
  const url = await listen(long);
  const { caller, device } = await world.device();
  const endpoint = await world.configure(caller, device, { url });
  await world.record(device, 'chat', 1, 2);
  await world.untilStates(endpoint, 'delivered', 'delivered');
  expect(sockets.size).toBeGreaterThan(1);
});

test('TLS that the receiver does not speak', async () => {
  const url = await answering('HTTP/1.1 400 Bad Request\r\n\r\n');
  const endpoint = await deliver(url.replace('http:', 'https:'));
  await world.untilAttempts(endpoint, 1);
  expect(await lastAttempt()).toMatchObject({ status: null, error: 'tls' });
});

test('200 counts although its body never ends', async () => {
  const endpoint = await deliver(await answering('HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nok', 'stay'));
  const [delivery] = await world.until(async () => {
    world.clock.advance(1000);
    const found = await world.deliveries(endpoint);
    return found[0]?.state === 'delivered' && found;
  });
  expect(delivery?.attempts).toBe(1);
});

test.each([
  ['nothing', '', 'end', 'reset'],
  ['no HTTP', 'hello\r\n\r\n', 'end', 'connection_failed'],
  ['no number', 'HTTP/1.1 OK\r\n\r\n', 'end', 'connection_failed'],
  [
    'a head that is too large',
    `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(200_000)}\r\n\r\n`,
    'end',
    'connection_failed',
  ],
  ['half a head, and a reset', 'HTTP/1.1 200', 'cut', 'reset'],
] as const)('%s is tried again, and then given up', async (_what, bytes, after, error) => {
  const endpoint = await deliver(await answering(bytes, after));
  const { state } = await world.untilAttempts(endpoint, 1);
  expect(state).toBe('pending');
  expect(await lastAttempt()).toMatchObject({ status: null, error });
  world.clock.advance(5000);
  await world.untilStates(endpoint, 'failed');
  expect((await world.deliveries(endpoint))[0]?.attempts).toBe(2);
});
