import type { Clock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import type { MediaHost, MediaHttp } from '../../net/media-http.ts';
import { fromSession } from '../../whatsapp/port/app-errors.ts';
import type { SessionMedia } from '../../whatsapp/port/media.ts';
import type { CachedMedia, MediaCache } from '../cache/cache.ts';
import { type MediaCopies, type MediaCopy, promiseOf } from '../copies.ts';
import { mediaKeyFingerprint } from '../keys.ts';
import { type DownloadResult, downloadMedia } from './download.ts';

/** What a fetch needs of a linked device. */
/** The part of a session that downloads and uploads need. */
export interface MediaSession {
  media: Pick<SessionMedia, 'connection'>;
}

export type FetchOutcome =
  | { outcome: 'ok'; file: CachedMedia }
  /** WhatsApp did not say where its media hosts are: it refused or was silent, or the connection went. */
  | { outcome: 'no_hosts'; error: AppError }
  | Exclude<DownloadResult, { outcome: 'ok' }>;

/** Brings a copy's file into the cache: one download per file and tenant at a time, however many ask. */
export class MediaFetcher {
  readonly #parts: {
    http: MediaHttp;
    cache: MediaCache;
    copies: MediaCopies;
    clock: Clock;
    limits: { maxBytes: number; downloadTimeoutMs: number };
  };
  readonly #flights = new Map<string, Flight>();
  /** Calls of `fetch`: a flight has landed before its file is noted for the message. */
  readonly #fetches = new Set<Promise<FetchOutcome>>();
  readonly #stopping = new AbortController();

  constructor(parts: {
    http: MediaHttp;
    cache: MediaCache;
    copies: MediaCopies;
    clock: Clock;
    limits: { maxBytes: number; downloadTimeoutMs: number };
  }) {
    this.#parts = parts;
  }

  /**
   * The caller must release the file. `mostBytes` are fetched of it, whatever its sender said of its length;
   * default: as many as the settings allow. Rejects on local failures only (disk, database).
   */
  fetch(copy: MediaCopy, session: MediaSession, mostBytes?: number): Promise<FetchOutcome> {
    const { maxBytes } = this.#parts.limits;
    const fetched = this.#fetch(copy, session, Math.min(mostBytes ?? maxBytes, maxBytes)).finally(() =>
      this.#fetches.delete(fetched),
    );
    this.#fetches.add(fetched);
    return fetched;
  }

  /** Resolves when the fetches that are under way have ended, with success or without. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#fetches);
  }

  /** Breaks off the fetches that are under way and waits for their end. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.idle();
  }

  async #fetch(copy: MediaCopy, session: MediaSession, mostBytes: number): Promise<FetchOutcome> {
    const key = flightKey(copy);
    let flight = this.#flights.get(key);
    if (!flight) {
      flight = { mostBytes, landing: this.#fly(copy, session, mostBytes) };
      this.#flights.set(key, flight);
      const landed = (): boolean => this.#flights.delete(key);
      flight.landing.then((result) => {
        landed();
        // Everyone who waited has taken a lease by then: their continuations run before the next tick.
        if (result.outcome === 'ok') setImmediate(() => result.file.release());
      }, landed);
    }
    const result = await flight.landing;
    // Broken off by the bound of another, who was first.
    if (result.outcome === 'too_large' && flight.mostBytes < mostBytes) {
      return this.#fetch(copy, session, mostBytes);
    }
    if (result.outcome !== 'ok') return result;
    const file = result.file.share();
    try {
      if (copy.blobSha256 !== file.sha256) {
        await copy.proved(file.sha256);
      }
    } catch (error) {
      file.release();
      throw error;
    }
    return { outcome: 'ok', file };
  }

  async #fly(copy: MediaCopy, session: MediaSession, mostBytes: number): Promise<FetchOutcome> {
    const { cache, copies } = this.#parts;
    const proven = await copies.provenTwin(copy);
    const cached = proven ? await cache.of(copy.tenantId).lookUp(proven) : null;
    if (cached) return { outcome: 'ok', file: cached };
    if (copy.directPath === null) return { outcome: 'expired', detail: 'the message has no path' };
    let hosts: MediaHost[];
    try {
      hosts = this.#parts.http.allowedHosts(await session.media.connection());
    } catch (error) {
      const told = fromSession(error, { message: 'WhatsApp did not say where its media hosts are' });
      if (told instanceof AppError) return { outcome: 'no_hosts', error: told };
      throw error;
    }
    const mine = cache.of(copy.tenantId);
    const staged = await mine.stage();
    try {
      const result = await downloadMedia({
        http: this.#parts.http,
        clock: this.#parts.clock,
        hosts,
        directPath: copy.directPath,
        promise: promiseOf(copy),
        staged,
        maxBytes: mostBytes,
        timeoutMs: this.#parts.limits.downloadTimeoutMs,
        signal: this.#stopping.signal,
      });
      if (result.outcome !== 'ok') return result;
      return { outcome: 'ok', file: await mine.admit(staged, result.media.sha256) };
    } finally {
      await staged.discard();
    }
  }
}

/** A download under way. */
interface Flight {
  mostBytes: number;
  landing: Promise<FetchOutcome>;
}

/**
 * Two copies share a download when everything that decides its result is the same. The key is part of it:
 * a sender who names another's ciphertext hash but not its key must not join that download.
 */
function flightKey(copy: MediaCopy): string {
  return [
    copy.tenantId,
    mediaKeyFingerprint(copy.kind, copy.mediaKey),
    copy.encSha256,
    copy.sha256,
    copy.fileLength,
    copy.directPath,
  ].join('|');
}
