import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { systemClock, timeLimit } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import type { MediaHttp } from '../../net/media-http.ts';
import type { StagedBlob } from '../../storage/blobs.ts';
import { onSession } from '../../whatsapp/port/app-errors.ts';
import type { MediaKind } from '../../whatsapp/port/media.ts';
import type { TenantCache } from '../cache/cache.ts';
import type { MediaSession } from '../download/fetcher.ts';
import { mmsType } from '../keys.ts';
import { rememberOwnUpload } from '../own-uploads.ts';
import { encryptMedia } from './encrypt.ts';

/** What a media message carries about its file. */
export interface UploadedMedia {
  url: string;
  directPath: string;
  /** 32 bytes, a secret; empty for a file that is not encrypted. */
  mediaKey: Uint8Array;
  /** SHA-256 of the plaintext, 32 bytes. */
  fileSha256: Uint8Array;
  /** SHA-256 of ciphertext and MAC, 32 bytes; null for a file that is not encrypted. */
  fileEncSha256: Uint8Array | null;
  /** Plaintext bytes. */
  fileLength: number;
  /** Seconds since the epoch, as the message carries it. */
  mediaKeyTimestamp: number;
  /** What the host answered to a file for a channel: its post names it to the server. */
  handle: string | null;
}

export interface UploadRequest {
  session: MediaSession;
  kind: MediaKind;
  source: Readable | Uint8Array;
  /** Plaintext bytes. */
  maxBytes: number;
  http: MediaHttp;
  /**
   * The plaintext is kept here, so that the sent file can be served without a download. The message's row
   * may read it when it is made with the very `mediaKey` object of the result (own-uploads.ts).
   */
  cache: TenantCache;
  /** Milliseconds for the upload. Default 5 minutes. */
  timeoutMs?: number;
  /** Ends the upload; its reason is thrown. */
  signal?: AbortSignal | undefined;
}

const UPLOAD_TIMEOUT_MS = 5 * 60_000;
/** An answer holds two paths and a handle. */
const MAX_ANSWER_BYTES = 64 * 1024;

type UploadAnswer = Pick<UploadedMedia, 'url' | 'directPath' | 'handle'>;

/**
 * Encrypts a file on its way to disk and posts it to the media hosts in turn:
 * `POST https://HOST/mms/TYPE/TOKEN?auth=…&token=…`, TOKEN being the base64url SHA-256 of the encrypted file
 * (whatsmeow upload.go rawUpload; Baileys getWAUploadToServer). An expired ticket (401) is renewed once.
 *
 * Throws AppError PAYLOAD_TOO_LARGE, DEVICE_NOT_READY, WHATSAPP_TIMEOUT or UPLOAD_FAILED.
 */
export async function prepareUpload(request: UploadRequest): Promise<UploadedMedia> {
  const plain = await request.cache.stage();
  const encrypted = await request.cache.stage();
  try {
    const media = await encryptMedia(request.kind, kept(request, plain), (bytes) => encrypted.write(bytes));
    const { url, directPath } = await post(request, {
      folder: `mms/${mmsType(request.kind)}`,
      token: media.fileEncSha256,
      body: encrypted,
    });
    return await uploaded(request, plain, { ...media, url, directPath, handle: null });
  } finally {
    await Promise.all([plain.discard(), encrypted.discard()]);
  }
}

/**
 * As `prepareUpload`, for a post in a channel: the file goes as it is to `/newsletter/newsletter-TYPE/TOKEN`, TOKEN
 * being the SHA-256 of the file itself (whatsmeow upload.go UploadNewsletter; Baileys MEDIA_PATH_MAP).
 */
export async function uploadForChannel(request: UploadRequest): Promise<UploadedMedia> {
  const plain = await request.cache.stage();
  try {
    const hash = createHash('sha256');
    for await (const chunk of kept(request, plain)) hash.update(chunk);
    const fileSha256 = hash.digest();
    const folder = `newsletter/newsletter-${mmsType(request.kind)}`;
    const answer = await post(request, { folder, token: fileSha256, body: plain });
    return await uploaded(request, plain, {
      ...answer,
      // Of its own, so that `own-uploads.ts` knows the file by it.
      mediaKey: Buffer.alloc(0),
      fileSha256,
      fileEncSha256: null,
      fileLength: plain.size,
    });
  } finally {
    await plain.discard();
  }
}

/** Keeps the file for those who ask for it, and says what its message carries. */
async function uploaded(
  { cache }: UploadRequest,
  plain: StagedBlob,
  media: Omit<UploadedMedia, 'mediaKeyTimestamp'>,
): Promise<UploadedMedia> {
  const file = await cache.admit(plain, Buffer.from(media.fileSha256).toString('hex'));
  file.release();
  rememberOwnUpload(media.mediaKey, file.sha256);
  const { url, directPath, mediaKey, fileSha256, fileEncSha256, fileLength, handle } = media;
  const mediaKeyTimestamp = Math.floor(systemClock.now() / 1000);
  return { url, directPath, mediaKey, fileSha256, fileEncSha256, fileLength, mediaKeyTimestamp, handle };
}

async function* kept(request: UploadRequest, plain: StagedBlob): AsyncGenerator<Uint8Array> {
  const chunks = request.source instanceof Uint8Array ? [request.source] : request.source;
  for await (const chunk of chunks as AsyncIterable<Uint8Array> | Uint8Array[]) {
    if (plain.size + chunk.length > request.maxBytes) {
      throw new AppError('PAYLOAD_TOO_LARGE', {
        message: `the media is larger than ${request.maxBytes} bytes`,
      });
    }
    await plain.write(chunk);
    yield chunk;
  }
}

interface Posted {
  /** Of the path, without slashes around it. */
  folder: string;
  /** SHA-256 of the body. */
  token: Buffer;
  body: StagedBlob;
}

async function post(request: UploadRequest, posted: Posted): Promise<UploadAnswer> {
  const limit = timeLimit(request.timeoutMs ?? UPLOAD_TIMEOUT_MS).signal;
  const signal = request.signal ? AbortSignal.any([limit, request.signal]) : limit;
  const token = posted.token.toString('base64url');
  let detail = 'no media host is known';
  for (const refresh of [false, true]) {
    const connection = await ticket(request, refresh);
    const query = `auth=${encodeURIComponent(connection.auth)}&token=${token}`;
    const path = `/${posted.folder}/${token}?${query}`;
    let unauthorized = false;
    for (const host of request.http.allowedHosts(connection)) {
      try {
        const sent = { body: await posted.body.reread(), length: posted.body.size };
        const response = await request.http.upload(host, path, sent, signal);
        const text = await readAnswer(response.body);
        const answer = response.status === 200 ? parseAnswer(text) : null;
        if (answer) return answer;
        detail = response.status === 200 ? 'an unreadable answer' : `HTTP ${response.status}`;
        unauthorized ||= response.status === 401 || response.status === 403;
      } catch (error) {
        const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
        detail = signal.aborted ? 'it took too long' : `connection failed (${code ?? 'unknown'})`;
      }
      if (signal.aborted) break;
    }
    if (!unauthorized || signal.aborted) break;
  }
  request.signal?.throwIfAborted();
  throw new AppError('UPLOAD_FAILED', {
    message: `the media could not be uploaded to WhatsApp: ${detail}`,
  });
}

function ticket(request: UploadRequest, refresh: boolean) {
  return onSession(() => request.session.media.connection(refresh));
}

async function readAnswer(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new Error('the answer to an upload is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseAnswer(text: string): UploadAnswer | null {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof answer !== 'object' || answer === null) return null;
  const { url, direct_path: directPath, handle } = answer as Record<string, unknown>;
  if (typeof url !== 'string' || typeof directPath !== 'string' || !directPath.startsWith('/')) return null;
  return { url, directPath, handle: typeof handle === 'string' ? handle : null };
}
