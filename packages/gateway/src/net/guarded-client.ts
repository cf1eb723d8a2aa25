import { isUtf8 } from 'node:buffer';
import type { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { type Readable, Transform, type TransformCallback } from 'node:stream';
import { Agent, type Dispatcher, errors, request } from 'undici';
import { timeLimit } from '../clock.ts';
import { AddressPolicy } from './address-policy.ts';
import { ForbiddenAddress, guardedConnector, withoutBrackets } from './guarded-connector.ts';

export type GuardedFailure =
  | 'bad_url'
  | 'forbidden_address'
  | 'unknown_host'
  | 'connection_failed'
  | 'timeout'
  | 'too_large'
  | 'too_many_redirects'
  | 'encoded_body'
  | 'aborted';

/** Why a guarded request failed. `message` names no address and no part of the URL: it may be shown. */
export class GuardedRequestError extends Error {
  readonly failure: GuardedFailure;
  constructor(failure: GuardedFailure, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'GuardedRequestError';
    this.failure = failure;
  }
}

export interface GuardedRequest {
  method?: 'GET' | 'HEAD' | 'POST';
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** Body bytes after which the transfer is cut: `too_large`. Infinity: the body comes as it is, with errors of its own. */
  maxBytes: number;
  /** Milliseconds for the whole exchange, the last body byte included. */
  timeoutMs: number;
  /** How many redirects are followed; each target is checked anew. Default 0. */
  maxRedirects?: number;
  /** Takes a body that is compressed against our wish, as it comes: for callers who only look at the status. */
  anyEncoding?: boolean;
  signal?: AbortSignal;
}

export interface GuardedResponse {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** The URL that answered at last, behind all redirects. */
  url: string;
  /** Its path, for a file name. */
  pathname: string;
  /** Cut with a GuardedRequestError when it grows over the cap, stalls or is aborted. Must be consumed or destroyed. */
  body: Readable;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/**
 * The codings that make a body smaller (IANA, HTTP Content Coding Registry). What else stands there codes nothing:
 * stores tell how a file came to them (`aws-chunked`, noobaa-core issue 9138) or what it is written in (`utf8`, ToolJet
 * issue 8087), and browsers take such a body as it is.
 */
const COMPRESSED = /\b(?:gzip|compress|deflate|br|zstd|dcb|dcz|pack200-gzip)\b/i;

/** Headers are read as Latin-1; what stands unencoded in a location is UTF-8, as browsers take it. */
function inUtf8(header: string): string {
  const bytes = Buffer.from(header, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : header;
}

/**
 * Checks a URL that a user chose, as far as the text tells: http(s), no credentials, no forbidden IP literal.
 * The WHATWG parser has already turned `0x7f.1`, `2130706433` and the like into dotted form.
 */
function parseTarget(url: string, base: URL | undefined, policy: AddressPolicy): URL {
  let parsed: URL;
  try {
    parsed = new URL(url, base);
  } catch (cause) {
    throw new GuardedRequestError('bad_url', 'it is not a valid URL', cause);
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    throw new GuardedRequestError('bad_url', 'only http and https URLs can be fetched');
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new GuardedRequestError('bad_url', 'a URL with a user name or password cannot be fetched');
  }
  const host = withoutBrackets(parsed.hostname);
  if (isIP(host) !== 0 && !policy.permits(host)) throw forbidden();
  return parsed;
}

function forbidden(cause?: unknown): GuardedRequestError {
  return new GuardedRequestError(
    'forbidden_address',
    'the URL leads to an address that is not public (operators can allow networks with WUTS_ALLOW_NETWORKS)',
    cause,
  );
}

function explain(error: unknown): GuardedRequestError {
  if (error instanceof GuardedRequestError) return error;
  if (error instanceof ForbiddenAddress) return forbidden(error);
  if (
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError ||
    error instanceof errors.ConnectTimeoutError ||
    (error instanceof Error && error.name === 'TimeoutError')
  ) {
    return new GuardedRequestError('timeout', 'the URL did not answer in time', error);
  }
  if (error instanceof Error && error.name === 'AbortError') {
    return new GuardedRequestError('aborted', 'the request was given up', error);
  }
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'ENODATA') {
    return new GuardedRequestError('unknown_host', 'the host name of the URL cannot be resolved', error);
  }
  return new GuardedRequestError('connection_failed', 'the connection to the URL failed', error);
}

/** Passes bytes on until the cap. */
class CappedBody extends Transform {
  #left: number;
  constructor(maxBytes: number) {
    super();
    this.#left = maxBytes;
  }
  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#left -= chunk.length;
    if (this.#left < 0) done(tooLarge());
    else done(null, chunk);
  }
}

function cappedBody(source: Readable, maxBytes: number, signal: AbortSignal): Readable {
  const body = new CappedBody(maxBytes);
  source.on('error', (error) => body.destroy(explain(signal.aborted ? signal.reason : error)));
  body.on('close', () => source.destroy());
  return source.pipe(body);
}

function tooLarge(): GuardedRequestError {
  return new GuardedRequestError('too_large', 'the URL answers with more bytes than allowed');
}

/**
 * The one client for requests to addresses that users or senders chose (media URLs, webhook URLs).
 * Redirects are followed only when asked, each target checked like the first; no header given by the
 * caller crosses to another origin.
 */
export class GuardedClient {
  readonly #policy: AddressPolicy;
  readonly #agent: Agent;

  /** `allowNetworks`: CIDR blocks of the operator. `resolveName` stands in for DNS in tests. */
  constructor(options: { allowNetworks?: readonly string[]; resolveName?: typeof lookup } = {}) {
    this.#policy = new AddressPolicy(options.allowNetworks);
    this.#agent = new Agent({
      connect: guardedConnector(this.#policy, options.resolveName),
      pipelining: 1,
      keepAliveTimeout: 10_000,
    });
  }

  /** Throws GuardedRequestError; any HTTP status is an answer, not an error. */
  async request(url: string, options: GuardedRequest): Promise<GuardedResponse> {
    const limit = timeLimit(options.timeoutMs, options.signal);
    try {
      const response = await this.#follow(url, options, limit.signal);
      response.body.once('close', limit.end);
      return response;
    } catch (error) {
      limit.end();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #follow(url: string, options: GuardedRequest, signal: AbortSignal): Promise<GuardedResponse> {
    let target = parseTarget(url, undefined, this.#policy);
    let headers = options.headers ?? {};
    for (let redirects = 0; ; redirects += 1) {
      const response = await this.#once(target, options, headers, signal);
      const location = response.headers.location;
      if (!REDIRECTS.has(response.statusCode) || typeof location !== 'string' || !options.maxRedirects) {
        return this.#deliver(target, response, options, signal);
      }
      response.body.on('error', () => undefined).destroy();
      if (redirects >= options.maxRedirects) {
        throw new GuardedRequestError('too_many_redirects', 'the URL redirects too often');
      }
      const next = parseTarget(inUtf8(location), target, this.#policy);
      if (next.origin !== target.origin) headers = {};
      target = next;
    }
  }

  async #once(
    target: URL,
    options: GuardedRequest,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    try {
      return await request(target, {
        dispatcher: this.#agent,
        method: options.method ?? 'GET',
        headers: { accept: '*/*', 'user-agent': 'WUTS', ...headers, 'accept-encoding': 'identity' },
        ...(options.body === undefined ? {} : { body: options.body }),
        signal,
        // The signal is the limit of both; undici's own timers would fire before an answer that is there was read.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
    } catch (error) {
      throw explain(error);
    }
  }

  #deliver(
    target: URL,
    response: Dispatcher.ResponseData,
    options: GuardedRequest,
    signal: AbortSignal,
  ): GuardedResponse {
    const refuse = (error: GuardedRequestError): never => {
      response.body.on('error', () => undefined).destroy();
      throw error;
    };
    // A compressed body could unfold without limit; identity was asked for.
    const encoding = [response.headers['content-encoding'] ?? ''].flat().join();
    const unwanted = COMPRESSED.test(encoding) && options.anyEncoding !== true;
    if (unwanted && options.method !== 'HEAD') {
      refuse(new GuardedRequestError('encoded_body', 'the URL answers with a compressed body'));
    }
    if (options.method !== 'HEAD' && Number(response.headers['content-length']) > options.maxBytes) {
      refuse(tooLarge());
    }
    const capped = options.maxBytes < Number.POSITIVE_INFINITY;
    const body = capped ? cappedBody(response.body, options.maxBytes, signal) : response.body;
    // Nobody may be reading it when it ends.
    if (!capped) body.on('error', () => undefined);
    return {
      status: response.statusCode,
      headers: response.headers,
      url: target.href,
      pathname: target.pathname,
      body,
    };
  }
}
