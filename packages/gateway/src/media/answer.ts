/** The possible answers to a request for the media of a message. */

import type { Readable } from 'node:stream';
import { AppError } from '../errors.ts';
import type { ByteRange } from '../storage/blobs.ts';
import type { MediaKind } from '../whatsapp/port/media.ts';
import type { CachedMedia } from './cache/cache.ts';
import type { MediaCopy } from './copies.ts';
import type { FetchOutcome } from './download/fetcher.ts';
import type { RetryRequest } from './reupload/retry-requests.ts';

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

/** Pause suggested between two calls while a phone has not answered, in seconds. */
export const POLL_SECONDS = 5;

export function ready(copy: MediaCopy, file: CachedMedia): ReadyMedia {
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

/** Why a fetch did not bring the file, for the log and the answer. */
export function detailOf(result: FetchOutcome): string | null {
  if (result.outcome === 'corrupt') return result.check;
  if (result.outcome === 'no_hosts') return result.error.message;
  return 'detail' in result ? result.detail : null;
}

/** A fetch that a new upload cannot mend. */
export function failureOf(result: FetchOutcome, maxBytes: number): AppError {
  switch (result.outcome) {
    case 'no_hosts':
      return result.error;
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
export function unanswerable(requests: RetryRequest[]): AppError {
  const failed = requests.find((request) => request.state === 'failed');
  return new AppError('MEDIA_DOWNLOAD_FAILED', {
    message: failed
      ? `the phone could not upload the media again (${failed.result ?? 'no reason given'})`
      : 'the media could not be downloaded though the phone uploaded it again',
    retryAfterSeconds: POLL_SECONDS,
  });
}
