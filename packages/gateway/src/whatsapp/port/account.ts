import type { Identity } from './identity.ts';

/** WhatsApp lets the account write in its chats and begin no new ones, for a while ("reach-out time lock"). */
export interface AccountLimit {
  /** Milliseconds since the epoch. */
  until: number;
  /** WhatsApp's word: `BIZ_QUALITY`, `WEB_COMPANION_ONLY`, … */
  reason: string;
}

export interface StarRequest {
  chat: Identity;
  messageId: string;
  fromMe: boolean;
  /** The other's, in a group. */
  author: Identity | null;
  starred: boolean;
}

/** The state that all devices of the account share (WhatsApp's "app state"). */
export interface SessionAccount {
  /**
   * Stars a message on all devices of the account, or takes the star away.
   * What changed is reported as the notice `message.starred`, before this resolves.
   */
  star(request: StarRequest): Promise<void>;
}
