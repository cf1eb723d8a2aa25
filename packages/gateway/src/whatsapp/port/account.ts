import type { Identity } from './identity.ts';
import type { SessionNotice } from './notices.ts';

/** WhatsApp lets the account write in its chats and begin no new ones, for a while ("reach-out time lock"). */
export interface AccountLimit {
  /** Milliseconds since the epoch. */
  until: number;
  /** WhatsApp's word: `BIZ_QUALITY`, `WEB_COMPANION_ONLY`, … */
  reason: string;
}

/** The collections that the account's state is kept in (whatsmeow appstate/keys.go `AllPatchNames`). */
export const STATE_COLLECTIONS = [
  'critical_block',
  'critical_unblock_low',
  'regular_high',
  'regular_low',
  'regular',
] as const;

export type StateCollection = (typeof STATE_COLLECTIONS)[number];

/**
 * A piece of what the account's state holds, told when a device has fetched it for the first time or anew: pins,
 * contacts, labels… It is no news, and a piece may come again after a crash.
 */
export interface AccountState {
  collection: StateCollection;
  /** True: what was told of this collection before holds no longer, and all of it follows. */
  begins: boolean;
  /** At most some hundreds. */
  notices: SessionNotice[];
}

/** The newest messages of a chat: what an archived, read, cleared or deleted chat counts for. */
export interface MessageRange {
  messages: { id: string; fromMe: boolean; sender: Identity; timestamp: number }[];
}

/**
 * A change that a device makes to the state of its account: as the notice that then tells of it. `range` goes with
 * those that have `upTo`.
 */
export type AccountChange =
  | Extract<
      SessionNotice,
      {
        name: 'message.starred' | 'chat.pin' | 'chat.mute' | 'contact.changed' | 'settings.status_privacy';
      }
    >
  | (Extract<SessionNotice, { upTo: number | null }> & { range: MessageRange })
  | Extract<SessionNotice, { name: `label.${string}` }>;

/** The state that all devices of the account share (WhatsApp's "app state"). */
export interface SessionAccount {
  /** Makes the change on all devices of the account. It is reported as a notice, before this resolves. */
  change(change: AccountChange): Promise<void>;
  /**
   * Fetches what other devices have changed, and resolves when it is applied; `anew`: everything once more, told as
   * `account_state`.
   */
  sync(collections: readonly StateCollection[], options?: { anew?: boolean }): Promise<void>;
}
