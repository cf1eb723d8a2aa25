import type { Readable } from 'node:stream';
import type { Kysely } from 'kysely';
import { type Clock, inTime } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { EventDevice, EventRecorder } from '../events/recorder.ts';
import type { MediaHttp } from '../net/media-http.ts';
import type { Log } from '../observability/log.ts';
import type { BlobStore, ByteRange } from '../storage/blobs.ts';
import type { Database } from '../storage/schema.ts';
import type { Caller } from '../tenancy/caller.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type { MediaKind, MediaRetryNotice } from '../whatsapp/port/media.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import { type CachedMedia, MediaCache } from './cache.ts';
import type { MediaVault } from './descriptor-row.ts';
import { type FetchOutcome, MediaFetcher } from './fetcher.ts';
import { type MediaCopy, MediaLibrary } from './library.ts';
import { PrefetchQueue, wantsPrefetch } from './prefetch.ts';
import { RetryAnswers } from './retry-answers.ts';
import { type RetryRequest, RetryRequests } from './retry-requests.ts';
import type { MediaSettings } from './settings.ts';

/** A file that can be served. Call `release` when no `open`ed stream will do it. */
export interface ReadyMedia {
  state: 'ready';
  /** Hex, computed over the bytes. */
  sha256: string;
  size: number;
  /** As the sender says: not to be believed by a browser. */
  mimeType: string;
  fileName: string | null;
  kind: MediaKind;
  open(range?: ByteRange): Readable;
  release(): void;
}

export type MediaAnswer =
  | ReadyMedia
  /** The file that the caller says it has is the one. */
  | { state: 'unchanged'; sha256: string }
  /** A phone was asked to upload it again: ask once more after so many seconds. */
  | { state: 'retry_requested'; retryAfterSeconds: number };

export interface ResolveOptions {
  /** Milliseconds to wait for a phone's answer instead of answering `retry_requested` at once. */
  waitMs: number;
  /** Default true. False answers `retry_requested` where a request would have been sent. */
  mayRequest?: boolean;
  /** True for the hash of a file the caller has already. */
  has?: (sha256: string) => boolean;
  signal?: AbortSignal;
}

type DeviceSession = Pick<WhatsAppSession, 'media'>;

export interface MediaServiceOptions {
  db: Kysely<Database>;
  blobs: BlobStore;
  vault: MediaVault;
  clock: Clock;
  log: Log;
  /** Hears of the phones' answers; default: nobody. */
  events?: EventRecorder;
  settings: MediaSettings;
  http: MediaHttp;
  /** The session of a connected device, or null. */
  sessions: { forDevice(deviceId: string): DeviceSession | null };
}

/** Pause suggested between two calls while a phone has not answered, in seconds. */
const POLL_SECONDS = 5;
/** A phone whose new upload was broken too is not asked again at once. */
const BROKEN_UPLOAD_PAUSE_MS = 5 * 60_000;
/** Longest time a caller is kept waiting for a download; it goes on without him. Below the edge's 120 s. */
const HOLD_MS = 100_000;
/** Most files are there by then; the rest is fetched again when somebody asks. */
const FINISH_DOWNLOADS_MS = 1000;
const HOUSEKEEPING_MS = 5 * 60_000;

/** Media of messages: from the warm cache, else from the CDN, else by asking the account's phone again. */
export class MediaService {
  /** Also used by uploads, so that what we sent can be served. */
  readonly cache: MediaCache;
  readonly #library: MediaLibrary;
  readonly #fetcher: MediaFetcher;
  readonly #requests: RetryRequests;
  readonly #answers: RetryAnswers;
  readonly #prefetch: PrefetchQueue;
  readonly #options: MediaServiceOptions;
  #cancelHousekeeping: () => void = () => undefined;
  #stopped = false;

  constructor(options: MediaServiceOptions) {
    const { db, blobs, vault, clock, log, settings, http } = options;
    this.#options = options;
    this.cache = new MediaCache({ db, blobs, clock, log, limits: settings });
    this.#library = new MediaLibrary({ db, vault, clock });
    const { cache } = this;
    this.#fetcher = new MediaFetcher({ http, cache, library: this.#library, clock, limits: settings });
    this.#requests = new RetryRequests({ db, clock, expiryMs: settings.retryExpiryMs });
    this.#prefetch = new PrefetchQueue((rowId) => this.#prefetchRow(rowId), log);
    const { library, requests } = { library: this.#library, requests: this.#requests };
    this.#answers = new RetryAnswers({ db, log, library, requests, events: options.events });
  }

  /** Puts cache and request rows in order after whatever ended the last run, and begins housekeeping. */
  async start(): Promise<void> {
    await this.cache.reconcile();
    await this.#keepHouse();
  }

  /** Answers those who wait and begins nothing more; what is being downloaded may end, for a second. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelHousekeeping();
    this.#requests.wakeAll();
    const prefetched = this.#prefetch.stop();
    await inTime(FINISH_DOWNLOADS_MS, Promise.all([prefetched, this.#fetcher.idle()]));
    await Promise.all([prefetched, this.#fetcher.stop()]);
  }

  /**
   * Finds the media of a message among the devices that the caller may see. Throws AppError MESSAGE_NOT_FOUND,
   * MEDIA_NOT_FOUND, MEDIA_GONE, DEVICE_NOT_READY, MEDIA_DOWNLOAD_FAILED or WHATSAPP_TIMEOUT.
   */
  async resolve(caller: Caller, messageId: string, options: ResolveOptions): Promise<MediaAnswer> {
    const deadline = this.#options.clock.monotonic() + options.waitMs;
    const asked = new Set<string>();
    for (;;) {
      const copies = await this.#library.copies(caller, messageId);
      if (!copies) throw new AppError('MESSAGE_NOT_FOUND');
      if (copies.length === 0) throw new AppError('MEDIA_NOT_FOUND');
      const rowIds = copies.map((copy) => copy.rowId);
      // Before anything is decided, so that no answer can slip in between.
      const watch = this.#requests.watch(rowIds, deadline, options.signal);
      try {
        const local = await this.#fromCache(copies, options);
        if (local) return local;
        const online = this.#onlineCopies(copies);
        const requests = await this.#requests.latest(caller.tenantId, rowIds);
        let open = requests.find((request) => request.state === 'open');
        if (!open) {
          const fetched = await this.#fromCdn(online);
          if (fetched.answer) return fetched.answer;
          const lost = fetched.lost.find(({ copy }) => !asked.has(copy.rowId));
          if (!lost) {
            // One request per call. Silence is no failure: the next call asks again.
            if (requests.some(({ rowId, state }) => asked.has(rowId) && state === 'expired')) {
              return this.#pending(null);
            }
            throw unanswerable(requests);
          }
          if (options.mayRequest === false) return this.#pending(null);
          await this.#request(lost, requests);
          [open] = await this.#requests.latest(caller.tenantId, [lost.copy.rowId]);
        }
        if (open) asked.add(open.rowId);
        if (this.#finished(deadline, options.signal)) return this.#pending(open ?? null);
        await watch.done;
      } finally {
        watch.cancel();
      }
    }
  }

  /** Fetches a message's file in the background, when the policy wants it. */
  prefetch(messageRowId: string): void {
    if (this.#options.settings.prefetch) this.#prefetch.add(messageRowId);
  }

  /** Takes a phone's answer to a re-upload request. Resolves when it is stored; the file is fetched afterwards. */
  async handleRetryNotice(device: EventDevice, notice: MediaRetryNotice): Promise<void> {
    const renewed = await this.#answers.take(device, notice);
    if (renewed) this.#fetchRenewed(renewed.copy, renewed.request);
  }

  async evict(): Promise<void> {
    await this.cache.evict();
  }

  /** Deletes what is cached; resolves with the number of files that are being read right now and stay. */
  emptyCache(): Promise<number> {
    return this.cache.empty();
  }

  async #keepHouse(): Promise<void> {
    await this.#requests.expireDue();
    await this.cache.evict();
    if (this.#stopped) return;
    this.#cancelHousekeeping = this.#options.clock.after(HOUSEKEEPING_MS, () => {
      this.#keepHouse().catch((error) =>
        this.#options.log.error({ err: error }, 'media housekeeping failed'),
      );
    });
  }

  async #fromCache(copies: MediaCopy[], options: ResolveOptions): Promise<MediaAnswer | null> {
    for (const copy of copies) {
      if (copy.blobSha256 && options.has?.(copy.blobSha256)) {
        return { state: 'unchanged', sha256: copy.blobSha256 };
      }
    }
    for (const copy of copies) {
      const file = copy.blobSha256 ? await this.cache.lookUp(copy.blobSha256) : null;
      if (file) return ready(copy, file);
    }
    return null;
  }

  #onlineCopies(copies: MediaCopy[]): OnlineCopy[] {
    const left = copies.filter((copy) => !copy.gone);
    if (left.length === 0) throw new AppError('MEDIA_GONE');
    const online = left.flatMap((copy) => {
      const session = this.#options.sessions.forDevice(copy.deviceId);
      return session ? [{ copy, session }] : [];
    });
    if (online.length === 0) throw new AppError('DEVICE_NOT_READY');
    return online;
  }

  /** Either the answer, or the copies that only a re-upload can bring back. */
  async #fromCdn(online: OnlineCopy[]): Promise<FromCdn> {
    const lost: Lost[] = [];
    let failure: AppError | null = null;
    for (const { copy, session } of online) {
      const result = await this.#held(this.#fetcher.fetch(copy, session));
      if (result.outcome === 'ok') return { answer: ready(copy, result.file) };
      this.#options.log.info(
        { deviceId: copy.deviceId, kind: copy.kind, outcome: result.outcome, detail: detailOf(result) },
        'media could not be fetched from the CDN',
      );
      if (result.outcome === 'expired' || result.outcome === 'corrupt') {
        lost.push({ copy, session, corrupt: result.outcome === 'corrupt' });
      } else failure ??= failureOf(result, this.#options.settings.maxBytes);
    }
    if (lost.length > 0) return { answer: null, lost };
    throw failure ?? new AppError('MEDIA_DOWNLOAD_FAILED');
  }

  async #held(fetch: Promise<FetchOutcome>): Promise<FetchOutcome> {
    let cancel: () => void = () => undefined;
    const tooLong = new Promise<null>((resolve) => {
      cancel = this.#options.clock.after(HOLD_MS, () => resolve(null));
    });
    const result = await Promise.race([fetch, tooLong]);
    cancel();
    if (result) return result;
    fetch.then(
      (late) => late.outcome === 'ok' && late.file.release(),
      () => undefined,
    );
    throw new AppError('WHATSAPP_TIMEOUT', {
      message: 'the download is still under way: ask again',
      retryAfterSeconds: POLL_SECONDS,
    });
  }

  async #request(lost: Lost, requests: RetryRequest[]): Promise<void> {
    const { copy, session } = lost;
    const last = requests.find((request) => request.rowId === copy.rowId);
    if (lost.corrupt && last?.result === 'broken_upload') {
      const since = this.#options.clock.now() - (last.answeredAt ?? 0);
      // A clock that was set back is no reason to refuse for longer.
      const pause = BROKEN_UPLOAD_PAUSE_MS - Math.max(since, 0);
      if (pause > 0) {
        throw new AppError('MEDIA_DOWNLOAD_FAILED', {
          message: 'the phone uploaded the media again, and it still does not match the message',
          retryAfterSeconds: Math.ceil(pause / 1000),
        });
      }
    }
    await onSession(() =>
      this.#requests.open(copy, () =>
        session.media.requestReupload({
          messageId: copy.messageId,
          ...addressOf(copy),
          fromMe: copy.fromMe,
          mediaKey: copy.mediaKey,
        }),
      ),
    );
  }

  #finished(deadline: number, signal?: AbortSignal): boolean {
    return this.#stopped || signal?.aborted === true || this.#options.clock.monotonic() >= deadline;
  }

  #pending(open: RetryRequest | null): MediaAnswer {
    const left = open ? Math.ceil((open.expiresAt - this.#options.clock.now()) / 1000) : POLL_SECONDS;
    return { state: 'retry_requested', retryAfterSeconds: Math.min(Math.max(left, 1), POLL_SECONDS) };
  }

  async #prefetchRow(rowId: string): Promise<void> {
    const copy = await this.#library.copy(rowId);
    if (!copy || copy.gone || !wantsPrefetch(this.#options.settings, copy)) return;
    const session = this.#options.sessions.forDevice(copy.deviceId);
    if (!session) return;
    const result = await this.#fetcher.fetch(copy, session);
    if (result.outcome === 'ok') result.file.release();
    else this.#options.log.debug({ outcome: result.outcome }, 'media was not fetched on arrival');
  }

  #fetchRenewed(copy: MediaCopy, request: RetryRequest): void {
    const session = this.#options.sessions.forDevice(copy.deviceId);
    if (!session || this.#stopped) return;
    this.#fetcher
      .fetch(copy, session)
      .then(async (result) => {
        if (result.outcome === 'ok') result.file.release();
        else if (result.outcome === 'corrupt') {
          await this.#requests.settle(copy.tenantId, request, 'failed', 'broken_upload');
        }
      })
      .catch((error) => this.#options.log.error({ err: error }, 'media uploaded again could not be fetched'));
  }
}

interface OnlineCopy {
  copy: MediaCopy;
  session: DeviceSession;
}

interface Lost extends OnlineCopy {
  corrupt: boolean;
}

type FromCdn = { answer: ReadyMedia } | { answer: null; lost: Lost[] };

function ready(copy: MediaCopy, file: CachedMedia): ReadyMedia {
  return {
    state: 'ready',
    sha256: file.sha256,
    size: file.size,
    mimeType: copy.mimeType,
    fileName: copy.fileName,
    kind: copy.kind,
    open: (range) => file.open(range),
    release: () => file.release(),
  };
}

function detailOf(result: FetchOutcome): string | null {
  if (result.outcome === 'corrupt') return result.check;
  return 'detail' in result ? result.detail : null;
}

function failureOf(result: FetchOutcome, maxBytes: number): AppError {
  switch (result.outcome) {
    case 'offline':
      return new AppError('DEVICE_NOT_READY');
    case 'too_large':
      return new AppError('MEDIA_DOWNLOAD_FAILED', {
        message: `the media is larger than ${maxBytes} bytes, the most this server downloads`,
      });
    default:
      return new AppError('MEDIA_DOWNLOAD_FAILED', {
        message: `the media could not be downloaded from WhatsApp: ${detailOf(result) ?? 'unknown reason'}`,
        retryAfterSeconds: POLL_SECONDS,
      });
  }
}

/** The phone answered while the caller waited, and the file is still not to be had. */
function unanswerable(requests: RetryRequest[]): AppError {
  const failed = requests.find((request) => request.state === 'failed');
  return new AppError('MEDIA_DOWNLOAD_FAILED', {
    message: failed
      ? `the phone could not upload the media again (${failed.result ?? 'no reason given'})`
      : 'the media could not be downloaded though the phone uploaded it again',
    retryAfterSeconds: POLL_SECONDS,
  });
}

/** The message as our own phone knows it: by the names its stanza had (whatsmeow mediaretry.go `SendMediaRetryReceipt`). */
function addressOf(copy: MediaCopy): { chat: string; participant: string | null } {
  const byLid = (jid: string, lid: string | null): string => (copy.lidAddressed && lid ? lid : jid);
  return copy.isGroup
    ? { chat: copy.chatJid, participant: byLid(copy.senderJid, copy.senderLid) }
    : { chat: byLid(copy.chatJid, copy.chatLid), participant: null };
}
