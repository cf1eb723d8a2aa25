import type { ChatTimer } from './chat-timers.ts';
import type { Identity, Jid } from './identity.ts';
import type { InboundMessage } from './messages.ts';

/** A chat as the phone had it when it wrote the history; null: not told. */
export interface HistoryChat {
  chat: Identity;
  /** Of a group its subject, of a person the name that the user saved. */
  name: string | null;
  archived: boolean | null;
  pinned: boolean | null;
  muted: boolean | null;
  /** Null with `muted`: for ever. */
  mutedUntil: number | null;
  unreadCount: number | null;
  /** The user marked it as unread. */
  markedUnread: boolean | null;
  /** When it was last written in. */
  lastAt: number | null;
}

/** A person by the name that they call themselves. */
export interface NamedPerson {
  person: Identity;
  name: string;
}

/** Somebody who was in a group and went before the device was linked. */
export interface PastGroupMember {
  person: Identity;
  /** By an admin; else they left by themselves. By whom is not told. */
  removed: boolean;
  /** Milliseconds; null when it was not told. */
  leftAt: number | null;
}

/** Who shared the past of which group with the account. */
export interface SharedBy {
  group: Jid;
  by: Identity;
}

/**
 * A piece of the account's past, sent by the phone after linking or on demand; `shared`: of a group's, by a member to
 * one who came later.
 */
export interface HistoryBatch {
  kind: 'initial' | 'recent' | 'full' | 'on_demand' | 'push_names' | 'shared';
  /** Of what is `shared`. */
  shared?: SharedBy;
  /** 0–100 as the phone says, null when it does not. */
  progress: number | null;
  /** At most a bounded number; a long history comes in many batches. Each has `source: 'history'`, or `shared`. */
  messages: InboundMessage[];
  /** Of the chats that have one, or had. */
  timers: ChatTimer[];
  /** At most as many as messages. */
  chats: HistoryChat[];
  contacts: number;
}

export interface SessionHistory {
  /**
   * Asks our account's phone for messages of a chat from before `oldest` (time in milliseconds). It answers
   * when it can, as a HistoryBatch of the kind `on_demand`.
   */
  request(request: {
    chat: Jid;
    oldest: { id: string; fromMe: boolean; timestamp: number };
    count: number;
  }): Promise<void>;
}
