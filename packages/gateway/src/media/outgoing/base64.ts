import { AppError } from '../../errors.ts';

const DATA_URI = /^data:([^,]*),/i;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const BASE64URL = /^[A-Za-z0-9_-]*={0,2}$/;
/** How languages and workflow tools write that there is nothing; as base64, files of two or three bytes. */
const NOTHING = /^(?:null|none|nil|nan|true|undefined)$/i;

/** Bytes of one file as base64: it is held in memory, which one by multipart or from a URL is not. */
export const MOST_INLINE_BYTES = 32 * 1024 ** 2;
/** Base64 is a third longer; line breaks, escaped in JSON, take another 4 of each 76; and a `data:` prefix. */
export const MOST_INLINE_CHARACTERS = Math.ceil(MOST_INLINE_BYTES * (4 / 3) * 1.06) + 1024;
/** What to do with a larger one. */
export const SEND_LARGE_FILES = 'send large files as multipart/form-data or by URL';

export interface DecodedBase64 {
  bytes: Buffer;
  /** MIME type of a data URI, lower case, without parameters; null when none was given. */
  mimeType: string | null;
}

/** How many bytes so many base64 digits can hold at most. */
function decodedLength(digits: number): number {
  return Math.floor((digits * 3) / 4);
}

/**
 * Decodes base64 or a base64 data URI. Both alphabets, with or without padding, and line breaks are taken;
 * anything else is refused: `Buffer.from` would skip foreign characters and send garbage on.
 *
 * Throws AppError INVALID_MEDIA, or PAYLOAD_TOO_LARGE above `maxBytes`. `field` names the member in the error.
 */
export function decodeBase64(text: string, field: string, maxBytes: number): DecodedBase64 {
  const header = DATA_URI.exec(text.slice(0, 1024));
  let mimeType: string | null = null;
  let payload = text;
  if (header) {
    const parameters = (header[1] ?? '').split(';').map((part) => part.trim().toLowerCase());
    if (parameters.at(-1) !== 'base64') throw unusableMedia(field, 'the data URI is not base64');
    const declared = parameters[0] ?? '';
    mimeType = declared.includes('/') ? declared : null;
    payload = text.slice(header[0].length);
  }
  if (/\s/.test(payload)) payload = withoutBreaks(payload);
  if (payload.length === 0) throw unusableMedia(field, 'it is empty');
  if (NOTHING.test(payload)) throw unusableMedia(field, `it is the word ${payload} instead of a file`);
  // A third `=` is left among the digits, where both alphabets refuse it below.
  const digits = payload.length - (payload.endsWith('==') ? 2 : payload.endsWith('=') ? 1 : 0);
  if (decodedLength(digits) > maxBytes) {
    throw tooLargeMedia(field, `it is larger than ${maxBytes} bytes`);
  }
  const padded = payload.length > digits;
  const complete = digits % 4 !== 1 && (!padded || payload.length % 4 === 0);
  if (!complete || !(BASE64.test(payload) || BASE64URL.test(payload))) {
    throw unusableMedia(field, 'it is not valid base64');
  }
  // Node's base64 decoder takes both alphabets.
  return { bytes: Buffer.from(payload, 'base64'), mimeType };
}

/** Where encoders break lines (RFC 2045, RFC 7468); what folds them makes spaces of the breaks. */
const LINE_LENGTHS = [76, 64];

/**
 * Without line breaks, and with the `+` that forms make spaces of (application/x-www-form-urlencoded): left out, the
 * file would come shorter by them, and broken.
 */
function withoutBreaks(payload: string): string {
  const written = payload.split(/[\r\n\t]/);
  const text = written.map((line) => line.trim()).join('');
  if (!text.includes(' ')) return text;
  const lines = text.split(' ');
  if (areFolded(lines)) return lines.join('');
  // One at either end looks like a margin: it is a digit where one is missing.
  const whole = written.join('');
  const oneLine = written.filter((line) => line !== '').length === 1;
  const atAnEnd = oneLine && whole.length === text.length + 1 && whole.length % 4 === 0;
  return (atAnEnd ? whole : text).replaceAll(' ', '+');
}

/** Of one length, except the last, and without a digit too few: a lone `+` may stand where a line would break. */
function areFolded(lines: readonly string[]): boolean {
  const length = lines[0]?.length ?? 0;
  const even = lines.slice(0, -1).every((line) => line.length === length);
  const digits = lines.reduce((sum, line) => sum + line.length, 0);
  const whole = digits % 4 === 0 || (digits + lines.length - 1) % 4 !== 0;
  return LINE_LENGTHS.includes(length) && even && whole;
}

/** INVALID_MEDIA for one member of a request. */
export function unusableMedia(field: string, reason: string, cause?: unknown): AppError {
  return new AppError('INVALID_MEDIA', {
    message: `${field}: ${reason}`,
    validation: [{ field, message: reason }],
    cause,
  });
}

/** PAYLOAD_TOO_LARGE for one member of a request. */
export function tooLargeMedia(field: string, reason: string, cause?: unknown): AppError {
  return new AppError('PAYLOAD_TOO_LARGE', {
    message: `${field}: ${reason}`,
    validation: [{ field, message: reason }],
    cause,
  });
}
