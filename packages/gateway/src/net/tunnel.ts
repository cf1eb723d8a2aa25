/** Connections through a proxy. */
import { lookup } from 'node:dns/promises';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Agent } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { SocksClient } from 'socks';
import { timeLimit } from '../clock.ts';
import { type Route, RouteFailed, type RouteFailure } from '../whatsapp/port/route.ts';
import { ForbiddenAddress, type guardedConnector } from './guarded-connector.ts';
import { hostAndPort, type ProxyAddress } from './proxy-address.ts';
import { TunnelAgent } from './tunnel-agent.ts';

/** For the proxy to answer and to connect onwards. */
const OPEN_WITHIN_MS = 20_000;

interface Target {
  host: string;
  port: number;
}

/** The way through one proxy. Its own address is a user's choice: `connector` guards it. */
export class Tunnel implements Route {
  readonly host: string;
  readonly #proxy: ProxyAddress;
  readonly #connector: ReturnType<typeof guardedConnector>;

  constructor(proxy: ProxyAddress, connector: ReturnType<typeof guardedConnector>) {
    this.host = hostAndPort(proxy.host, proxy.port);
    this.#proxy = proxy;
    this.#connector = connector;
  }

  async connect(to: Target): Promise<Socket> {
    const socket = await this.#dial();
    const limit = timeLimit(OPEN_WITHIN_MS);
    limit.signal.addEventListener('abort', () => socket.destroy(), { once: true });
    try {
      const opened = await this.#ask(socket, to);
      // Whoever uses it listens a moment later; an error until then would end the process.
      opened.on('error', () => undefined);
      return opened;
    } catch (error) {
      socket.destroy();
      if (error instanceof RouteFailed) throw error;
      throw this.#failed(limit.signal.aborted ? 'it does not answer in time' : told(error));
    } finally {
      limit.end();
    }
  }

  agent(options: { secure: boolean; ca: string[] | null }): Agent {
    return new TunnelAgent(this, options);
  }

  #dial(): Promise<Socket> {
    const { kind, host, port } = this.#proxy;
    const literal = isIP(host) === 6 ? `[${host}]` : host;
    return new Promise((resolve, reject) => {
      this.#connector(
        {
          protocol: kind === 'https' ? 'https:' : 'http:',
          hostname: literal,
          host: literal,
          port: String(port),
        },
        (error, socket) => {
          if (socket) resolve(socket);
          else reject(this.#failed(told(error)));
        },
      );
    });
  }

  #ask(socket: Socket, to: Target): Promise<Socket> {
    switch (this.#proxy.kind) {
      case 'http':
      case 'https':
        return this.#askHttp(socket, to);
      case 'socks4':
        return this.#askSocks(socket, to, 4, true);
      case 'socks4a':
        return this.#askSocks(socket, to, 4);
      case 'socks5':
      case 'socks5h':
        return this.#askSocks(socket, to, 5);
    }
  }

  /** RFC 9110, 9.3.6. */
  #askHttp(socket: Socket, to: Target): Promise<Socket> {
    const authority = hostAndPort(to.host, to.port);
    const { username, password } = this.#proxy;
    const credentials = Buffer.from(`${username}:${password}`).toString('base64');
    const headers = {
      host: authority,
      ...(username === '' && password === '' ? {} : { 'proxy-authorization': `Basic ${credentials}` }),
    };
    return new Promise((resolve, reject) => {
      const asked: ClientRequest = httpRequest({
        method: 'CONNECT',
        path: authority,
        headers,
        createConnection: () => socket,
      });
      asked.once('error', reject);
      asked.once('connect', ({ statusCode = 0 }: IncomingMessage, opened: Socket, head: Buffer) => {
        if (statusCode >= 200 && statusCode < 300) {
          if (head.length > 0) opened.unshift(head);
          resolve(opened);
        } else if (statusCode === 407)
          reject(this.#failed('it does not take the user name and password', 'proxy_auth'));
        else reject(this.#failed(`it answers HTTP ${statusCode} when asked for ${authority}`));
      });
      asked.end();
    });
  }

  async #askSocks(socket: Socket, to: Target, type: 4 | 5, resolvedHere = false): Promise<Socket> {
    const { host, port, username, password } = this.#proxy;
    const destination = resolvedHere ? { ...to, host: await addressOf(to.host) } : to;
    try {
      const { socket: opened } = await SocksClient.createConnection({
        proxy: { host, port, type, ...(username === '' ? {} : { userId: username, password }) },
        command: 'connect',
        destination,
        existing_socket: socket,
        timeout: OPEN_WITHIN_MS,
      });
      return opened;
    } catch (error) {
      // The library's error carries the options, and with them the password: it goes no further.
      throw this.#socksFailure(told(error), to);
    }
  }

  #socksFailure(said: string, to: Target): RouteFailed {
    // The library's words for an answer to a name and password, and for SOCKS4's to a user (socks, constants.js ERRORS).
    if (/auth|ident/i.test(said))
      return this.#failed('it does not take the user name and password', 'proxy_auth');
    return this.#failed(`it gives no way to ${hostAndPort(to.host, to.port)}: ${said}`);
  }

  #failed(detail: string, failure: RouteFailure = 'proxy_unreachable'): RouteFailed {
    return new RouteFailed(failure, this.host, detail);
  }
}

/** SOCKS4 has room for an IPv4 address. */
async function addressOf(host: string): Promise<string> {
  if (isIP(host) === 4) return host;
  const { address } = await lookup(host, { family: 4 });
  return address;
}

function told(error: unknown): string {
  if (error instanceof ForbiddenAddress) {
    return 'its address is not public (operators can allow networks with WUTS_ALLOW_NETWORKS)';
  }
  const { code, message } = (error ?? {}) as NodeJS.ErrnoException;
  // Node tells of several addresses that failed as one AggregateError without a message.
  return message || code || 'the connection failed';
}
