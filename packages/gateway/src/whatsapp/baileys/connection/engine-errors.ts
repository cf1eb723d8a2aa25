import {
  RequestRefused,
  SessionError,
  SessionFailed,
  SessionNotOpen,
  SessionTimeout,
} from '../../port/errors.ts';

/** What the library throws: a Boom, with a status code, and in `data` the code of the server's `<error>`. */
interface EngineError {
  output?: { statusCode?: unknown };
  data?: unknown;
}

/** `DisconnectReason` of the library: `connectionClosed`, and `timedOut` as well as `connectionLost`. */
const CONNECTION_CLOSED = 428;
const TIMED_OUT = 408;

/**
 * The port's error for whatever a call on the library ended with. `open` is whether the connection still
 * is: when it has ended, that is the cause, however the library words it.
 */
export function sessionError(error: unknown, open: boolean): SessionError {
  if (error instanceof SessionError) return error;
  const { output, data } = (error ?? {}) as EngineError;
  const text = error instanceof Error ? error.message : 'unknown error';
  // `assertNodeErrorFree` (generic-utils.js) gives the code of `<error>` as `data`, a number.
  if (output !== undefined && typeof data === 'number') return new RequestRefused(data, text, error);
  if (!open) return new SessionNotOpen('the connection ended during the call', error);
  if (output?.statusCode === CONNECTION_CLOSED) return new SessionNotOpen(text, error);
  if (output?.statusCode === TIMED_OUT) return new SessionTimeout(text, error);
  return new SessionFailed(error);
}
