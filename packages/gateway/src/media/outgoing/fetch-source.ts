import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { stopwatch } from '../../clock.ts';
import { type GuardedClient, GuardedRequestError } from '../../net/guarded-client.ts';
import type { Scratch } from '../../storage/scratch.ts';
import { typeOfBytes, typeOfFile } from '../first-bytes.ts';
import { decodeBase64, MOST_INLINE_BYTES, tooLargeMedia, unusableMedia } from './base64.ts';

/** A file to be read once, from wherever it is. */
export interface FileContent {
  content: OpenedSource['content'] | { stream(): Readable };
}

/** A file that a caller wants to send. Call `dispose` when done with it. */
export interface OpenedSource {
  /** Small media in memory, media from a URL in a temporary file. */
  content: { bytes: Uint8Array } | { path: string };
  /** Bytes. */
  size: number;
  /** Hex, where it is known already. */
  sha256?: string;
  /** As the data URI or the URL's `Content-Type` said, lower case, without parameters; null when nothing did. */
  declaredType: string | null;
  /** As the first bytes say; null when they are of no known format. */
  detectedType: string | null;
  /** Milliseconds the URL took; null for base64. */
  downloadMs: number | null;
  dispose(): Promise<void>;
}

export interface SourceLimits {
  /** Plaintext bytes. */
  maxBytes: number;
  /** Milliseconds for a URL to deliver everything. */
  timeoutMs: number;
  /** Ends the download. */
  signal?: AbortSignal;
}

const MAX_REDIRECTS = 5;

/** Opens base64 or a data URI. Throws AppError INVALID_MEDIA or PAYLOAD_TOO_LARGE; `field` names the member. */
export async function openBase64(text: string, field: string, limits: SourceLimits): Promise<OpenedSource> {
  const { bytes, mimeType } = decodeBase64(text, field, Math.min(limits.maxBytes, MOST_INLINE_BYTES));
  return {
    content: { bytes },
    size: bytes.length,
    declaredType: mimeType,
    detectedType: await typeOfBytes(bytes),
    downloadMs: null,
    dispose: async () => undefined,
  };
}

/** Fetches a URL through the guard into a temporary file. Throws AppError INVALID_MEDIA or PAYLOAD_TOO_LARGE. */
export async function openUrl(
  url: string,
  field: string,
  limits: SourceLimits,
  { client, scratch }: { client: GuardedClient; scratch: Scratch },
): Promise<OpenedSource> {
  const elapsed = stopwatch();
  const { path: folder, dispose } = await scratch.folder();
  const path = join(folder, 'file');
  try {
    const response = await client.request(url, { ...limits, maxRedirects: MAX_REDIRECTS });
    if (response.status !== 200) {
      response.body.destroy();
      throw unusableMedia(field, `the URL answered HTTP ${response.status}`);
    }
    await pipeline(response.body, createWriteStream(path, { mode: 0o600 }));
    const { size } = await stat(path);
    if (size === 0) throw unusableMedia(field, 'the URL answered with an empty file');
    return {
      content: { path },
      size,
      declaredType: contentType(response.headers['content-type']),
      detectedType: await typeOfFile(path),
      downloadMs: elapsed(),
      dispose,
    };
  } catch (error) {
    await dispose();
    throw explain(error, field, limits.maxBytes);
  }
}

function explain(error: unknown, field: string, maxBytes: number): unknown {
  if (!(error instanceof GuardedRequestError)) return error;
  if (error.failure !== 'too_large') return unusableMedia(field, error.message, error);
  return tooLargeMedia(field, `the URL answers with more than ${maxBytes} bytes`, error);
}

function contentType(header: string | string[] | undefined): string | null {
  const type = (typeof header === 'string' ? header : '').split(';')[0]?.trim().toLowerCase() ?? '';
  return /^[a-z0-9.+-]+\/[a-z0-9.+-]+$/.test(type) ? type : null;
}
