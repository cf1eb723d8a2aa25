import {
  AnswerUnreadable,
  KeysUnavailable,
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

/** `executeWMexQuery` (mex.js): the status is the `error_code` of the answer. */
const MEX_REFUSED = 'GraphQL server error';
/** `extractGroupMetadata` (groups.js). */
const WITHOUT_GROUP = 'Invalid group metadata response';
/** `createParticipantNodes` (messages-send.js): there is a session with none of the devices. */
const NOTHING_ENCRYPTED = 'All encryptions failed';

/** `extractGroupMetadata` (groups.js) hands over the `<error>` itself. */
function isErrorNode(data: unknown): data is { attrs: { code: string } } {
  const { tag, attrs } = (data ?? {}) as { tag?: unknown; attrs?: { code?: unknown } };
  return tag === 'error' && typeof attrs?.code === 'string';
}

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
  if (isErrorNode(data)) return new RequestRefused(Number(data.attrs.code), text, error);
  if (text.startsWith(MEX_REFUSED) && typeof output?.statusCode === 'number') {
    return new RequestRefused(output.statusCode, text, error);
  }
  if (text.startsWith(WITHOUT_GROUP)) return new AnswerUnreadable('the group', error);
  if (text === NOTHING_ENCRYPTED) return new KeysUnavailable(error);
  if (!open) return new SessionNotOpen('the connection ended during the call', error);
  if (output?.statusCode === CONNECTION_CLOSED) return new SessionNotOpen(text, error);
  if (output?.statusCode === TIMED_OUT) return new SessionTimeout(text, error);
  return new SessionFailed(error);
}
