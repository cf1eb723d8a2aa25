import type { CloseReason } from '../../port/connection.ts';
import { RouteFailed } from '../../port/route.ts';
import type { TemporaryBan } from '../../port/temporary-ban.ts';
import { type Unreachable, unreachable } from '../../port/unreachable.ts';

/** More digits are no seconds of a ban. */
const WHOLE = /^\d{1,9}$/;

/** What the engine hands over when a socket ends: a Boom with the status code and the stanza's node. */
interface DisconnectError {
  message?: string;
  output?: { statusCode?: number };
  data?: { tag?: string; attrs?: Record<string, string> } | Record<string, string> | null;
}

/** What the library puts before an error of the WebSocket itself, with that as `data` (socket.js mapWebSocketError). */
const SOCKET_ERROR = 'WebSocket Error (';

/** How the library words a `<failure>`, the answer to a login (socket.js). */
const LOGIN_REFUSED = 'Connection Failure';

/** How the library words that the server's certificates do not hold (noise-handler.js processHandshake). */
const UNCERTIFIED = /^(?:invalid )?noise .*certificate|^certification match failed/;

interface SessionEnd {
  reason: CloseReason;
  detail: string;
  statusCode: number | null;
  unreachable: Unreachable | null;
  ban?: TemporaryBan | null;
}

/**
 * Names the end of a connection. `now` in milliseconds.
 * Codes of `<failure reason>` and `<stream:error code>` (whatsmeow `types/events` ConnectFailureReason):
 * 401 logged out, 402 temporary ban, 403 main device gone (LOCKED in WhatsApp Web's own code, a ban or a
 * changed phone), 405 client outdated, 406 BANNED in WhatsApp Web's code, 409 user agent refused,
 * 440 replaced, 500 and 503 try again, 515 restart after pairing, 516 log out (WhatsApp Web's own code, by zapo
 * src/protocol/stream.ts; reported in Baileys issue 702).
 */
export function closeReason(error: unknown, networkUrl: string, now: number): SessionEnd {
  const { message, output, data } = (error ?? {}) as DisconnectError;
  const statusCode = output?.statusCode ?? null;
  const detail = message ?? 'connection closed';
  if (detail.startsWith(SOCKET_ERROR)) {
    // The status is a proxy's or a portal's, not WhatsApp's: its 401 unlinks nobody, its 403 is no ban.
    const cause = data instanceof Error ? data : error;
    const reason = cause instanceof RouteFailed ? cause.code : 'connection_lost';
    return { reason, detail, statusCode: null, unreachable: unreachable(networkUrl, cause) };
  }
  if (UNCERTIFIED.test(detail)) {
    const { host } = new URL(networkUrl);
    return {
      reason: 'connection_lost',
      detail,
      statusCode: null,
      unreachable: { host, cause: 'untrusted', detail },
    };
  }
  const reason = nameOf(statusCode, detail, conflictType(data));
  const ban = statusCode === 402 && detail === LOGIN_REFUSED ? banIn(data as Attributes, now) : null;
  return { reason, detail, statusCode, unreachable: null, ban };
}

function nameOf(statusCode: number | null, detail: string, conflict: string | undefined): CloseReason {
  if (conflict === 'replaced') return 'replaced';
  if (detail.startsWith('QR refs attempts ended')) return 'qr_timeout';
  if (/account signature|pair success/i.test(detail)) return 'pairing_failed';
  switch (statusCode) {
    case 401:
    case 516:
      return 'logged_out';
    case 402:
    case 403:
    case 406:
      return 'banned';
    case 405:
    case 409:
      return 'outdated';
    case 411:
      return 'bad_session';
    case 440:
      return 'replaced';
    case 503:
      return 'service_unavailable';
    case 515:
      return 'restart_required';
    case 500:
      // Without a conflict it is also what a mangled stream gives: a reconnect cures it.
      return detail === LOGIN_REFUSED ? 'service_unavailable' : 'connection_lost';
    default:
      return detail === LOGIN_REFUSED ? 'refused' : 'connection_lost';
  }
}

type Attributes = Record<string, string> | null | undefined;

/** `code` says what for and `expire` for how many seconds (whatsmeow connectionevents.go handleConnectFailure). */
function banIn(attributes: Attributes, now: number): TemporaryBan | null {
  const [code, seconds] = [attributes?.code, attributes?.expire].map((text) =>
    text !== undefined && WHOLE.test(text) ? Number(text) : null,
  );
  if (code == null && !seconds) return null;
  return { code: code ?? null, until: seconds ? now + seconds * 1000 : null };
}

function conflictType(data: DisconnectError['data']): string | undefined {
  if (!data || typeof data !== 'object') return undefined;
  const node = data as { tag?: string; attrs?: Record<string, string> };
  return node.tag === 'conflict' ? node.attrs?.type : undefined;
}
