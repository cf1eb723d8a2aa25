import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { GuardedClient } from '../../net/guarded-client.ts';
import type { MediaHttp } from '../../net/media-http.ts';
import type { Work } from '../../quotas/fair-slots.ts';
import type { Scratch } from '../../storage/scratch.ts';
import type { MediaKind } from '../../whatsapp/port/media.ts';
import type { MediaCache } from '../cache/cache.ts';
import type { MediaSession } from '../download/fetcher.ts';
import { Ffmpeg } from '../prepare/ffmpeg.ts';
import { DEFAULT_PICTURES, type PictureReader, Pictures } from '../prepare/pictures.ts';
import { MediaPreparation } from '../prepare/preparation.ts';
import { Sounds } from '../prepare/sounds.ts';
import { tooLargeMedia } from './base64.ts';
import { type FileContent, type OpenedSource, openBase64, openUrl } from './fetch-source.ts';
import { type Page, readPage } from './page.ts';
import { prepareUpload, type UploadedMedia, uploadForChannel } from './upload.ts';
import { Uploads } from './uploads.ts';

export interface OutboundFilesParts {
  client: GuardedClient;
  http: MediaHttp;
  scratch: Scratch;
  /** What was sent is kept here, so that it can be served like what was received. */
  cache: MediaCache;
  /** Plaintext bytes. */
  maxBytes: number;
  /** Milliseconds for a caller's URL to deliver everything. Default and most 45 s: the edge answers within 60. */
  urlTimeoutMs?: number;
  /** Files that came as parts of a request. */
  uploads?: Uploads;
  /** Default: the ffmpeg on the PATH. */
  ffmpeg?: Ffmpeg;
  /** What reads and converts sound where there is no ffmpeg. */
  sounds?: Sounds;
  pictures?: Pictures;
}

export interface FilesOfMessage {
  /** What is made and measured of sound and video. */
  readonly prepare: MediaPreparation;
  readonly pictures: PictureReader;
  open: OutboundFiles['open'];
  page: OutboundFiles['page'];
  /** Encrypts, unless it is for a channel, and uploads; see `prepareUpload` for the errors. */
  upload(
    session: MediaSession,
    kind: MediaKind,
    media: FileContent,
    signal?: AbortSignal,
  ): Promise<UploadedMedia>;
}

const URL_TIMEOUT_MS = 45_000;
/** For tests and tools that set nothing. */
const DEFAULT_FFMPEG = { path: 'ffmpeg', timeoutMs: 300_000, concurrency: 2, longestMs: 2 * 3600_000 };

/** Files on their way out: from what a caller gave to WhatsApp's media hosts. */
export class OutboundFiles {
  readonly #parts: OutboundFilesParts;
  readonly #uploads: Uploads;
  readonly #ffmpeg: Ffmpeg;
  readonly #sounds: Sounds;
  readonly #pictures: Pictures;

  constructor(parts: OutboundFilesParts) {
    this.#parts = parts;
    this.#uploads = parts.uploads ?? new Uploads(parts.scratch);
    this.#ffmpeg = parts.ffmpeg ?? new Ffmpeg(DEFAULT_FFMPEG);
    this.#sounds = parts.sounds ?? new Sounds(DEFAULT_FFMPEG);
    this.#pictures = parts.pictures ?? new Pictures(DEFAULT_PICTURES, parts.scratch);
  }

  /**
   * The files of one message, prepared on behalf of its tenant and as long as its caller waits. `forChannel`: they
   * are uploaded as they are.
   */
  for(work: Work, forChannel = false): FilesOfMessage {
    return {
      prepare: new MediaPreparation({
        ffmpeg: this.#ffmpeg,
        sounds: this.#sounds,
        scratch: this.#parts.scratch,
        maxBytes: this.#parts.maxBytes,
        work,
      }),
      pictures: this.#pictures.for(work),
      open: (input, options) => this.open(input, { ...options, signal: options.signal ?? work.signal }),
      page: (url) => this.page(url),
      upload: (session, kind, { content }, signal = work.signal) => {
        const cache = this.#parts.cache.of(work.tenantId);
        const source = sourceOf(content);
        const { http, maxBytes } = this.#parts;
        const upload = forChannel ? uploadForChannel : prepareUpload;
        return upload({ session, kind, source, http, cache, maxBytes, signal });
      },
    };
  }

  /**
   * Gets hold of a file given as base64, data URI or URL. `field` is the request's member for base64; that for
   * the URL is `<field>_url`. Throws AppError INVALID_MEDIA or PAYLOAD_TOO_LARGE.
   */
  async open(
    input: { base64: string } | { url: string },
    options: { field: string; maxBytes?: number; signal?: AbortSignal | undefined },
  ): Promise<OpenedSource> {
    const { signal } = options;
    const limits = {
      ...(signal ? { signal } : {}),
      maxBytes: Math.min(options.maxBytes ?? this.#parts.maxBytes, this.#parts.maxBytes),
      timeoutMs: Math.min(this.#parts.urlTimeoutMs ?? URL_TIMEOUT_MS, URL_TIMEOUT_MS),
    };
    const upload = 'base64' in input ? this.#uploads.find(input.base64) : null;
    if (upload) {
      if (upload.size <= limits.maxBytes) return upload;
      throw tooLargeMedia(options.field, `it is larger than ${limits.maxBytes} bytes`);
    }
    return 'url' in input
      ? openUrl(input.url, `${options.field}_url`, limits, this.#parts)
      : openBase64(input.base64, options.field, limits);
  }

  /** Up to half a megabyte of the HTML behind a URL; null for anything else. */
  page(url: string): Promise<Page | null> {
    return readPage(this.#parts.client, url);
  }
}

function sourceOf(content: FileContent['content']): Readable | Uint8Array {
  if ('stream' in content) return content.stream();
  return 'path' in content ? createReadStream(content.path) : content.bytes;
}
