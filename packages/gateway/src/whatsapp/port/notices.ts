/**
 * What a session reports beside messages, receipts and its own state: one member per cause, in our own
 * terms. `name` is the public event's name (docs/webhooks.md); times are milliseconds since the epoch.
 */
import type { JoinRequestMethod } from './group-joining.ts';
import type { GroupInfo } from './groups.ts';
import type { Identity, Jid } from './identity.ts';
import type { StoryAudience } from './stories.ts';

/** A call signal; `from` is the caller. Absent members were not in the stanza. */
export interface CallNotice {
  callId: string;
  from: Identity;
  group: Jid | null;
  video: boolean;
  /** Received while we were away: the call is over by now. */
  offline: boolean;
  timestamp: number;
  /** `<terminate reason>`. */
  reason: string | null;
  /** `<relaylatency>`, milliseconds. */
  latencyMs: number | null;
}

export type CallEventName =
  | 'call.offer'
  | 'call.accept'
  | 'call.pre_accept'
  | 'call.reject'
  | 'call.terminate'
  | 'call.relay_latency'
  | 'call.transport'
  | 'call.unknown';

/** A change of a chat that counts for what is in it up to a message. */
export interface ChatChange {
  chat: Identity;
  /** When the newest message was sent that it counts for, to the second; null: not told. */
  upTo: number | null;
}

export type SessionNotice =
  | {
      name: 'contact.presence';
      contact: Identity;
      state: 'available' | 'unavailable';
      lastSeen: number | null;
    }
  | {
      name: 'chat.presence';
      chat: Identity;
      sender: Identity;
      state: 'composing' | 'paused';
      media: 'text' | 'audio';
    }
  | { name: 'contact.changed'; contact: Identity; firstName: string | null; fullName: string | null }
  | { name: 'contact.pushname'; contact: Identity; pushName: string }
  | { name: 'contact.about'; contact: Identity; about: string }
  | {
      name: 'contact.picture';
      contact: Identity;
      pictureId: string | null;
      removed: boolean;
      author: Identity | null;
    }
  | ({ name: 'chat.mark_as_read'; read: boolean } & ChatChange)
  | { name: 'chat.pin'; chat: Identity; pinned: boolean }
  | { name: 'chat.mute'; chat: Identity; muted: boolean; mutedUntil: number | null }
  | ({ name: 'chat.archive'; archived: boolean } & ChatChange)
  | ({ name: 'chat.delete' } & ChatChange)
  /** `keepsStarred`: what is starred stays. */
  | ({ name: 'chat.clear'; keepsStarred: boolean } & ChatChange)
  | {
      name: 'message.starred';
      chat: Identity;
      messageId: string;
      fromMe: boolean;
      /** Its author, where that is not clear from the chat. */
      sender: Identity | null;
      starred: boolean;
    }
  | {
      name: 'message.delete_for_me';
      chat: Identity;
      messageId: string;
      fromMe: boolean;
      sender: Identity | null;
    }
  | {
      name: 'group.info';
      group: Jid;
      author: Identity | null;
      /** What changed, in the words of the stanza: subject, description, announcement, locked, participants… */
      change: string;
      participants: { id: Identity; change: 'add' | 'remove' | 'promote' | 'demote' | 'leave' }[];
      value: string | boolean | number | null;
      /** Of `link` and `unlink`: what the group in `value` is to this one, in WhatsApp's word. */
      linkType?: string | null;
      timestamp: number;
    }
  | {
      name: 'group.joined';
      group: Jid;
      subject: string;
      author: Identity | null;
      participants: Identity[];
      timestamp: number;
      /** All that is known of it from now on. */
      info: GroupInfo;
    }
  | {
      /** To the admins of a group that asks them first. Who is let in is told as a member that was added. */
      name: 'group.join_request';
      group: Jid;
      /** Who asked, took it back, or refused; a member, who wants to add the people. */
      author: Identity | null;
      action: 'created' | 'cancelled' | 'rejected';
      people: Identity[];
      /** Null when it is taken back or refused. */
      method: JoinRequestMethod | null;
      timestamp: number;
    }
  | ({ name: CallEventName } & CallNotice)
  | { name: 'identity.change'; contact: Identity; timestamp: number }
  | {
      name: 'privacy.blocklist';
      /** Neither: the list is another now, and has to be read. */
      blocked: Identity[];
      unblocked: Identity[];
      /** WhatsApp's hash of the list, and of the one that was changed; null where it is not told. */
      hash: string | null;
      previousHash: string | null;
      /** The list itself, where it is known. */
      whole: Identity[] | null;
    }
  | { name: 'privacy.settings'; settings: Record<string, string> }
  | { name: 'settings.unarchive_chats'; unarchiveChats: boolean }
  | { name: 'settings.user_status_mute'; contact: Identity; muted: boolean }
  | { name: 'settings.status_privacy'; audience: StoryAudience | 'close_friends'; people: Identity[] }
  | { name: 'label.edit'; labelId: string; labelName: string | null; color: number | null; deleted: boolean }
  | { name: 'label.association_chat'; labelId: string; chat: Identity; labeled: boolean }
  | {
      name: 'label.association_message';
      labelId: string;
      chat: Identity;
      messageId: string;
      labeled: boolean;
    }
  | { name: 'newsletter.join'; newsletter: Jid; title: string | null }
  | { name: 'newsletter.leave'; newsletter: Jid }
  | {
      name: 'newsletter.live_update';
      newsletter: Jid;
      messages: { serverId: string; views: number | null; reactions: Record<string, number> }[];
    }
  | { name: 'newsletter.mute_change'; newsletter: Jid; muted: boolean }
  | {
      name: 'offline.sync_preview';
      total: number;
      messages: number;
      receipts: number;
      notifications: number;
      appData: number;
    }
  | { name: 'offline.sync_completed'; count: number }
  | { name: 'app_state.sync_complete'; collection: string }
  | { name: 'connection.keepalive_timeout'; silentForMs: number }
  | { name: 'connection.keepalive_restored' }
  | { name: 'connection.pair_error'; reason: string };

export type NoticeName = SessionNotice['name'];
