import type { SessionNotice } from './notices.ts';

/** WhatsApp lets the account write in its chats and begin no new ones, for a while ("reach-out time lock"). */
export interface AccountLimit {
  /** Milliseconds since the epoch. */
  until: number;
  /** WhatsApp's word: `BIZ_QUALITY`, `WEB_COMPANION_ONLY`, … */
  reason: string;
}

/** A change that a device makes to the state of its account: as the notice that then tells of it. */
export type AccountChange = Extract<SessionNotice, { name: 'message.starred' }>;

/** The state that all devices of the account share (WhatsApp's "app state"). */
export interface SessionAccount {
  /** Makes the change on all devices of the account. It is reported as a notice, before this resolves. */
  change(change: AccountChange): Promise<void>;
}
