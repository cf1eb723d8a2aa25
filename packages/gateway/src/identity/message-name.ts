/** How a caller names a stored message. `messages/visible.ts` decides which one that is. */
import type { Jid } from '../whatsapp/port/identity.ts';

export interface MessageName {
  /** WhatsApp's id, which senders choose and may use again, or our own `record_id`, which is unique. */
  id: string;
  /** The names of the chat that it must be in. */
  chat?: readonly Jid[] | undefined;
  /** The device that must hold it. */
  deviceId?: string | undefined;
}

const RECORD_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Whether it may be a `record_id`: a random UUID that we made. WhatsApp's clients make hexadecimal digits without
 * a dash; a sender who writes a UUID all the same cannot guess one of ours.
 */
export function mayBeRecordId(id: string): boolean {
  return RECORD_ID.test(id);
}
