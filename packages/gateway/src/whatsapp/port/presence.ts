import type { Jid } from './identity.ts';

export type PresenceState = 'available' | 'unavailable';

export type ChatState = 'composing' | 'recording' | 'paused';

/** Being there and typing: ours, and that of others. */
export interface SessionPresence {
  send(state: PresenceState): Promise<void>;
  /** Shows in one chat that we type or record. */
  sendChatState(to: Jid, state: ChatState): Promise<void>;
  /** Asks to be told of a contact's presence, until the connection ends. WhatsApp answers only who is `available`. */
  subscribe(contact: Jid): Promise<void>;
}
