/** What a client is told when WhatsApp, or the way to it, did not do its part. */
import { AppError } from '../errors.ts';
import { SendRejected, SessionNotOpen, SessionTimeout } from '../whatsapp/session.ts';
import { accountLimited } from './account-limits.ts';

/** `<ack error>` of an account that sends too fast (Baileys NACK_REASONS). It names no time: a minute is our guess. */
const TOO_MANY = 429;
const TOO_MANY_PAUSE_S = 60;

/** The catalogued error for an error of the session; anything else comes back as it was. */
export function fromSession(error: unknown, extra: Record<string, unknown> = {}): unknown {
  if (error instanceof SendRejected) {
    if (error.limit)
      return accountLimited(error.limit, Date.now(), { ...extra, whatsapp_code: error.whatsappCode });
    if (error.whatsappCode === TOO_MANY) {
      return new AppError('RATE_LIMITED', {
        message: 'WhatsApp takes no more messages of this account for the moment',
        retryAfterSeconds: TOO_MANY_PAUSE_S,
        extra: { ...extra, whatsapp_code: error.whatsappCode },
        cause: error,
      });
    }
    return new AppError('REJECTED_BY_WHATSAPP', {
      message: `WhatsApp refused the message: ${error.message} (${error.whatsappCode})`,
      extra: { ...extra, whatsapp_code: error.whatsappCode },
      cause: error,
    });
  }
  if (error instanceof SessionNotOpen) return new AppError('DEVICE_NOT_READY', { extra, cause: error });
  if (error instanceof SessionTimeout) return new AppError('WHATSAPP_TIMEOUT', { extra, cause: error });
  return error;
}

/** Runs a call on the session and throws catalogued errors. */
export async function onSession<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw fromSession(error);
  }
}
