/** What the end of a session says, and how it is logged. */
import type { Clock } from '../clock.ts';
import type { Log } from '../observability/log.ts';
import type { SessionEvent } from '../whatsapp/port/events.ts';
import type { SessionOver } from './backoff.ts';
import type { Device } from './device.ts';

type SessionEnd = Extract<SessionEvent, { type: 'closed' }>;

export function logEnd(log: Log, { id: device_id, tenantId: tenant_id }: Device, end: SessionEnd): void {
  const closed = { tenant_id, device_id, reason: end.reason, status_code: end.statusCode };
  if (end.unreachable) log.warn({ ...closed, ...end.unreachable }, 'WhatsApp cannot be reached');
  else log.info(closed, 'session closed');
}

/** As the back-off looks at it. `restartRequired`: the server asked for a new connection. */
export function endOf({ ban }: Device, restartRequired: boolean, clock: Clock): SessionOver {
  const bannedMs = ban?.until == null ? null : Math.max(0, ban.until - clock.now());
  return { restartRequired, bannedMs, now: clock.monotonic() };
}
