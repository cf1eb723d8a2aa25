/** The address of a proxy, as users write it and as it may be shown. */
import { isIP } from 'node:net';
import { withoutBrackets } from './guarded-connector.ts';

/**
 * `socks5` and `socks5h` are one: the proxy resolves the names, as whatsmeow's `SetProxyAddress` has it for both
 * (golang.org/x/net/proxy sends the name). `socks4` knows addresses alone, so names are resolved here.
 */
const PROXY_KINDS = ['http', 'https', 'socks4', 'socks4a', 'socks5', 'socks5h'] as const;
export type ProxyKind = (typeof PROXY_KINDS)[number];

export interface ProxyAddress {
  kind: ProxyKind;
  /** A name or an address, without brackets. */
  host: string;
  port: number;
  username: string;
  /** A secret. */
  password: string;
}

/** `message` says what is wrong; it repeats nothing of the URL, which may hold a password. */
export class BadProxyUrl extends Error {
  override readonly name = 'BadProxyUrl';
}

/** As Go has them (net/http, golang.org/x/net/proxy). */
const DEFAULT_PORTS: Record<ProxyKind, number> = {
  http: 80,
  https: 443,
  socks4: 1080,
  socks4a: 1080,
  socks5: 1080,
  socks5h: 1080,
};
export const MAX_URL_LENGTH = 2048;
/** One byte says how long each of them is (RFC 1929). */
const MAX_SOCKS5_BYTES = 255;
const SCHEME = /^([a-z0-9]{1,10}):\/\//i;

/** Throws BadProxyUrl. */
export function parseProxyUrl(text: string): ProxyAddress {
  const trimmed = text.trim();
  if (trimmed.length > MAX_URL_LENGTH) throw new BadProxyUrl(`is longer than ${MAX_URL_LENGTH} characters`);
  const scheme = SCHEME.exec(trimmed)?.[1]?.toLowerCase();
  const kind = PROXY_KINDS.find((each) => each === scheme);
  if (kind === undefined || scheme === undefined) {
    throw new BadProxyUrl(
      `must be a URL beginning with ${PROXY_KINDS.map((each) => `${each}://`).join(', ')}`,
    );
  }
  // Only schemes that the WHATWG parser knows have a host that it reads as one (`0x7f.1`, `[::1]`, `bücher.example`).
  const rest = trimmed.slice(scheme.length);
  const url = URL.canParse(`http${rest}`) ? new URL(`http${rest}`) : null;
  if (!url || /\s/.test(trimmed) || url.hostname === '') throw new BadProxyUrl('is not a valid URL');
  if ((url.pathname !== '/' && url.pathname !== '') || url.search !== '' || url.hash !== '') {
    throw new BadProxyUrl('must end after host and port');
  }
  // It leaves out the port that is its scheme's own.
  const port = Number(url.port || new URL(`https${rest}`).port || DEFAULT_PORTS[kind]);
  if (port === 0) throw new BadProxyUrl('must name a port from 1 to 65535');
  const address = {
    kind,
    host: withoutBrackets(url.hostname),
    port,
    username: decoded(url.username),
    password: decoded(url.password),
  };
  checkCredentials(address);
  return address;
}

/** With credentials; `parseProxyUrl` gives the same address of it. */
export function proxyUrl({ username, password, ...address }: ProxyAddress): string {
  const user = username === '' ? '' : encodeURIComponent(username);
  const secret = password === '' ? '' : `:${encodeURIComponent(password)}`;
  return written(address, `${user}${secret}`);
}

/** What answers, logs and errors show of it. */
export function maskedProxyUrl({ username, password, ...address }: ProxyAddress): string {
  return written(address, `${encodeURIComponent(username)}${password === '' ? '' : ':***'}`);
}

/** `host:port`, an IPv6 address in brackets. */
export function hostAndPort(host: string, port: number): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

function written({ kind, host, port }: Pick<ProxyAddress, 'kind' | 'host' | 'port'>, who: string): string {
  return `${kind}://${who === '' ? '' : `${who}@`}${hostAndPort(host, port)}`;
}

function checkCredentials({ kind, username, password }: ProxyAddress): void {
  const isSocks5 = kind === 'socks5' || kind === 'socks5h';
  const long = [username, password].some((each) => Buffer.byteLength(each) > MAX_SOCKS5_BYTES);
  if (isSocks5 && long)
    throw new BadProxyUrl(`SOCKS5 takes credentials of at most ${MAX_SOCKS5_BYTES} bytes`);
  if (isSocks5 && username === '' && password !== '') throw new BadProxyUrl('a password needs a user name');
  if ((kind === 'socks4' || kind === 'socks4a') && password !== '') {
    throw new BadProxyUrl('SOCKS4 knows a user name and no password');
  }
  if (/\p{Cc}/u.test(username + password))
    throw new BadProxyUrl('credentials must not have control characters');
  if (!isSocks5 && username.includes(':')) throw new BadProxyUrl('a user name must not contain a colon');
}

/** A `%` that begins no escape stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
