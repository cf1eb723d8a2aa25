/** Bans that WhatsApp lifts by itself, as far as it says when and what for. */
import { rfc3339OrNull } from '../../clock.ts';

export interface TemporaryBan {
  /** Milliseconds since the epoch; null when WhatsApp does not say. */
  until: number | null;
  /** WhatsApp's number for what the account did; null when it names none. */
  code: number | null;
}

/** whatsmeow types/events TempBanReason. */
const CAUSES: Readonly<Record<number, string>> = {
  101: 'messages to too many people who have not stored the number',
  102: 'too many people have blocked the number',
  103: 'too many groups with people who have not stored the number',
  104: 'the same message to too many people',
  106: 'too many messages to broadcast lists',
};

/** `until`, `code` and `why`, as answers and events show them. */
export function banMembers({ until, code }: TemporaryBan) {
  return { until: rfc3339OrNull(until), code, why: code === null ? null : (CAUSES[code] ?? null) };
}
