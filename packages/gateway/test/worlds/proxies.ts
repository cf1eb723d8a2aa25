/**
 * Proxies as others wrote them, on loopback. Names that end in `.invalid` lead to this machine for them and to
 * nobody else (RFC 6761, 6.4): what asks for one has come through a proxy.
 */
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import socksv5 from '@heroku/socksv5';
import { createProxy } from 'proxy';
import socks4 from 'socks4';

export const PROXY_USER = 'shop';
export const PROXY_PASSWORD = 'p@ss:w0rd/%';

export interface TestProxy {
  /** With the right credentials. */
  readonly url: string;
  readonly host: string;
  /** `host:port` of each connection that was asked for, as it was asked. */
  readonly asked: readonly string[];
  /** Connections that did not get past the credentials. */
  readonly refused: number;
  /** What it does not connect to; HTTP alone. */
  refuses: (target: string) => boolean;
  /** Cuts everything and listens no more. */
  stop(): Promise<void>;
}

export type Kind = 'http' | 'https' | 'socks4' | 'socks4a' | 'socks5' | 'socks5h';

interface Told {
  asked: string[];
  refused: number;
  refuses: (target: string) => boolean;
  /** Of clients. */
  sockets: Set<Socket>;
}

export async function startProxy(kind: Kind, tls?: { key: string; cert: string }): Promise<TestProxy> {
  const told: Told = { asked: [], refused: 0, refuses: () => false, sockets: new Set() };
  const server = serverOf(kind, told, tls);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const password = kind === 'socks4' || kind === 'socks4a' ? '' : `:${encodeURIComponent(PROXY_PASSWORD)}`;
  return {
    url: `${kind}://${PROXY_USER}${password}@${host}`,
    host,
    asked: told.asked,
    get refused() {
      return told.refused;
    },
    set refuses(refuses: Told['refuses']) {
      told.refuses = refuses;
    },
    stop: async () => {
      for (const socket of told.sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function serverOf(kind: Kind, told: Told, tls?: { key: string; cert: string }): Server {
  switch (kind) {
    case 'http':
      return httpProxy(createHttpServer(), told);
    case 'https':
      return httpProxy(createHttpsServer(tls ?? {}) as unknown as ReturnType<typeof createHttpServer>, told);
    case 'socks4':
    case 'socks4a':
      return socks4Proxy(told);
    case 'socks5':
    case 'socks5h':
      return socks5Proxy(told);
  }
}

function keep(told: Told, socket: Socket): void {
  told.sockets.add(socket);
  socket.on('error', () => undefined);
  socket.once('close', () => told.sockets.delete(socket));
}

function httpProxy(server: ReturnType<typeof createHttpServer>, told: Told): Server {
  // Before the proxy itself: it connects to what the request then says.
  server.on('connect', (request: IncomingMessage) => {
    keep(told, request.socket);
    told.asked.push(request.url ?? '');
    // Nothing listens there.
    if (told.refuses(request.url ?? '')) request.url = '127.0.0.1:9';
    request.url = request.url?.replace(/^[\w.-]+\.invalid:/, '127.0.0.1:');
  });
  const proxy = createProxy(server);
  proxy.authenticate = (request: IncomingMessage) => {
    const right = `Basic ${Buffer.from(`${PROXY_USER}:${PROXY_PASSWORD}`).toString('base64')}`;
    const known = request.headers['proxy-authorization'] === right;
    if (!known) told.refused += 1;
    return known;
  };
  return proxy;
}

function socks5Proxy(told: Told): Server {
  const server = socksv5.createServer(({ dstAddr, dstPort }, accept, deny) => {
    told.asked.push(`${dstAddr}:${dstPort}`);
    const target = connect(dstPort, dstAddr.endsWith('.invalid') ? '127.0.0.1' : dstAddr);
    target.once('error', deny);
    target.once('connect', () => {
      const socket = accept(true);
      if (!socket) return;
      keep(told, socket);
      target.on('error', () => undefined);
      socket.pipe(target).pipe(socket);
      target.once('close', () => socket.destroy());
      socket.once('close', () => target.destroy());
    });
  });
  const { METHOD, server: check } = socksv5.auth.UserPassword((user, password, known) => {
    const right = user === PROXY_USER && password === PROXY_PASSWORD;
    if (!right) told.refused += 1;
    known(right);
  });
  // What the package does on a wrong password ends in a function that Node has no more (`util.isError`).
  server.useAuth({
    METHOD,
    server: (stream, done) => check(stream, (result) => (result === true ? done(true) : stream.end())),
  });
  return server._srv;
}

function socks4Proxy(told: Told): Server {
  const server = socks4.createServer();
  server.on('connect', (request) => {
    keep(told, request.socket);
    told.asked.push(`${request.host}:${request.port}`);
    if (request.host.endsWith('.invalid')) request.host = '127.0.0.1';
    server.proxyRequest(request);
  });
  return server;
}
