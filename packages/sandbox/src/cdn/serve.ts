import type { ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { type CdnObject, servedBytes } from './objects.ts';

const CHUNK_BYTES = 64 * 1024;
/** How often a throttled body gets its next piece. */
const SLOW_TICK_MS = 100;

interface ByteRange {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/**
 * Reads a single-range `Range` header (RFC 9110 §14.1.2). Several ranges, other units and malformed values
 * are ignored, as the RFC allows; `unsatisfiable` is for a range that lies outside the object.
 */
export function parseRange(
  header: string | undefined,
  size: number,
): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size };
  }
  const start = Number(first);
  const end = last === '' ? size : Math.min(Number(last) + 1, size);
  if (start >= size) return 'unsatisfiable';
  return end <= start ? undefined : { start, end };
}

/**
 * Answers one download and returns how many body bytes were handed to the connection. Never throws for a
 * client that goes away in the middle.
 */
export async function serveObject(
  object: CdnObject | undefined,
  method: 'GET' | 'HEAD',
  rangeHeader: string | undefined,
  response: ServerResponse,
): Promise<number> {
  const status = object?.fault.status ?? (object ? undefined : 404);
  if (!object || status !== undefined) {
    response.writeHead(status ?? 404, { 'content-length': '0' }).end();
    return 0;
  }
  const bytes = servedBytes(object);
  const range = parseRange(rangeHeader, bytes.length);
  if (range === 'unsatisfiable') {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}`, 'content-length': '0' }).end();
    return 0;
  }
  const body = range ? bytes.subarray(range.start, range.end) : bytes;
  response.writeHead(range ? 206 : 200, {
    'content-type': 'application/octet-stream',
    'content-length': String(body.length),
    'accept-ranges': 'bytes',
    'cache-control': 'public, max-age=1209600',
    ...(range ? { 'content-range': `bytes ${range.start}-${range.end - 1}/${bytes.length}` } : {}),
  });
  if (method === 'HEAD') {
    response.end();
    return 0;
  }
  return sendBody(object, body, response);
}

async function sendBody(object: CdnObject, body: Buffer, response: ServerResponse): Promise<number> {
  const { bytesPerSecond, dropAfter } = object.fault;
  const drops = dropAfter !== undefined && dropAfter < body.length;
  if (drops) delete object.fault.dropAfter;
  const limit = drops ? dropAfter : body.length;
  const step =
    bytesPerSecond === undefined
      ? CHUNK_BYTES
      : Math.max(1, Math.round((bytesPerSecond * SLOW_TICK_MS) / 1000));
  let sent = 0;
  while (sent < limit && !response.destroyed) {
    const chunk = body.subarray(sent, Math.min(sent + step, limit));
    await written(response, chunk);
    sent += chunk.length;
    if (bytesPerSecond !== undefined && sent < limit) await pause(SLOW_TICK_MS);
  }
  if (drops) response.destroy();
  else response.end();
  return sent;
}

/**
 * Resolves when the chunk has left this process, or the client is gone. `drain` would not do: it comes only
 * after a write that filled the buffer, whose size differs from one Node to the next.
 */
function written(response: ServerResponse, chunk: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('close', done);
      resolve();
    };
    response.once('close', done);
    response.write(chunk, done);
  });
}
