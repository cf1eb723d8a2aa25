import { type Clock, timeLimit } from '../../clock.ts';
import {
  ForbiddenMediaTarget,
  type MediaHost,
  type MediaHttp,
  type MediaResponse,
} from '../../net/media-http.ts';
import type { StagedBlob } from '../../storage/blobs.ts';
import { AES_BLOCK_BYTES, MAC_BYTES, mmsType } from '../keys.ts';
import {
  type FailedCheck,
  type MediaOpener,
  type MediaPromise,
  MediaVerificationError,
  openMedia,
  type VerifiedMedia,
} from './decrypt.ts';

export interface DownloadRequest {
  http: MediaHttp;
  clock: Clock;
  /** Best first, as `MediaHttp.allowedHosts` gave them. */
  hosts: MediaHost[];
  directPath: string;
  promise: MediaPromise;
  /** Empty; on `ok` it holds the plaintext, not yet committed. The caller discards it otherwise. */
  staged: StagedBlob;
  /** Largest plaintext taken. */
  maxBytes: number;
  /** Milliseconds for everything together. */
  timeoutMs: number;
  signal?: AbortSignal;
}

export type DownloadResult =
  | { outcome: 'ok'; media: VerifiedMedia }
  /** The path is no longer served: only a re-upload helps. */
  | { outcome: 'expired'; detail: string }
  /** Every host gave bytes that are not what the message promised. */
  | { outcome: 'corrupt'; check: FailedCheck }
  | { outcome: 'too_large' }
  /** No host gave an answer that decides anything: worth another try later. */
  | { outcome: 'unreachable'; detail: string };

/** How often all hosts are gone through before `unreachable`. */
const ROUNDS = 3;
const FIRST_PAUSE_MS = 500;
/** Broken connections that brought something are resumed at once, up to so many times per host and round. */
const RESUMPTIONS = 5;

type Step =
  | { kind: 'complete'; media: VerifiedMedia }
  | { kind: 'corrupt'; check: FailedCheck }
  | { kind: 'expired'; status: number }
  | { kind: 'too_large' }
  | { kind: 'failed'; detail: string };

/**
 * Fetches one file into `staged`, decrypting and verifying on the way. A broken connection is continued with
 * `Range` from the byte reached, also on another host: cipher and hash states live on between attempts.
 * Throws only on local failures (disk full).
 */
export async function downloadMedia(request: DownloadRequest): Promise<DownloadResult> {
  return new Download(request).run();
}

class Download {
  readonly #request: DownloadRequest;
  readonly #signal: AbortSignal;
  readonly #rejected = new Map<string, FailedCheck>();
  #opener: MediaOpener;
  /** Responses that the bytes received so far came from. */
  #pieces = 0;
  /** Without the parameters that the client adds to the direct path. */
  #bare: boolean;

  constructor(request: DownloadRequest) {
    this.#request = request;
    const timeout = timeLimit(request.timeoutMs).signal;
    this.#signal = request.signal ? AbortSignal.any([timeout, request.signal]) : timeout;
    this.#opener = openMedia(request.promise);
    this.#bare = request.promise.mediaKey.length === 0;
  }

  async run(): Promise<DownloadResult> {
    let detail = 'no media host is known';
    for (let round = 0; round < ROUNDS; round += 1) {
      if (round > 0) await this.#pause(FIRST_PAUSE_MS * 2 ** (round - 1));
      for (const host of this.#request.hosts) {
        if (this.#rejected.has(host.host)) continue;
        const step = await this.#fromHost(host);
        if (step.kind === 'complete') return { outcome: 'ok', media: step.media };
        if (step.kind === 'expired') return { outcome: 'expired', detail: `HTTP ${step.status}` };
        if (step.kind === 'too_large') return { outcome: 'too_large' };
        if (step.kind === 'corrupt') {
          this.#rejected.set(host.host, step.check);
          // The ciphertext was the promised one: another host has the same, and a resumption changes nothing.
          if (step.check === 'plaintext_hash' || step.check === 'length') break;
        } else {
          detail = step.detail;
        }
        if (this.#signal.aborted) break;
      }
      const check = [...this.#rejected.values()].at(-1);
      const noneLeft = this.#rejected.size >= this.#request.hosts.length || this.#signal.aborted;
      if (check && (noneLeft || check === 'plaintext_hash' || check === 'length' || round === ROUNDS - 1)) {
        return { outcome: 'corrupt', check };
      }
      if (this.#signal.aborted) return { outcome: 'unreachable', detail: 'it took too long' };
      if (this.#request.hosts.length === 0) break;
    }
    return { outcome: 'unreachable', detail };
  }

  async #fromHost(host: MediaHost): Promise<Step> {
    for (let resumptions = 0; ; resumptions += 1) {
      const before = this.#opener.received;
      const step = await this.#attempt(host);
      const more = resumptions < RESUMPTIONS && !this.#signal.aborted;
      if (step.kind === 'failed' && more && this.#opener.received > before) continue;
      if (step.kind === 'corrupt') {
        // Bytes put together from several answers may be wrong though each host is right.
        const patched = this.#pieces > 1;
        await this.#restart();
        if (patched && more) continue;
      }
      return step;
    }
  }

  async #restart(): Promise<void> {
    this.#opener = openMedia(this.#request.promise);
    this.#pieces = 0;
    await this.#request.staged.restart();
  }

  async #attempt(host: MediaHost): Promise<Step> {
    const { http, directPath } = this.#request;
    const offset = this.#opener.received;
    let response: MediaResponse;
    try {
      response = await http.download(host, this.#path(directPath), offset, this.#signal);
    } catch (error) {
      // A path that cannot be asked for is as good as an expired one: the phone may know a better.
      if (error instanceof ForbiddenMediaTarget) return { kind: 'expired', status: 400 };
      return { kind: 'failed', detail: networkDetail(error) };
    }
    try {
      return await this.#judge(host, response, offset);
    } finally {
      response.body.on('error', () => undefined).destroy();
    }
  }

  async #judge(host: MediaHost, response: MediaResponse, offset: number): Promise<Step> {
    const { status } = response;
    if (status === 403 && !this.#bare) {
      // Some documents are refused with the client's parameters and served without (seen in waha#2131).
      this.#bare = true;
      return this.#attempt(host);
    }
    if (status === 403 || status === 404 || status === 410) return { kind: 'expired', status };
    // Nothing lies behind what we have: the last connection broke after its last byte.
    if (status === 416 && offset > 0) return this.#verdict();
    if (status !== 200 && status !== 206) return { kind: 'failed', detail: `HTTP ${status}` };
    const start = status === 206 ? rangeStart(response.headers['content-range']) : 0;
    if (start === null || start > offset) return { kind: 'failed', detail: 'a wrong range was answered' };
    return this.#receive(response, offset - start);
  }

  /** Takes a body whose first `skip` bytes we have already. */
  async #receive(response: MediaResponse, skip: number): Promise<Step> {
    const limit = this.#request.maxBytes + AES_BLOCK_BYTES + MAC_BYTES;
    if (Number(response.headers['content-length']) - skip + this.#opener.received > limit) {
      return { kind: 'too_large' };
    }
    this.#pieces += 1;
    const chunks = response.body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    let toSkip = skip;
    for (;;) {
      let next: IteratorResult<Uint8Array>;
      try {
        next = await chunks.next();
      } catch (error) {
        return { kind: 'failed', detail: networkDetail(error) };
      }
      if (next.done) return this.#verdict();
      const chunk = next.value.subarray(Math.min(toSkip, next.value.length));
      toSkip -= next.value.length - chunk.length;
      if (this.#opener.received + chunk.length > limit) return { kind: 'too_large' };
      for (const plain of this.#opener.push(chunk)) await this.#request.staged.write(plain);
    }
  }

  async #verdict(): Promise<Step> {
    try {
      const { rest, media } = this.#opener.finish();
      await this.#request.staged.write(rest);
      return media.size > this.#request.maxBytes ? { kind: 'too_large' } : { kind: 'complete', media };
    } catch (error) {
      if (error instanceof MediaVerificationError) return { kind: 'corrupt', check: error.check };
      throw error;
    }
  }

  /** `&hash=…&mms-type=…&__wa-mms=` as the client sends it (whatsmeow download.go DownloadMediaWithPath). */
  #path(directPath: string): string {
    if (this.#bare) return directPath;
    const { fileEncSha256, kind } = this.#request.promise;
    const hash = fileEncSha256 ? `hash=${base64url(fileEncSha256)}&` : '';
    return `${directPath}${directPath.includes('?') ? '&' : '?'}${hash}mms-type=${mmsType(kind)}&__wa-mms=`;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#signal.aborted) return resolve();
      const done = (): void => {
        cancel();
        this.#signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#request.clock.after(ms, done);
      this.#signal.addEventListener('abort', done);
    });
  }
}

/** With padding, as the client writes it. */
function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

function rangeStart(header: string | string[] | undefined): number | null {
  const match = /^bytes (\d+)-/.exec(typeof header === 'string' ? header : '');
  return match ? Number(match[1]) : null;
}

/** A network error by its code alone: its text may name the path, which is a key to the file. */
function networkDetail(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? `connection failed (${code})` : 'connection failed';
}
