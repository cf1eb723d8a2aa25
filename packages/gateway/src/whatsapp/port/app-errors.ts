/** What a client is told when WhatsApp, or the way to it, did not do its part. */
import { rfc3339, systemClock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import type { AccountLimit } from './account.ts';
import { RequestRefused, SendRejected, SessionNotOpen, SessionTimeout } from './errors.ts';

/** `<ack error>` of an account that sends too fast (Baileys NACK_REASONS). It names no time: a minute is our guess. */
const TOO_MANY = 429;
const TOO_MANY_PAUSE_S = 60;

export interface Told {
  /** Goes before what the session says of itself: `failed to …`. Default: the catalogue's text. */
  message?: string;
  /** Further members of the error's body. */
  extra?: Record<string, unknown>;
}

/** The catalogued error for an error of the session; anything else comes back as it was. */
export function fromSession(error: unknown, { message, extra = {} }: Told = {}): unknown {
  if (error instanceof SendRejected) return fromRejection(error, extra);
  if (error instanceof RequestRefused) {
    return new AppError('REJECTED_BY_WHATSAPP', {
      message: `${message ?? 'WhatsApp refused the request'}: ${error.message} (${error.whatsappCode})`,
      extra: { ...extra, whatsapp_code: error.whatsappCode },
      cause: error,
    });
  }
  const code =
    error instanceof SessionNotOpen
      ? 'DEVICE_NOT_READY'
      : error instanceof SessionTimeout
        ? 'WHATSAPP_TIMEOUT'
        : null;
  if (code === null || !(error instanceof Error)) return error;
  return new AppError(code, {
    ...(message ? { message: `${message}: ${error.message}` } : {}),
    extra,
    cause: error,
  });
}

/** Runs a call on the session and throws catalogued errors. */
export async function onSession<T>(call: () => Promise<T>, told?: Told): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw fromSession(error, told);
  }
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
  const more = { ...extra, whatsapp_code: error.whatsappCode };
  if (error.limit) return accountLimited(error.limit, systemClock.now(), more);
  if (error.whatsappCode === TOO_MANY) {
    return new AppError('RATE_LIMITED', {
      message: 'WhatsApp takes no more messages of this account for the moment',
      retryAfterSeconds: TOO_MANY_PAUSE_S,
      extra: more,
      cause: error,
    });
  }
  return new AppError('REJECTED_BY_WHATSAPP', {
    message: `WhatsApp refused the message: ${error.message} (${error.whatsappCode})`,
    extra: more,
    cause: error,
  });
}
