/** Fetching a file while its caller waits. */
import type { Clock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import type { DeviceId, TenantId } from '../../ids.ts';
import type { Log } from '../../observability/log.ts';
import type { WhatsAppSession } from '../../whatsapp/port/session.ts';
import { detailOf, failureOf, POLL_SECONDS, type ReadyMedia, ready } from '../answer.ts';
import type { MediaCopy } from '../copies.ts';
import type { FetchOutcome, MediaFetcher } from './fetcher.ts';

export type DeviceSession = Pick<WhatsAppSession, 'media'>;

/** The session of a connected device, or null. */
export interface DeviceSessions {
  forDevice(deviceId: DeviceId): DeviceSession | null;
  /** The error for a device that `forDevice` has no session of. */
  notReady(tenantId: TenantId, deviceId: DeviceId): Promise<AppError>;
}

/** Longest time a caller is kept waiting for a download; it goes on without him. Below the edge's 120 s. */
const HOLD_MS = 100_000;

/** A copy whose device is connected. */
export interface OnlineCopy {
  copy: MediaCopy;
  session: DeviceSession;
}

/** A copy that only a new upload brings back. */
export interface LostCopy extends OnlineCopy {
  corrupt: boolean;
}

export type Downloaded = { answer: ReadyMedia } | { answer: null; lost: LostCopy[] };

export class Downloading {
  readonly #fetcher: MediaFetcher;
  readonly #sessions: DeviceSessions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #maxBytes: number;

  constructor(parts: {
    fetcher: MediaFetcher;
    sessions: DeviceSessions;
    clock: Clock;
    log: Log;
    settings: { maxBytes: number };
  }) {
    this.#fetcher = parts.fetcher;
    this.#sessions = parts.sessions;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#maxBytes = parts.settings.maxBytes;
  }

  /** Those of the copies that can be fetched. Throws AppError MEDIA_GONE or DEVICE_NOT_READY when none can. */
  async online(copies: MediaCopy[]): Promise<OnlineCopy[]> {
    const left = copies.filter((copy) => !copy.gone);
    const [first] = left;
    if (first === undefined) throw new AppError('MEDIA_GONE');
    const online = left.flatMap((copy) => {
      const session = this.#sessions.forDevice(copy.deviceId);
      return session ? [{ copy, session }] : [];
    });
    if (online.length === 0) throw await this.#sessions.notReady(first.tenantId, first.deviceId);
    return online;
  }

  /** Either the answer, or the copies that only a re-upload can bring back. */
  async fetch(online: OnlineCopy[]): Promise<Downloaded> {
    const lost: LostCopy[] = [];
    let failure: AppError | null = null;
    for (const { copy, session } of online) {
      const result = await this.#inTime(this.#fetcher.fetch(copy, session));
      if (result.outcome === 'ok') return { answer: ready(copy, result.file) };
      this.#log.info(
        { device_id: copy.deviceId, kind: copy.kind, outcome: result.outcome, detail: detailOf(result) },
        'media could not be fetched from the CDN',
      );
      if (result.outcome === 'expired' || result.outcome === 'corrupt') {
        lost.push({ copy, session, corrupt: result.outcome === 'corrupt' });
      } else failure ??= failureOf(result, this.#maxBytes);
    }
    if (lost.length > 0) return { answer: null, lost };
    throw failure ?? new AppError('MEDIA_DOWNLOAD_FAILED');
  }

  async #inTime(fetch: Promise<FetchOutcome>): Promise<FetchOutcome> {
    let cancel: () => void = () => undefined;
    const tooLong = new Promise<null>((resolve) => {
      cancel = this.#clock.after(HOLD_MS, () => resolve(null));
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
}
