/** What a caller may configure. Every refusal names its field. */
import { isIP } from 'node:net';
import { type AppError, invalidField } from '../errors.ts';
import { EVENT_NAMES, type EventName } from '../events/catalogue/names.ts';
import type { AddressPolicy } from '../net/address-policy.ts';

/** What a request says of an endpoint; a member that is undefined stays as it is, or takes its default. */
export interface EndpointInput {
  url?: string | undefined;
  events?: readonly string[] | undefined;
  enabled?: boolean | undefined;
  retryAttempts?: number | undefined;
  timeoutSeconds?: number | undefined;
  /** Null or empty: deliveries are no longer signed. */
  secret?: string | null | undefined;
  headers?: Record<string, string> | null | undefined;
}

export const DEFAULT_RETRY_ATTEMPTS = 3;
export const MAX_RETRY_ATTEMPTS = 12;
export const DEFAULT_TIMEOUT_S = 30;
export const MAX_TIMEOUT_S = 60;
export const MAX_URL_LENGTH = 2048;
export const MAX_SECRET_LENGTH = 256;
export const MAX_HEADERS = 20;
const MAX_HEADER_LENGTH = 4096;

/** Part of how HTTP moves the body: a delivery with them would not arrive, or not as what it is. */
const OF_TRANSPORT = [
  'connection',
  'content-encoding',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];
/** What receivers know a delivery by; see docs/webhooks.md. */
const OF_DELIVERY = [
  'webhook-id',
  'webhook-timestamp',
  'webhook-signature',
  'x-wuts-event',
  'x-wuts-delivery',
  'x-wuts-attempt',
  'x-wuts-signature',
];
const RESERVED_HEADERS = new Set([...OF_TRANSPORT, ...OF_DELIVERY]);
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
/** Nothing, or visible ASCII with blanks inside: what every HTTP library takes and no line break can hide in. */
const HEADER_VALUE = /^(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?$/;

const NAMES = new Set<string>(EVENT_NAMES);

/**
 * The URL as it will be asked. Refuses what the delivery would refuse: another scheme, credentials, and an
 * address literal that is not public (names are judged when they resolve). Throws VALIDATION_ERROR.
 */
export function checkUrl(text: string, policy: AddressPolicy, field = 'webhook_url'): string {
  const trimmed = text.trim();
  if (trimmed.length > MAX_URL_LENGTH)
    throw invalidField(field, `is longer than ${MAX_URL_LENGTH} characters`);
  const url = URL.canParse(trimmed) ? new URL(trimmed) : null;
  if (!url || !/^https?:\/\//i.test(trimmed) || /\s/.test(trimmed)) {
    throw invalidField(field, 'must be a URL beginning with https:// (or http://)', text);
  }
  if (url.username !== '' || url.password !== '') {
    throw invalidField(field, 'must not contain a user name or password: send them in headers');
  }
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  const addresses = isIP(host) !== 0 ? [host] : isLocalhost(host) ? ['127.0.0.1', '::1'] : [];
  if (addresses.length > 0 && !addresses.some((address) => policy.permits(address))) {
    throw invalidField(
      field,
      'leads to an address that is not public (operators can allow networks with WUTS_ALLOW_NETWORKS)',
      text,
    );
  }
  return trimmed;
}

const isLocalhost = (host: string): boolean => /^(?:.+\.)?localhost$/i.test(host);

/** The names once each, in the order of the catalogue. Throws VALIDATION_ERROR. */
function checkEvents(names: readonly string[], field = 'enabled_events'): EventName[] {
  if (names.length === 0) throw invalidField(field, 'must name at least one event');
  const unknown = names.findIndex((name) => !NAMES.has(name));
  if (unknown !== -1) {
    throw invalidField(
      `${field}.${unknown}`,
      'is not an event: GET /webhook/events lists them',
      names[unknown],
    );
  }
  const wanted = new Set<string>(names);
  return EVENT_NAMES.filter((name) => wanted.has(name));
}

/** Throws VALIDATION_ERROR; a value is never repeated, it may be a credential. */
function checkHeaders(headers: Record<string, string>): Record<string, string> {
  const entries = Object.entries(headers);
  if (entries.length > MAX_HEADERS) throw invalidField('headers', `has more than ${MAX_HEADERS} members`);
  const seen = new Set<string>();
  const checked: Record<string, string> = {};
  for (const [name, value] of entries) {
    const refuse = (message: string): AppError => invalidField(`headers.${name.slice(0, 100)}`, message);
    const lower = name.toLowerCase();
    if (!HEADER_NAME.test(name)) throw refuse('is not a header name');
    if (RESERVED_HEADERS.has(lower)) throw refuse('is reserved for the delivery itself');
    if (seen.has(lower)) throw refuse('is there twice');
    if (typeof value !== 'string' || value.length > MAX_HEADER_LENGTH || !HEADER_VALUE.test(value)) {
      throw refuse(`must be printable ASCII text of at most ${MAX_HEADER_LENGTH} characters`);
    }
    if (lower === 'content-type' && !JSON_TYPE.test(value)) throw refuse('must be a type of JSON');
    seen.add(lower);
    checked[name] = value;
  }
  return checked;
}

/** A whole number within its limits. Throws VALIDATION_ERROR. */
function checkInteger(value: number, field: string, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw invalidField(field, `must be a whole number from ${least} to ${most}`, value);
  }
  return value;
}

/** Null for "no signature". Throws VALIDATION_ERROR without repeating the secret. */
function checkSecret(secret: string | null): string | null {
  if (secret === null || secret === '') return null;
  if (secret.length > MAX_SECRET_LENGTH) {
    throw invalidField('secret', `is longer than ${MAX_SECRET_LENGTH} characters`);
  }
  return secret;
}

/** An input whose every member may be stored. */
export interface CheckedInput {
  url: string | undefined;
  events: EventName[] | undefined;
  enabled: boolean | undefined;
  retryAttempts: number | undefined;
  timeoutSeconds: number | undefined;
  secret: string | null | undefined;
  headers: Record<string, string> | undefined;
}

/** Checks what is given. Throws VALIDATION_ERROR for the first member that will not do. */
export function checkInput(input: EndpointInput, policy: AddressPolicy): CheckedInput {
  const given = <T, R>(value: T | undefined, check: (value: T) => R): R | undefined =>
    value === undefined ? undefined : check(value);
  return {
    url: given(input.url, (url) => checkUrl(url, policy)),
    events: given(input.events, (events) => checkEvents(events)),
    enabled: input.enabled,
    retryAttempts: given(input.retryAttempts, (value) =>
      checkInteger(value, 'retry_attempts', 0, MAX_RETRY_ATTEMPTS),
    ),
    timeoutSeconds: given(input.timeoutSeconds, (value) => checkInteger(value, 'timeout', 1, MAX_TIMEOUT_S)),
    secret: given(input.secret, checkSecret),
    headers: given(input.headers, (headers) => checkHeaders(headers ?? {})),
  };
}
