/** One POST to one endpoint, and what came of it. */
import { afterHearing, type Clock } from '../clock.ts';
import type { MediaUrls } from '../events/media-urls.ts';
import { type EnvelopeRow, SealedEvents } from '../events/sealed-events.ts';
import {
  type GuardedClient,
  type GuardedFailure,
  GuardedRequestError,
  type GuardedResponse,
} from '../net/guarded-client.ts';
import type { Vault } from '../storage/vault.ts';
import { VERSION } from '../version.ts';
import { retryAfter } from './schedule.ts';
import { signBody, standardSignature } from './signature.ts';

/** Why an attempt failed, in one stable word. */
export type AttemptError =
  | 'status'
  | 'redirect'
  | 'gone'
  | 'timeout'
  | 'refused'
  | 'reset'
  | 'tls'
  | 'unknown_host'
  | 'blocked_address'
  | 'bad_url'
  | 'connection_failed';

export interface AttemptTarget {
  url: string;
  timeoutMs: number;
  secret: string | null;
  headers: Record<string, string>;
}

export interface AttemptResult {
  /** When it began, milliseconds. */
  at: number;
  tookMs: number;
  /** HTTP status; null when there was no answer. */
  status: number | null;
  /** Null for success: any 2xx. */
  error: AttemptError | null;
  responseHead: string | null;
  /** What the receiver asked for, milliseconds from the end of the attempt on. */
  retryAfterMs: number | null;
}

export type PushedEvent = EnvelopeRow;

const KEPT_BYTES = 1024;
/** Read to the end, so that the connection can be used again; a longer answer costs its connection. */
const DRAINED_BYTES = 64 * 1024;

export class Attempts {
  readonly #client: GuardedClient;
  readonly #clock: Clock;
  readonly #sealed: SealedEvents;
  /** Of the requests under way. One signal for all of them would keep a trace of each for ever (Node 20). */
  readonly #underWay = new Set<AbortController>();
  #brokenOff = false;

  constructor(parts: { client: GuardedClient; clock: Clock; vault: Vault; mediaUrls?: MediaUrls }) {
    this.#client = parts.client;
    this.#clock = parts.clock;
    this.#sealed = new SealedEvents(parts);
  }

  /** Ends what is under way. Nothing may be begun after it. */
  breakOff(): void {
    this.#brokenOff = true;
    for (const ending of this.#underWay) ending.abort();
  }

  /** Never throws. Null when it was broken off before an answer came: then nothing was learned. */
  async make(
    target: AttemptTarget,
    event: PushedEvent,
    delivery: { id: string; attempt: number },
  ): Promise<AttemptResult | null> {
    const at = this.#clock.now();
    const begun = this.#clock.monotonic();
    const ending = new AbortController();
    let late = false;
    this.#underWay.add(ending);
    const cancel = afterHearing(this.#clock, target.timeoutMs, () => {
      late = true;
      ending.abort();
    });
    const outcome = (
      status: number | null,
      error: AttemptError | null,
      rest: Partial<AttemptResult> = {},
    ) => {
      const tookMs = this.#clock.monotonic() - begun;
      return { at, tookMs, status, error, responseHead: null, retryAfterMs: null, ...rest };
    };
    try {
      const response = await this.#client.request(target.url, {
        method: 'POST',
        ...this.#request(target, event, delivery, at),
        maxBytes: Number.POSITIVE_INFINITY,
        anyEncoding: true,
        timeoutMs: target.timeoutMs,
        signal: ending.signal,
      });
      const responseHead = await head(response);
      const error = failureOf(response.status);
      const wait = error === null ? null : retryAfter(response.headers['retry-after'], this.#clock.now());
      return outcome(response.status, error, { responseHead, retryAfterMs: wait });
    } catch (error) {
      if (late) return outcome(null, 'timeout');
      if (this.#brokenOff) return null;
      return outcome(null, errorWord(error));
    } finally {
      this.#underWay.delete(ending);
      cancel();
    }
  }

  #request(
    target: AttemptTarget,
    event: PushedEvent,
    delivery: { id: string; attempt: number },
    at: number,
  ): { body: string; headers: Record<string, string> } {
    const { secret } = target;
    const { body, signature } = signBody(JSON.stringify(this.#sealed.envelope(event)), secret);
    const timestampSeconds = Math.floor(at / 1000);
    const own: Record<string, string> = {
      'webhook-id': event.id,
      'webhook-timestamp': String(timestampSeconds),
      'x-wuts-event': event.name,
      'x-wuts-delivery': delivery.id,
      'x-wuts-attempt': String(delivery.attempt),
    };
    if (secret !== null && signature !== null) {
      own['webhook-signature'] = standardSignature(secret, { id: event.id, timestampSeconds, body });
      own['x-wuts-signature'] = signature;
    }
    const given = Object.entries(target.headers).map(([name, value]) => [name.toLowerCase(), value]);
    return { body, headers: { ...DEFAULT_HEADERS, ...Object.fromEntries(given), ...own } };
  }
}

/** Those that an endpoint may set otherwise. */
const DEFAULT_HEADERS = { 'content-type': 'application/json', 'user-agent': `WUTS/${VERSION}` };

function failureOf(status: number): AttemptError | null {
  if (status >= 200 && status < 300) return null;
  if (status === 410) return 'gone';
  return status >= 300 && status < 400 ? 'redirect' : 'status';
}

/** The first bytes of the answer. The status says all that counts: a body that breaks off changes nothing. */
async function head(response: GuardedResponse): Promise<string | null> {
  const kept: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      if (length < KEPT_BYTES) kept.push(chunk.subarray(0, KEPT_BYTES - length));
      length += chunk.length;
      if (length > DRAINED_BYTES) break;
    }
  } catch {
    // Cut off or too slow.
  }
  response.body.destroy();
  // PostgreSQL stores no U+0000 in a text.
  const text = Buffer.concat(kept).toString('utf8').replaceAll('\0', '\uFFFD');
  return text === '' ? null : text;
}

const FAILURES: Partial<Record<GuardedFailure, AttemptError>> = {
  timeout: 'timeout',
  forbidden_address: 'blocked_address',
  unknown_host: 'unknown_host',
  bad_url: 'bad_url',
};
const RESETS = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);
/** OpenSSL's reasons for refusing a certificate, as Node names them. */
const TLS_CODE = /^(?:ERR_TLS|ERR_SSL|EPROTO|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|HOSTNAME_MISMATCH)/;

function errorWord(error: unknown): AttemptError {
  if (!(error instanceof GuardedRequestError)) return 'connection_failed';
  const known = FAILURES[error.failure];
  if (known) return known;
  const code = error.cause instanceof Error ? ((error.cause as NodeJS.ErrnoException).code ?? '') : '';
  if (code === 'ECONNREFUSED') return 'refused';
  if (RESETS.has(code)) return 'reset';
  return TLS_CODE.test(code) ? 'tls' : 'connection_failed';
}
