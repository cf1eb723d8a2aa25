/** The thread of `inline-files.ts`. */
import { createHash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { AppError, type AppErrorDetail, type ErrorCode } from '../../errors.ts';
import { typeOfBytes } from '../first-bytes.ts';
import { decodeBase64 } from './base64.ts';

/** A text between the quotes of a JSON text. */
export interface InlineText {
  /** The member that it is the value of. */
  member: string;
  start: number;
  end: number;
}

export interface InlineOrder {
  id: number;
  bytes: Uint8Array<ArrayBuffer>;
  texts: readonly InlineText[];
  maxBytes: number;
}

export interface Decoded {
  bytes: Uint8Array<ArrayBuffer>;
  /** Hex. */
  sha256: string;
  declaredType: string | null;
  detectedType: string | null;
}

export type InlineAnswer =
  | { id: number; files: Decoded[] }
  | { id: number; refused: { code: ErrorCode; detail: AppErrorDetail } };

/** Orders that came while another was done wait for it, so that one is decoded at a time. */
let last: Promise<void> = Promise.resolve();

parentPort?.on('message', (order: InlineOrder) => {
  last = last.then(() => answer(order));
});

async function answer({ id, bytes, texts, maxBytes }: InlineOrder): Promise<void> {
  try {
    const files: Decoded[] = [];
    for (const text of texts) files.push(await decode(bytes, text, maxBytes));
    send(
      { id, files },
      files.map((file) => file.bytes.buffer),
    );
  } catch (error) {
    send({ id, refused: refusal(error) });
  }
}

async function decode(
  all: Uint8Array<ArrayBuffer>,
  { member, start, end }: InlineText,
  maxBytes: number,
): Promise<Decoded> {
  // Base64 is ASCII; other bytes become characters that it refuses.
  const written = Buffer.from(all.buffer, all.byteOffset + start, end - start).toString('latin1');
  const { bytes, mimeType } = decodeBase64(unescaped(written), member, maxBytes);
  // A small one lies in a pool that others share.
  const own = new Uint8Array(bytes.length);
  own.set(bytes);
  return {
    bytes: own,
    sha256: createHash('sha256').update(own).digest('hex'),
    declaredType: mimeType,
    detectedType: await typeOfBytes(own),
  };
}

function unescaped(written: string): string {
  return written.includes('\\') ? String(JSON.parse(`"${written}"`)) : written;
}

function refusal(error: unknown): { code: ErrorCode; detail: AppErrorDetail } {
  if (error instanceof SyntaxError) return { code: 'INVALID_JSON', detail: {} };
  if (!(error instanceof AppError)) return { code: 'INTERNAL_ERROR', detail: {} };
  const { validation = [] } = error.detail;
  return { code: error.code, detail: { message: error.message, validation } };
}

function send(message: InlineAnswer, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}
