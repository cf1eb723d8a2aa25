/** HTTP and TLS over connections through a proxy. */
import type { ClientRequestArgs } from 'node:http';
import { Agent } from 'node:https';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { timeLimit } from '../clock.ts';
import type { Route } from '../whatsapp/port/route.ts';

const HANDSHAKE_WITHIN_MS = 10_000;

/** TLS with the host at the far end: the proxy sees ciphertext. `ca`: instead of the system's. */
export async function openTls(
  route: Pick<Route, 'connect'>,
  to: { host: string; port: number },
  ca: string[] | null,
): Promise<TLSSocket> {
  const socket = await route.connect(to);
  const secure = connectTls({
    socket,
    host: to.host,
    ...(isIP(to.host) === 0 ? { servername: to.host } : {}),
    ...(ca ? { ca } : {}),
    ALPNProtocols: ['http/1.1'],
  });
  const limit = timeLimit(HANDSHAKE_WITHIN_MS);
  limit.signal.addEventListener('abort', () => secure.destroy(limit.signal.reason), { once: true });
  return new Promise((resolve, reject) => {
    secure.once('error', reject);
    secure.once('secureConnect', () => {
      limit.end();
      secure.off('error', reject);
      resolve(secure);
    });
    secure.once('close', () => {
      limit.end();
      reject(new Error('the connection was closed during the TLS handshake'));
    });
  });
}

/** Connects by the route and nothing else; a failing one fails the request. */
export class TunnelAgent extends Agent {
  readonly #route: Pick<Route, 'connect'>;
  readonly #tls: { secure: boolean; ca: string[] | null };

  constructor(route: Pick<Route, 'connect'>, tls: { secure: boolean; ca: string[] | null }) {
    super({ keepAlive: false });
    // Node compares it with the protocol of the request (_http_client.js); its types do not know it.
    Object.assign(this, { protocol: tls.secure ? 'https:' : 'http:' });
    this.#route = route;
    this.#tls = tls;
  }

  override createConnection(
    options: ClientRequestArgs,
    connected?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    const { secure, ca } = this.#tls;
    const to = { host: options.host ?? '', port: Number(options.port ?? (secure ? 443 : 80)) };
    const opened: Promise<Duplex> = secure ? openTls(this.#route, to, ca) : this.#route.connect(to);
    opened.then(
      (socket) => connected?.(null, socket),
      // Node takes an error without a socket.
      (error: Error) => (connected as ((error: Error) => void) | undefined)?.(error),
    );
    return undefined;
  }
}
