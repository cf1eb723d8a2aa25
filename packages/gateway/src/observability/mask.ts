import { rfc3339 } from '../clock.ts';

/**
 * What must not reach a log: secrets and message content never, phone numbers only in debug.
 * Objects are walked before they are written, so nobody has to remember it at the call.
 */

/** Names, lower-cased and without `_` and `-`, whose values are secret. */
const SECRET =
  /^(?:authorization|cookie|setcookie|passwordhash|mediakey|encryptionkey|rootkey|credentials|creds|qr|qrcode|qrurl|paircode|pairingcode|auth)$|(?:token|secret|secretkey|password|privatekey)$/;

/** Names of what people wrote to each other. */
const CONTENT = /^(text|caption|body|plaintext|raw|conversation|base64|image|image_base64|vcard)$/;

/**
 * A phone number in running text or in a JID: 8 to 15 digits that stand alone. Message ids
 * (letters among the digits) and UUIDs are not met, even one whose first eight digits are all decimal; the creator's number at
 * the start of an old group JID (`5511…-1400000000@g.us`) is.
 */
const PHONE = /(?<![\w.-])(\+?\d{4})\d{2,9}(\d{2})(?!\w|\.\d|-[\da-f]{4}-[\da-f]{4}-)/g;

const DEPTH = 6;

export interface MaskOptions {
  /** Leave phone numbers readable: for debug logs. */
  showNumbers: boolean;
}

/** Whether a member of that name holds a secret, however it is spelt. */
export function isSecretName(name: string): boolean {
  return SECRET.test(name.toLowerCase().replaceAll(/[_-]/g, ''));
}

/** Keeps country and area (4 digits) and the last two: enough to tell numbers apart when helping someone. */
export function maskNumbers(text: string): string {
  return text.replace(PHONE, '$1***$2');
}

/** A copy of `value` that may be logged. */
export function mask(value: unknown, options: MaskOptions, depth = 0): unknown {
  if (typeof value === 'string') return options.showNumbers ? value : maskNumbers(value);
  if (typeof value !== 'object' || value === null) return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Error) return maskError(value, options, depth);
  if (depth >= DEPTH) return '[deep]';
  if (Array.isArray(value)) return value.slice(0, 100).map((each) => mask(each, options, depth + 1));
  if (value instanceof Date) return rfc3339(value.getTime());
  // Requests, sockets and sessions hold half the process; their name is all a log needs.
  if (!isPlain(value)) return `[${value.constructor?.name ?? 'object'}]`;
  const copy: Record<string, unknown> = {};
  for (const [name, each] of Object.entries(value)) copy[name] = maskMember(name, each, options, depth);
  return copy;
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function maskMember(name: string, value: unknown, options: MaskOptions, depth: number): unknown {
  if (value === null || value === undefined || typeof value === 'boolean') return value;
  if (isSecretName(name)) return '[redacted]';
  if (CONTENT.test(name)) return '[content]';
  return mask(value, options, depth + 1);
}

function maskError(error: Error, options: MaskOptions, depth: number): Record<string, unknown> {
  const { name, message, stack, cause, ...rest } = error as Error & Record<string, unknown>;
  const masked: Record<string, unknown> = {
    type: name,
    message: mask(message, options),
    stack: mask(stack, options),
  };
  for (const [key, each] of Object.entries(rest)) masked[key] = maskMember(key, each, options, depth);
  if (cause !== undefined && depth < DEPTH) masked.cause = mask(cause, options, depth + 1);
  return masked;
}
