/** Why WhatsApp's server could not be reached at all, in words that say where to look. */
import { RouteFailed } from './route.ts';

/**
 * `proxy` and `http`: something answered the request for a WebSocket, but with an ordinary HTTP answer.
 * `untrusted`: what answered cannot prove that it is the network's server.
 * `proxy_unreachable` and `proxy_auth`: the device's own proxy, which `host` then names.
 */
export const UNREACHABLE_CAUSES = [
  'dns',
  'refused',
  'tls',
  'untrusted',
  'proxy',
  'http',
  'timeout',
  'network',
  'proxy_unreachable',
  'proxy_auth',
] as const;
export type UnreachableCause = (typeof UNREACHABLE_CAUSES)[number];

export interface Unreachable {
  /** Host name with the port, where one was given. */
  host: string;
  cause: UnreachableCause;
  /** What the system said: `getaddrinfo ENOTFOUND web.whatsapp.com`. */
  detail: string;
}

/** What each cause means to the operator. */
const MEANING: Record<UnreachableCause, string> = {
  dns: 'its name cannot be resolved: look at the DNS of this machine',
  refused: 'nothing listens there, or a firewall refuses the connection',
  tls: "its certificate is not trusted: a proxy that opens TLS, or this machine's clock is off",
  untrusted:
    'what answers does not prove to be its server: somebody in between opens the connection, ' +
    "WUTS_NETWORK_ROOT_KEY is another network's, or this machine's clock is off",
  proxy: 'a proxy between here and there wants to be asked first',
  http: 'it answers plain HTTP where a WebSocket was asked for: a proxy or captive portal, or WhatsApp is down',
  timeout: 'it does not answer in time: a firewall may drop the packets',
  network: 'the network does not lead there, or cut the connection',
  proxy_unreachable: 'it is the proxy of the device, which is not there or leads no further',
  proxy_auth: 'it is the proxy of the device: set its URL with the right user name and password',
};

/** As a sentence for people. */
export function unreachableText({ host, cause, detail }: Unreachable): string {
  return `${host} cannot be reached (${cause}): ${MEANING[cause]} [${detail}]`;
}

/** What a failed request for a WebSocket at `url` says of the way there. */
export function unreachable(url: string, error: unknown): Unreachable {
  if (error instanceof RouteFailed) return { host: error.host, cause: error.code, detail: error.detail };
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const name = typeof code === 'string' ? code : '';
  const said = typeof message === 'string' ? message : '';
  // Node tells of several addresses that failed as one AggregateError without a message.
  return { host: new URL(url).host, cause: causeOf(name, said), detail: said || name || 'no reason given' };
}

/** `ws` (websocket.js abortHandshake) says this with the status of an answer that is no upgrade. */
const PLAIN_ANSWER = /Unexpected server response: (\d{3})/;
/** Node's names of certificate failures (tls documentation, "X509 certificate error codes"), and OpenSSL's own. */
const TLS_CODE =
  /^(?:ERR_TLS|ERR_SSL|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|INVALID_CA|EPROTO|HOSTNAME_)/;

function causeOf(code: string, message: string): UnreachableCause {
  const plain = PLAIN_ANSWER.exec(message)?.[1];
  if (plain !== undefined) return plain === '407' || plain === '511' ? 'proxy' : 'http';
  if (code === 'ENOTFOUND' || code.startsWith('EAI_')) return 'dns';
  if (code === 'ECONNREFUSED') return 'refused';
  if (TLS_CODE.test(code)) return 'tls';
  if (code === 'ETIMEDOUT' || message.includes('timed out')) return 'timeout';
  return 'network';
}
