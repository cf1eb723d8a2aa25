import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { rootCertificates } from 'node:tls';
import { LRUCache } from 'lru-cache';
import { Agent, type buildConnector, type Dispatcher, request } from 'undici';
import type { MediaConnection } from '../whatsapp/port/media.ts';
import type { Route } from '../whatsapp/port/route.ts';
import { withoutBrackets } from './guarded-connector.ts';
import { openTls } from './tunnel-agent.ts';

/** The client's default media host (Baileys DEF_MEDIA_HOST): stands in when media_conn names none. */
const DEFAULT_MEDIA_HOST = 'mmg.whatsapp.net';
/** What WhatsApp Web sends to the media hosts (whatsmeow download.go doMediaDownloadRequest). */
const ORIGIN = 'https://web.whatsapp.com';
/** `host`, `host:port` or `[ipv6]:port`: nothing that could move the authority of a URL elsewhere. */
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253})|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;
/** Proxies whose connections are kept open for the next file; the others' are made anew. */
const MOST_ROUTES = 200;
const CONNECT_TIMEOUT_MS = 10_000;
/** Real direct paths have about 200 characters. */
const MAX_PATH_LENGTH = 4096;

export interface MediaHttpOptions {
  /** PEM file of a further CA for the media hosts; null on the default network. */
  caFile: string | null;
  /** True when the gateway talks to the real WhatsApp. */
  defaultNetwork: boolean;
  /** Milliseconds without a byte after which a transfer counts as broken. Default 30 s. */
  stallTimeoutMs?: number;
}

/** The request could not be built: the host or path is not one that may be asked. */
export class ForbiddenMediaTarget extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ForbiddenMediaTarget';
  }
}

/** A media host and the way there. `allowedHosts` gives it; there is no other way to name one. */
export interface MediaHost {
  readonly host: string;
  /** Null: directly. */
  readonly route: Route | null;
}

export interface MediaResponse {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Readable;
}

/**
 * Talks to WhatsApp's media hosts, and to no other. Hosts come from the server's `media_conn` over the
 * authenticated socket; the `url` inside a message is its sender's choice and is never looked at.
 * Redirects are not followed.
 */
export class MediaHttp {
  readonly #direct: Agent;
  readonly #defaultNetwork: boolean;
  readonly #ca: string[] | undefined;
  readonly #limits: Agent.Options;
  /** Connections through one proxy are never used for another one's traffic. */
  readonly #agents = new LRUCache<Route, Agent>({ max: MOST_ROUTES, dispose: (agent) => void agent.close() });

  /** Reads the CA file at once, so that a wrong path stops the start and not the first download. */
  constructor(options: MediaHttpOptions) {
    this.#defaultNetwork = options.defaultNetwork;
    const stall = options.stallTimeoutMs ?? 30_000;
    this.#ca = options.caFile ? [...rootCertificates, readFileSync(options.caFile, 'utf8')] : undefined;
    this.#limits = { connections: 32, pipelining: 1, headersTimeout: stall, bodyTimeout: stall };
    const ca = this.#ca ? { ca: this.#ca } : {};
    this.#direct = new Agent({ ...this.#limits, connect: { timeout: CONNECT_TIMEOUT_MS, ...ca } });
  }

  /** The hosts that may be asked, best first. */
  allowedHosts({ hosts: named, route }: MediaConnection): MediaHost[] {
    const hosts = named.filter((host) => HOST.test(host));
    if (this.#defaultNetwork && !hosts.includes(DEFAULT_MEDIA_HOST)) hosts.push(DEFAULT_MEDIA_HOST);
    return hosts.map((host) => ({ host, route }));
  }

  #dispatcher(route: Route | null): Dispatcher {
    if (route === null) return this.#direct;
    const known = this.#agents.get(route);
    if (known) return known;
    const agent = new Agent({ ...this.#limits, connect: this.#through(route) });
    this.#agents.set(route, agent);
    return agent;
  }

  /** Asks `host` for a path, from byte `offset` on. Any HTTP status is an answer; network failures throw. */
  async download(from: MediaHost, path: string, offset: number, signal: AbortSignal): Promise<MediaResponse> {
    return this.#send(from, path, {
      method: 'GET',
      headers: offset > 0 ? { range: `bytes=${offset}-` } : {},
      signal,
    });
  }

  /** Posts `length` bytes. Any HTTP status is an answer; network failures throw. */
  async upload(
    to: MediaHost,
    path: string,
    { body, length }: { body: Readable; length: number },
    signal: AbortSignal,
  ): Promise<MediaResponse> {
    return this.#send(to, path, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(length) },
      body,
      signal,
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.#direct, ...this.#agents.values()].map((agent) => agent.destroy()));
  }

  /** A failing proxy fails the request: there is no second way. */
  #through(route: Route): buildConnector.connector {
    return (options, callback) => {
      const to = { host: withoutBrackets(options.hostname), port: Number(options.port || 443) };
      openTls(route, to, this.#ca ?? null).then(
        (socket) => callback(null, socket),
        (error: Error) => callback(error, null),
      );
    };
  }

  async #send(
    { host, route }: MediaHost,
    path: string,
    options: {
      method: 'GET' | 'POST';
      headers: Record<string, string>;
      body?: Readable;
      signal: AbortSignal;
    },
  ): Promise<MediaResponse> {
    const response: Dispatcher.ResponseData = await request(mediaUrl(host, path), {
      ...options,
      dispatcher: this.#dispatcher(route),
      headers: {
        ...options.headers,
        origin: ORIGIN,
        referer: `${ORIGIN}/`,
        // The ciphertext does not compress, and its exact bytes are hashed.
        'accept-encoding': 'identity',
      },
    });
    return { status: response.statusCode, headers: response.headers, body: response.body };
  }
}

/** Joins host and path and makes sure that the path (a sender's text) did not move the request elsewhere. */
function mediaUrl(host: string, path: string): URL {
  if (!HOST.test(host)) throw new ForbiddenMediaTarget('not a media host');
  if (!path.startsWith('/') || path.length > MAX_PATH_LENGTH)
    throw new ForbiddenMediaTarget('not a direct path');
  const url = new URL(`https://${host}${path}`);
  const expected = new URL(`https://${host}/`);
  if (url.origin !== expected.origin || url.username !== '' || url.password !== '') {
    throw new ForbiddenMediaTarget('the direct path names another host');
  }
  return url;
}
