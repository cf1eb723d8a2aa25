/** The errors that a client gets when WhatsApp, or the connection to it, failed. */
import { rfc3339, systemClock } from '../../clock.ts';
import { AppError, type ErrorCode } from '../../errors.ts';
import type { AccountLimit } from './account.ts';
import {
  AnswerUnreadable,
  KeptOffline,
  KeysForged,
  KeysUnavailable,
  NothingLeft,
  RequestRefused,
  SendRejected,
  SessionNotOpen,
  SessionTimeout,
} from './errors.ts';
import { deviceNotReady } from './not-ready.ts';

/** What a refusal names no time for: an account that sends too fast, and one that may begin no chat. Our guesses. */
const TOO_FAST_PAUSE_S = 60;
const NO_CHAT_PAUSE_S = 3600;

/** What `fromSession` makes of a session's errors: how anything that asks WhatsApp can end. */
export const SESSION_FAILURES = [
  'DEVICE_NOT_READY',
  'WHATSAPP_TIMEOUT',
  'WHATSAPP_ERROR',
  'REJECTED_BY_WHATSAPP',
  'NOT_FOUND',
  'RATE_LIMITED',
  'ACCOUNT_LIMITED',
] as const satisfies readonly ErrorCode[];

export interface Told {
  /** Goes before what the session says of itself: `failed to …`. Default: the catalogue's text. */
  message?: string;
  /** Further members of the error's body. */
  extra?: Record<string, unknown>;
}

/** The catalogued error for an error of the session; anything else comes back as it was. */
export function fromSession(error: unknown, { message, extra = {} }: Told = {}): unknown {
  if (error instanceof NothingLeft)
    return fromSession(error.reason, { ...(message ? { message } : {}), extra });
  if (error instanceof SendRejected) return fromRejection(error, extra);
  if (error instanceof RequestRefused) {
    return refusal(error, { message: message ?? 'WhatsApp refused the request', extra });
  }
  if (error instanceof KeysUnavailable || error instanceof KeysForged) {
    return new AppError('REJECTED_BY_WHATSAPP', { message: error.message, extra, cause: error });
  }
  if (error instanceof AnswerUnreadable) {
    return new AppError('WHATSAPP_ERROR', { message: error.message, extra, cause: error });
  }
  if (error instanceof KeptOffline) return new AppError('KEPT_OFFLINE', { extra, cause: error });
  if (!(error instanceof SessionNotOpen || error instanceof SessionTimeout)) return error;
  const detail = { ...(message ? { message: `${message}: ${error.message}` } : {}), extra, cause: error };
  // The connection went during the call; what the device does next, the gateway does by itself.
  if (error instanceof SessionNotOpen) return deviceNotReady({ reason: 'reconnecting' }, detail);
  return new AppError('WHATSAPP_TIMEOUT', detail);
}

/** Runs a call on the session and throws catalogued errors. */
export async function onSession<T>(call: () => Promise<T>, told?: Told): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw fromSession(error, told);
  }
}

/** The code of WhatsApp's server in an error that is one of its refusals; null for any other. */
export function refusalCode({ detail }: AppError): number | null {
  const code = detail.extra?.whatsapp_code;
  return typeof code === 'number' ? code : null;
}

/** `now` in milliseconds. */
export function accountLimited(
  limit: AccountLimit,
  now: number,
  extra: Record<string, unknown> = {},
): AppError {
  return new AppError('ACCOUNT_LIMITED', {
    message:
      `WhatsApp lets this account begin no chats until ${rfc3339(limit.until)} (${limit.reason}); ` +
      'chats in which somebody has written go on',
    retryAfterSeconds: Math.max(1, Math.ceil((limit.until - now) / 1000)),
    extra: { ...extra, limited_until: rfc3339(limit.until) },
  });
}

function fromRejection(error: SendRejected, extra: Record<string, unknown>): AppError {
  if (error.limit) {
    const more = { ...extra, whatsapp_code: error.whatsappCode };
    return accountLimited(error.limit, systemClock.now(), more);
  }
  return refusal(error, { message: 'WhatsApp refused the message', extra });
}

/** The one mapping of what WhatsApp's server answers with, whatever was asked. */
function refusal(error: SendRejected | RequestRefused, { message, extra }: Required<Told>): AppError {
  const { whatsappCode: code } = error;
  const detail = {
    message: `${message}: ${error.message} (${code})`,
    extra: { ...extra, whatsapp_code: code },
    cause: error,
  };
  if (code === 404 || code === 410) return new AppError('NOT_FOUND', detail);
  if (code === 429) return new AppError('RATE_LIMITED', { ...detail, retryAfterSeconds: TOO_FAST_PAUSE_S });
  if (code === 463) return new AppError('ACCOUNT_LIMITED', { ...detail, retryAfterSeconds: NO_CHAT_PAUSE_S });
  if (code >= 500 && code <= 599) return new AppError('WHATSAPP_ERROR', detail);
  return new AppError('REJECTED_BY_WHATSAPP', detail);
}
