import type { AccountLimit } from '../../port/account.ts';
import type { ReachoutTimelockState } from '../library.ts';

/** `<ack error>` of a message that would begin a chat against a lock, or without the contact's token. */
export const REACH_OUT_REFUSED = 463;

/** What WhatsApp Web assumes when the server names no end (Baileys messages-recv.js, on the notification). */
const UNSAID_MS = 60_000;

/** The limit that the library read from a notification or query; null when there is none. `now` in milliseconds. */
export function accountLimit(lock: ReachoutTimelockState, now: number): AccountLimit | null {
  if (!lock.isActive) return null;
  const until = lock.timeEnforcementEnds?.getTime();
  return {
    until: until !== undefined && Number.isFinite(until) ? until : now + UNSAID_MS,
    reason: lock.enforcementType ?? 'DEFAULT',
  };
}
