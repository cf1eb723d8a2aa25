/** The way through a proxy, to a server and to WhatsApp's network. */
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { AddressPolicy } from '../../src/net/address-policy.ts';
import { guardedConnector } from '../../src/net/guarded-connector.ts';
import { parseProxyUrl } from '../../src/net/proxy-address.ts';
import { timeOfNetwork, tryNetwork } from '../../src/net/reachability.ts';
import { Tunnel } from '../../src/net/tunnel.ts';
import { RouteFailed } from '../../src/whatsapp/port/route.ts';
import { type Kind, PROXY_USER, startProxy } from '../worlds/proxies.ts';

const stops: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** Says what it is told. */
const echo = () => listening(createServer((socket) => socket.pipe(socket)));

async function proxyOf(kind: Kind) {
  const proxy = await startProxy(kind);
  stops.push(() => proxy.stop());
  return proxy;
}

const tunnel = (url: string, allowed = ['127.0.0.0/8']) =>
  new Tunnel(parseProxyUrl(url), guardedConnector(new AddressPolicy(allowed)));

/** What comes back for a word. */
async function said(socket: Socket, word: string): Promise<string> {
  const heard = new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())));
  if (word !== '') socket.write(word);
  const answer = await heard;
  socket.destroy();
  return answer;
}

async function failure(asked: Promise<Socket>): Promise<Pick<RouteFailed, 'code' | 'host' | 'detail'>> {
  const error = await asked.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof RouteFailed)) throw new Error(`it did not fail as a route: ${error}`);
  const { code, host, detail } = error;
  return { code, host, detail };
}

const KINDS = ['http', 'socks4', 'socks4a', 'socks5', 'socks5h'] as const;

describe.each(KINDS)('a proxy of kind %s', (kind) => {
  test('leads to an address', async () => {
    const [proxy, port] = [await proxyOf(kind), await echo()];
    const way = tunnel(proxy.url);
    expect(way.host).toBe(proxy.host);
    expect(await said(await way.connect({ host: '127.0.0.1', port }), 'hello')).toBe('hello');
    expect(proxy.asked).toEqual([`127.0.0.1:${port}`]);
  });

  test('resolves the names itself, unless it knows none', async () => {
    const [proxy, port] = [await proxyOf(kind), await echo()];
    const connected = tunnel(proxy.url).connect({ host: 'target.invalid', port });
    if (kind === 'socks4') {
      expect(await failure(connected)).toMatchObject({ code: 'proxy_unreachable', host: proxy.host });
      expect(proxy.asked).toEqual([]);
    } else {
      expect(await said(await connected, 'hello')).toBe('hello');
      expect(proxy.asked).toEqual([`target.invalid:${port}`]);
    }
  });

  test('that is not there, or whose address is not public, is named', async () => {
    const proxy = await startProxy(kind);
    await proxy.stop();
    const to = { host: '127.0.0.1', port: 9 };
    expect(await failure(tunnel(proxy.url).connect(to))).toMatchObject({
      code: 'proxy_unreachable',
      host: proxy.host,
      detail: expect.stringContaining('ECONNREFUSED'),
    });
    expect(await failure(tunnel(proxy.url, []).connect(to))).toMatchObject({
      code: 'proxy_unreachable',
      detail: expect.stringMatching(/^its address is not public/),
    });
  });
});

test.each(['http', 'socks5', 'socks5h'] as const)('%s: wrong credentials are told apart', async (kind) => {
  const proxy = await proxyOf(kind);
  const url = `${kind}://${PROXY_USER}:wrong@${proxy.host}`;
  expect(await failure(tunnel(url).connect({ host: '127.0.0.1', port: 9 }))).toMatchObject({
    code: 'proxy_auth',
    host: proxy.host,
  });
  expect([proxy.refused, proxy.asked.length <= 1]).toEqual([1, true]);
});

test('a target that is not there is named', async () => {
  const proxy = await proxyOf('socks5');
  const port = await echo();
  await stops.pop()?.();
  expect(await failure(tunnel(proxy.url).connect({ host: '127.0.0.1', port }))).toMatchObject({
    code: 'proxy_unreachable',
    detail: expect.stringContaining(`it gives no way to 127.0.0.1:${port}: `),
  });
});

describe('an HTTP proxy', () => {
  /** Answers a CONNECT with these bytes, and keeps what it was asked. */
  async function answering(answer: string) {
    const asked: string[] = [];
    const port = await listening(
      createServer((socket) => {
        socket.once('data', (head) => {
          asked.push(head.toString());
          socket.write(answer);
        });
      }),
    );
    return { asked, host: `127.0.0.1:${port}` };
  }

  test('may send the first bytes of the target with its own answer', async () => {
    const { host } = await answering('HTTP/1.1 200 OK\r\n\r\nhello');
    expect(await said(await tunnel(`http://${host}`).connect({ host: 'a.example', port: 443 }), '')).toBe(
      'hello',
    );
  });

  test.each([
    ['', { host: 'a.example', port: 443 }, 'a.example:443', undefined],
    ['u@', { host: 'a.example', port: 80 }, 'a.example:80', 'u:'],
    ['u:p@', { host: '::1', port: 443 }, '[::1]:443', 'u:p'],
    [':p@', { host: '127.0.0.1', port: 1 }, '127.0.0.1:1', ':p'],
  ])('is asked with the credentials %j for %j', async (who, to, authority, credentials) => {
    const { asked, host } = await answering('HTTP/1.1 204 No Content\r\n\r\n');
    const socket = await tunnel(`http://${who}${host}`).connect(to);
    socket.destroy();
    expect(asked[0]?.split('\r\n')[0]).toBe(`CONNECT ${authority} HTTP/1.1`);
    expect(asked[0]?.toLowerCase()).toContain(`\r\nhost: ${authority}\r\n`);
    const sent = /^proxy-authorization: Basic (.*)$/im.exec(asked[0] ?? '')?.[1];
    expect(sent && Buffer.from(sent, 'base64').toString()).toBe(credentials);
  });

  test.each([
    [200, null],
    [299, null],
    [300, 'it answers HTTP 300 when asked for a.example:443'],
    [407, 'it does not take the user name and password'],
    [502, 'it answers HTTP 502 when asked for a.example:443'],
  ])('that answers %i: %j', async (status, detail) => {
    const { host } = await answering(`HTTP/1.1 ${status} X\r\n\r\n`);
    const connected = tunnel(`http://${host}`).connect({ host: 'a.example', port: 443 });
    if (detail === null) (await connected).destroy();
    else {
      const code = status === 407 ? 'proxy_auth' : 'proxy_unreachable';
      expect(await failure(connected)).toEqual({ code, host, detail });
    }
  });

  test('that hangs up fails the request', async () => {
    const port = await listening(createServer((socket) => socket.once('data', () => socket.destroy())));
    expect(await failure(tunnel(`http://127.0.0.1:${port}`).connect({ host: 'a', port: 1 }))).toMatchObject({
      code: 'proxy_unreachable',
    });
  });
});

describe('the way to the network', () => {
  const upgrades = async () => {
    const asked: Record<string, unknown>[] = [];
    const server = createHttpServer((_request, response) => response.end());
    server.on('upgrade', (request, socket) => {
      asked.push({ ...request.headers });
      socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    });
    return { asked, url: `ws://127.0.0.1:${await listening(server)}/ws/chat` };
  };
  const answers = async (listener: RequestListener) =>
    `ws://127.0.0.1:${await listening(createHttpServer(listener))}/`;
  const network = (url: string) => ({ url, caFile: null });

  test('is there when a WebSocket is given, as a session asks for it', async () => {
    const { asked, url } = await upgrades();
    expect(await tryNetwork(network(url))).toBeNull();
    expect(asked).toMatchObject([{ upgrade: 'websocket', origin: 'https://web.whatsapp.com' }]);
  });

  test('is tried through the proxy', async () => {
    const [{ url }, proxy] = [await upgrades(), await proxyOf('http')];
    const named = url.replace('127.0.0.1', 'network.invalid');
    expect(await tryNetwork(network(named), tunnel(proxy.url))).toBeNull();
    expect(proxy.asked).toEqual([new URL(named).host]);
    await proxy.stop();
    expect(await tryNetwork(network(named), tunnel(proxy.url))).toMatchObject({
      host: proxy.host,
      cause: 'proxy_unreachable',
    });
  });

  test('is not there where something else answers, or nothing', async () => {
    const url = await answers((_request, response) => response.writeHead(200).end('a portal'));
    expect(await tryNetwork(network(url))).toMatchObject({ host: new URL(url).host, cause: 'http' });
    await stops.pop()?.();
    expect(await tryNetwork(network(url))).toMatchObject({ cause: 'refused' });
  });

  test.each([
    ['Mon, 15 Jun 2026 12:00:00 GMT', Date.UTC(2026, 5, 15, 12)],
    ['some day', null],
    [undefined, null],
  ])('tells the time %j as %j', async (date, at) => {
    const url = await answers((request, response) => {
      response.sendDate = false;
      if (request.method === 'HEAD' && date !== undefined) response.setHeader('date', date);
      response.end();
    });
    expect(await timeOfNetwork(network(url))).toBe(at);
    await stops.pop()?.();
    expect(await timeOfNetwork(network(url))).toBeNull();
  });
});
