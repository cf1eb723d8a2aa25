/** Files that are fetched though nobody waits for them: on arrival, and when a phone has uploaded them again. */

import type { MediaConfig } from '../../config.ts';
import type { Log } from '../../observability/log.ts';
import type { MediaCopies, MediaCopy } from '../copies.ts';
import type { RetryRequest, RetryRequests } from '../reupload/retry-requests.ts';
import type { DeviceSessions } from './downloading.ts';
import type { MediaFetcher } from './fetcher.ts';
import { PrefetchQueue, wantsPrefetch } from './prefetch.ts';

interface Parts {
  fetcher: MediaFetcher;
  copies: MediaCopies;
  requests: RetryRequests;
  sessions: DeviceSessions;
  log: Log;
  settings: MediaConfig;
}

export class BackgroundFetches {
  readonly #parts: Parts;
  readonly #queue: PrefetchQueue;
  #stopped = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#queue = new PrefetchQueue((rowId) => this.#prefetchRow(rowId), parts.log);
  }

  /** A message with media was stored. */
  arrived(messageRowId: string): void {
    if (this.#parts.settings.prefetch) this.#queue.add(messageRowId);
  }

  async #prefetchRow(rowId: string): Promise<void> {
    const copy = await this.#parts.copies.copy(rowId);
    if (!copy || copy.gone || !wantsPrefetch(this.#parts.settings, copy)) return;
    const session = this.#parts.sessions.forDevice(copy.deviceId);
    if (!session) return;
    const { prefetchMaxBytes } = this.#parts.settings;
    const result = await this.#parts.fetcher.fetch(copy, session, prefetchMaxBytes);
    if (result.outcome === 'ok') result.file.release();
    else this.#parts.log.debug({ outcome: result.outcome }, 'media was not fetched on arrival');
  }

  /** A phone answered `request` with a new path. */
  renewed(copy: MediaCopy, request: RetryRequest): void {
    const session = this.#parts.sessions.forDevice(copy.deviceId);
    if (!session || this.#stopped) return;
    this.#parts.fetcher
      .fetch(copy, session)
      .then(async (result) => {
        if (result.outcome === 'ok') result.file.release();
        else if (result.outcome === 'corrupt') {
          await this.#parts.requests.close(copy.tenantId, request, {
            state: 'failed',
            result: 'broken_upload',
          });
        }
      })
      .catch((error) => this.#parts.log.error({ err: error }, 'media uploaded again could not be fetched'));
  }

  /** Begins no more; resolves when those on arrival have ended. */
  stop(): Promise<void> {
    this.#stopped = true;
    return this.#queue.stop();
  }
}
