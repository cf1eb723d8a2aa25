import type { lookup } from 'node:dns';
import { getEventListeners, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { GuardedClient, GuardedRequestError } from '../../src/net/guarded-client.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let port: number;
let asked: { url: string | undefined; headers: IncomingMessage['headers'] }[];
let handler: Handler;
const clients: GuardedClient[] = [];

beforeEach(async () => {
  asked = [];
  handler = (_request, response) => response.end('hello');
  server = createServer((request, response) => {
    asked.push({ url: request.url, headers: request.headers });
    handler(request, response);
  });
  // Every loopback address: what is refused would be answered, were it asked.
  await new Promise<void>((resolve) => server.listen(0, '::', resolve));
  port = (server.address() as AddressInfo).port;
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Names resolve as the test says; each look-up takes the next address. */
function resolving(names: Record<string, string[]>): typeof lookup {
  const fake = (name: string, _options: object, done: (error: Error | null, found: unknown) => void) => {
    const addresses = names[name];
    const address = addresses && addresses.length > 1 ? addresses.shift() : addresses?.[0];
    if (!address) done(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }), []);
    else done(null, [{ address, family: address.includes(':') ? 6 : 4 }]);
  };
  return fake as unknown as typeof lookup;
}

function client(options: ConstructorParameters<typeof GuardedClient>[0] = {}): GuardedClient {
  const made = new GuardedClient(options);
  clients.push(made);
  return made;
}

const LIMITS = { maxBytes: 10_000, timeoutMs: 60_000, maxRedirects: 5 };

async function get(made: GuardedClient, url: string, more: object = {}): Promise<string> {
  const response = await made.request(url, { ...LIMITS, ...more });
  const chunks: Buffer[] = [];
  for await (const chunk of response.body) chunks.push(chunk as Buffer);
  return `${response.status} ${Buffer.concat(chunks).toString()}`;
}

async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof GuardedRequestError) return error.failure;
    throw error;
  }
  return 'none';
}

describe('forbidden targets', () => {
  test.each([
    'http://127.0.0.1:PORT/',
    'http://127.1:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f.0.0.1:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://0.0.0.0:PORT/',
    'http://[::1]:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://[::ffff:7f00:1]:PORT/',
    'http://[::]:PORT/',
    'http://[64:ff9b::7f00:1]/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/latest/meta-data/',
    'http://localhost:PORT/',
    'http://LOCALHOST:PORT/',
    'https://127.0.0.1:PORT/',
  ])('%s', async (url) => {
    expect(await failure(get(client(), url.replace('PORT', String(port))))).toBe('forbidden_address');
    expect(asked).toEqual([]);
  });

  test.each([
    ['ftp://example.com/', 'bad_url'],
    ['file:///etc/passwd', 'bad_url'],
    ['data:text/plain,hi', 'bad_url'],
    ['http://user:secret@example.com/', 'bad_url'],
    ['http://user@example.com/', 'bad_url'],
    ['http://:secret@example.com/', 'bad_url'],
    ['not a url', 'bad_url'],
    ['', 'bad_url'],
  ])('%s: %s', async (url, expected) => {
    expect(await failure(get(client(), url))).toBe(expected);
  });

  test('a name that leads inside', async () => {
    for (const address of ['127.0.0.1', '::1', '169.254.169.254', '10.0.0.1', '::ffff:127.0.0.1']) {
      const made = client({ resolveName: resolving({ 'inside.example': [address] }) });
      expect(await failure(get(made, `http://inside.example:${port}/`))).toBe('forbidden_address');
    }
    expect(asked).toEqual([]);
  });

  test('a name that changes its mind between two look-ups (DNS rebinding)', async () => {
    const resolveName = resolving({ 'rebind.example': ['127.0.0.2', '127.0.0.1'] });
    const made = client({ allowNetworks: ['127.0.0.2/32'], resolveName });
    handler = (request, response) => {
      response.writeHead(302, {
        location: `http://rebind.example:${port}${request.url}x`,
        connection: 'close',
      });
      response.end();
    };
    expect(await failure(get(made, `http://rebind.example:${port}/`))).toBe('forbidden_address');
    expect(asked).toHaveLength(1);
  });

  test('a redirect inside', async () => {
    const resolveName = resolving({ 'outside.example': ['127.0.0.2'], 'inside.example': ['127.0.0.1'] });
    const made = client({ allowNetworks: ['127.0.0.2/32'], resolveName });
    const targets = [
      `http://127.0.0.1:${port}/`,
      `http://inside.example:${port}/`,
      `//[::1]:${port}/`,
      'http://169.254.169.254/',
    ];
    for (const location of targets) {
      handler = (_request, response) => response.writeHead(302, { location }).end();
      asked.length = 0;
      expect(await failure(get(made, `http://outside.example:${port}/`))).toBe('forbidden_address');
      expect(asked).toHaveLength(1);
    }
    handler = (_request, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    expect(await failure(get(made, `http://outside.example:${port}/`))).toBe('bad_url');
  });
});

describe('an allowed target', () => {
  const allowed = { allowNetworks: ['127.0.0.0/8'] };
  const url = (path = '/') => `http://127.0.0.1:${port}${path}`;

  test('is fetched, with any status, and redirects are followed as asked', async () => {
    expect(await get(client(allowed), url())).toBe('200 hello');
    handler = (_request, response) => response.writeHead(404).end('nothing');
    expect(await get(client(allowed), url())).toBe('404 nothing');
    handler = (request, response) =>
      request.url === '/end' ? response.end('there') : response.writeHead(307, { location: '/end' }).end();
    expect(await get(client(allowed), url())).toBe('200 there');
    expect(await get(client(allowed), url(), { maxRedirects: 0 })).toBe('307 ');
  });

  test.each([
    [300, false],
    [301, true],
    [302, true],
    [303, true],
    [304, false],
    [307, true],
    [308, true],
  ])('that answers %i is followed: %s', async (status, followed) => {
    handler = (request, response) =>
      request.url === '/end' ? response.end('there') : response.writeHead(status, { location: '/end' }).end();
    expect(await get(client(allowed), url())).toBe(followed ? '200 there' : `${status} `);
  });

  test('that redirects as often as is allowed, or to nowhere, is an answer', async () => {
    handler = (request, response) =>
      request.url === '/xxxxx'
        ? response.end('there')
        : response.writeHead(302, { location: `${request.url}x` }).end();
    const response = await client(allowed).request(url(), LIMITS);
    expect([response.status, response.url, response.pathname]).toEqual([200, url('/xxxxx'), '/xxxxx']);
    response.body.destroy();
    handler = (_request, answer) => answer.writeHead(302).end('where?');
    expect(await get(client(allowed), url())).toBe('302 where?');
  });

  test('is followed to a place with letters that are not encoded, as browsers do', async () => {
    // Node writes no such header: the bytes are UTF-8, as they come from servers that never looked at them.
    const location = Buffer.from('/ação.jpg').toString('latin1');
    handler = (request, response) =>
      request.url === '/' ? response.writeHead(302, { location }).end() : response.end(request.url);
    expect(await get(client(allowed), url())).toBe('200 /a%C3%A7%C3%A3o.jpg');
  });

  test('that redirects for ever is left', async () => {
    handler = (request, response) => response.writeHead(302, { location: `${request.url}x` }).end();
    expect(await failure(get(client(allowed), url()))).toBe('too_many_redirects');
    expect(asked).toHaveLength(6);
  });

  test('does not get the headers that were meant for another origin', async () => {
    const headers = { authorization: 'Bearer secret' };
    handler = (request, response) =>
      request.url === '/end'
        ? response.end()
        : response.writeHead(302, { location: `http://127.0.0.3:${port}/end` }).end();
    await get(client(allowed), url(), { headers });
    expect(asked.map((each) => each.headers.authorization)).toEqual(['Bearer secret', undefined]);
    asked.length = 0;
    handler = (request, response) =>
      request.url === '/end' ? response.end() : response.writeHead(302, { location: '/end' }).end();
    await get(client(allowed), url(), { headers });
    expect(asked.map((each) => each.headers.authorization)).toEqual(['Bearer secret', 'Bearer secret']);
  });

  test('that announces too much, or never ends, is cut', async () => {
    handler = (_request, response) => response.writeHead(200, { 'content-length': 10_001 }).end();
    expect(await failure(get(client(allowed), url()))).toBe('too_large');
    let sent = 0;
    handler = (_request, response) => {
      const feed = (): void => {
        if (response.destroyed) return;
        sent += 1000;
        response.write(Buffer.alloc(1000), () => setImmediate(feed));
      };
      feed();
    };
    expect(await failure(get(client(allowed), url()))).toBe('too_large');
    expect(sent).toBeLessThan(5_000_000);
  });

  test('has room for just as many bytes, announced or not', async () => {
    for (const announced of [true, false]) {
      const answer = (size: number): Handler => {
        const headers = announced ? { 'content-length': size } : {};
        return (_request, response) => response.writeHead(200, headers).end(Buffer.alloc(size, '.'));
      };
      handler = answer(10_000);
      expect(await get(client(allowed), url())).toHaveLength('200 '.length + 10_000);
      handler = answer(10_001);
      expect(await failure(get(client(allowed), url()))).toBe('too_large');
    }
  });

  test('that is silent or slow ends with the time limit', async () => {
    handler = () => undefined;
    expect(await failure(get(client(allowed), url(), { timeoutMs: 200 }))).toBe('timeout');
    handler = (_request, response) => {
      const timer = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(timer));
    };
    expect(await failure(get(client(allowed), url(), { timeoutMs: 300 }))).toBe('timeout');
  });

  test('that compresses although asked not to is refused', async () => {
    handler = (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x');
    expect(await failure(get(client(allowed), url()))).toBe('encoded_body');
    expect(asked[0]?.headers['accept-encoding']).toBe('identity');
    expect(await get(client(allowed), url(), { anyEncoding: true })).toBe('200 x');
    handler = (_request, response) => response.writeHead(200, { 'content-encoding': 'identity' }).end('x');
    expect(await get(client(allowed), url())).toBe('200 x');
  });

  test.each([
    'x-gzip',
    'GZIP',
    'aws-chunked, gzip',
    'br',
    'deflate',
    'zstd',
  ])('that is coded as %s is refused', async (coding) => {
    handler = (_request, response) => response.writeHead(200, { 'content-encoding': coding }).end('x');
    expect(await failure(get(client(allowed), url()))).toBe('encoded_body');
  });

  // As stores and frameworks label what they do not compress.
  test.each([
    '',
    'Identity',
    'aws-chunked',
    'utf-8',
    'UTF8',
    'none',
    'binary',
    'base64',
  ])('that says "%s" of its coding is taken as it is', async (coding) => {
    handler = (_request, response) => response.writeHead(200, { 'content-encoding': coding }).end('x');
    expect(await get(client(allowed), url())).toBe('200 x');
  });

  test('is asked for its head alone, whatever that says of the body', async () => {
    handler = (_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': 10_001 }).end();
    expect(await get(client(allowed), url(), { method: 'HEAD' })).toBe('200 ');
  });

  test('that is not there', async () => {
    expect(await failure(get(client(allowed), 'http://127.0.0.1:9/'))).toBe('connection_failed');
    const made = client({ resolveName: resolving({}) });
    expect(await failure(get(made, 'http://nowhere.example/'))).toBe('unknown_host');
  });

  test('can be given up', async () => {
    handler = () => undefined;
    const abort = new AbortController();
    const pending = failure(get(client(allowed), url(), { signal: abort.signal }));
    abort.abort();
    expect(await pending).toBe('aborted');
    expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
  });

  test.each([
    10_000,
    Number.POSITIVE_INFINITY,
  ])('leaves nothing on the signal when it is over (at most %d bytes)', async (maxBytes) => {
    const { signal } = new AbortController();
    const { body } = await client(allowed).request(url(), { ...LIMITS, maxBytes, signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    body.resume();
    await once(body, 'close');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('breaks off a body of any length when it is given up', async () => {
    handler = (_request, response) => void response.write('hello');
    const abort = new AbortController();
    const pending = get(client(allowed), url(), { maxBytes: Number.POSITIVE_INFINITY, signal: abort.signal });
    await once(server, 'request');
    abort.abort();
    await expect(pending).rejects.toThrow();
  });

  test('takes a body', async () => {
    handler = (request, response) => request.pipe(response);
    expect(await get(client(allowed), url(), { method: 'POST', body: '{"a":1}' })).toBe('200 {"a":1}');
  });
});
