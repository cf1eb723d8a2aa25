/** What a client is told when WhatsApp, or the way to it, did not do its part. */
import { AppError } from '../errors.ts';
import { SendRejected, SessionNotOpen, SessionTimeout } from '../whatsapp/session.ts';

/** The catalogued error for an error of the session; anything else comes back as it was. */
export function fromSession(error: unknown, extra: Record<string, unknown> = {}): unknown {
  if (error instanceof SendRejected) {
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
