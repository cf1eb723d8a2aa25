import type { Kysely } from 'kysely';
import { type Clock, inTime } from '../clock.ts';
import type { MediaConfig } from '../config.ts';
import { AppError } from '../errors.ts';
import type { EventDevice, EventRecorder } from '../events/recorder.ts';
import type { MessageName } from '../identity/message-name.ts';
import type { MediaHttp } from '../net/media-http.ts';
import type { Log } from '../observability/log.ts';
import type { BlobStore } from '../storage/blobs.ts';
import type { Database } from '../storage/schema.ts';
import type { Caller } from '../tenancy/caller.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import type { SealedRetryAnswer } from '../whatsapp/port/media.ts';
import { type MediaAnswer, POLL_SECONDS, ready, unanswerable } from './answer.ts';
import { type CacheLimits, MediaCache } from './cache/cache.ts';
import { MediaCopies, type MediaCopy } from './copies.ts';
import type { MediaVault } from './descriptor-row.ts';
import { BackgroundFetches } from './download/background-fetches.ts';
import { type DeviceSessions, Downloading } from './download/downloading.ts';
import { MediaFetcher } from './download/fetcher.ts';
import { type FurtherDescriptor, FurtherFiles } from './download/further-files.ts';
import { RetryAnswers } from './reupload/retry-answers.ts';
import { type RetryRequest, RetryRequests } from './reupload/retry-requests.ts';
import { askForUpload } from './reupload/upload-again.ts';

export interface ResolveOptions {
  /** Milliseconds to wait for a phone's answer instead of answering `retry_requested` at once. */
  waitMs: number;
  /** Which of several files; default 0, the first. */
  index?: number;
  /** Default true. False answers `retry_requested` where a request would have been sent. */
  mayRequest?: boolean;
  /** True for the hash of a file the caller has already. */
  has?: (sha256: string) => boolean;
  signal?: AbortSignal;
}

export interface MediaServiceParts {
  db: Kysely<Database>;
  blobs: BlobStore;
  vault: MediaVault;
  clock: Clock;
  log: Log;
  /** Hears of the phones' answers; default: nobody. */
  events?: EventRecorder;
  settings: MediaConfig & Pick<CacheLimits, 'cachedBytesOfTenant'>;
  http: MediaHttp;
  /** Row ids of the copies of the message that is meant, the first stored first; throws MESSAGE_NOT_FOUND. */
  messages(caller: Caller, name: MessageName): Promise<string[]>;
  sessions: DeviceSessions;
  /** Default: no message has several files. */
  furtherFile?: FurtherDescriptor;
}

/** Most files are there by then; the rest is fetched again when somebody asks. */
const FINISH_DOWNLOADS_MS = 1000;
const HOUSEKEEPING_MS = 5 * 60_000;

/** Media of messages: from the warm cache, else from the CDN, else by asking the account's phone again. */
export class MediaService {
  /** Also used by uploads, so that what we sent can be served. */
  readonly cache: MediaCache;
  readonly #copies: MediaCopies;
  readonly #fetcher: MediaFetcher;
  readonly #requests: RetryRequests;
  readonly #answers: RetryAnswers;
  readonly #downloading: Downloading;
  readonly #background: BackgroundFetches;
  readonly #further: FurtherFiles;
  readonly #parts: MediaServiceParts;
  #cancelHousekeeping: () => void = () => undefined;
  #stopped = false;

  constructor(parts: MediaServiceParts) {
    const { db, blobs, vault, clock, log, settings, http } = parts;
    this.#parts = parts;
    this.cache = new MediaCache({ db, blobs, clock, log, limits: settings });
    this.#copies = new MediaCopies({ db, vault, clock });
    const { cache } = this;
    this.#further = new FurtherFiles(parts.furtherFile ?? (async () => null));
    this.#fetcher = new MediaFetcher({ http, cache, copies: this.#copies, clock, limits: settings });
    this.#requests = new RetryRequests({ db, clock, expiryMs: settings.retryExpiryMs });
    const all = { ...parts, copies: this.#copies, requests: this.#requests, fetcher: this.#fetcher };
    this.#downloading = new Downloading(all);
    this.#background = new BackgroundFetches(all);
    this.#answers = new RetryAnswers({ ...all, events: parts.events });
  }

  /** Puts cache and request rows in order after whatever ended the last run, and begins housekeeping. */
  async start(): Promise<void> {
    await this.cache.reconcile();
    await this.#keepHouse();
    this.#keepHouseLater();
  }

  /** Answers those who wait and begins nothing more; what is being downloaded may end, for a second. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelHousekeeping();
    this.#requests.wakeAll();
    const prefetched = this.#background.stop();
    await inTime(FINISH_DOWNLOADS_MS, Promise.all([prefetched, this.#fetcher.idle()]));
    await Promise.all([prefetched, this.#fetcher.stop()]);
  }

  /**
   * Finds the media of a message among the devices that the caller may see. Throws AppError MESSAGE_NOT_FOUND,
   * MEDIA_NOT_FOUND, MEDIA_GONE, DEVICE_NOT_READY, MEDIA_DOWNLOAD_FAILED or WHATSAPP_TIMEOUT.
   */
  async resolve(caller: Caller, name: MessageName, options: ResolveOptions): Promise<MediaAnswer> {
    if (options.index) return this.#resolveFurther(caller, name, options.index, options);
    const deadline = this.#parts.clock.monotonic() + options.waitMs;
    const asked = new Set<string>();
    for (;;) {
      const copies = await this.#copies.copies(await this.#parts.messages(caller, name));
      if (copies.length === 0) throw new AppError('MEDIA_NOT_FOUND');
      const rowIds = copies.map((copy) => copy.rowId);
      // Before anything is decided, so that no answer can slip in between.
      const watch = this.#requests.watch(rowIds, deadline, options.signal);
      try {
        const local = await this.#fromCache(copies, options);
        if (local) return local;
        const online = await this.#downloading.online(copies);
        const requests = await this.#requests.latest(caller.tenantId, rowIds);
        let open = requests.find((request) => request.state === 'open');
        if (!open) {
          const fetched = await this.#downloading.fetch(online);
          if (fetched.answer) return fetched.answer;
          const lost = fetched.lost.filter(({ copy }) => !asked.has(copy.rowId));
          if (lost.length === 0) {
            // One request per call. Silence is no failure: the next call asks again.
            if (requests.some(({ rowId, state }) => asked.has(rowId) && state === 'expired')) {
              return this.#pending(null);
            }
            throw unanswerable(requests);
          }
          if (options.mayRequest === false) return this.#pending(null);
          const parts = { requests: this.#requests, clock: this.#parts.clock };
          const { rowId } = await askForUpload(parts, lost, requests);
          [open] = await this.#requests.latest(caller.tenantId, [rowId]);
        }
        if (open) asked.add(open.rowId);
        if (this.#finished(deadline, options.signal)) return this.#pending(open ?? null);
        await watch.done;
      } finally {
        watch.cancel();
      }
    }
  }

  async #resolveFurther(
    caller: Caller,
    name: MessageName,
    index: number,
    options: ResolveOptions,
  ): Promise<MediaAnswer> {
    const first = await this.#copies.copies(await this.#parts.messages(caller, name));
    const copies = await this.#further.at(first, index);
    if (copies.length === 0) throw new AppError('MEDIA_NOT_FOUND');
    const local = await this.#fromCache(copies, options);
    if (local) return local;
    const { answer } = await this.#downloading.fetch(await this.#downloading.online(copies));
    if (!answer) throw new AppError('MEDIA_GONE');
    return answer;
  }

  /** Fetches a message's file in the background, when the policy wants it. */
  prefetch(messageRowId: string): void {
    this.#background.arrived(messageRowId);
  }

  /** Takes a phone's answer to a re-upload request. Resolves when it is stored; the file is fetched afterwards. */
  async handleRetryAnswer(device: EventDevice & Identity, answer: SealedRetryAnswer): Promise<void> {
    const renewed = await this.#answers.take(device, answer);
    if (renewed) this.#background.renewed(renewed.copy, renewed.request);
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
  }

  /** A failure is logged, and the next time tries again. */
  #keepHouseLater(): void {
    if (this.#stopped) return;
    this.#cancelHousekeeping = this.#parts.clock.after(HOUSEKEEPING_MS, () => {
      void this.#keepHouse()
        .catch((error) => this.#parts.log.error({ err: error }, 'media housekeeping failed'))
        .finally(() => this.#keepHouseLater());
    });
  }

  async #fromCache(copies: MediaCopy[], options: ResolveOptions): Promise<MediaAnswer | null> {
    for (const copy of copies) {
      if (copy.blobSha256 && options.has?.(copy.blobSha256)) {
        return { state: 'unchanged', sha256: copy.blobSha256 };
      }
    }
    for (const copy of copies) {
      const file = copy.blobSha256 ? await this.cache.of(copy.tenantId).lookUp(copy.blobSha256) : null;
      if (file) return ready(copy, file);
    }
    return null;
  }

  #finished(deadline: number, signal?: AbortSignal): boolean {
    return this.#stopped || signal?.aborted === true || this.#parts.clock.monotonic() >= deadline;
  }

  #pending(open: RetryRequest | null): MediaAnswer {
    const left = open ? Math.ceil((open.expiresAt - this.#parts.clock.now()) / 1000) : POLL_SECONDS;
    return { state: 'retry_requested', retryAfterSeconds: Math.min(Math.max(left, 1), POLL_SECONDS) };
  }
}
