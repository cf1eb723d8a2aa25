/** What a session reports. */
import type { AccountLimit, AccountState } from './account.ts';
import type { ChatTimer } from './chat-timers.ts';
import type { CloseReason } from './connection.ts';
import type { HistoryBatch, NamedPerson, PastGroupMember } from './history.ts';
import type { Jid } from './identity.ts';
import type { SealedRetryAnswer } from './media.ts';
import type { InboundMessage } from './messages.ts';
import type { SessionNotice } from './notices.ts';
import type { PasskeyEvent } from './passkey.ts';
import type { MessageReceipt, OwnRead } from './receipts.ts';
import type { TemporaryBan } from './temporary-ban.ts';
import type { Unreachable } from './unreachable.ts';

export type SessionEvent =
  | { type: 'connecting' }
  | { type: 'qr'; code: string; expiresAt: number }
  | PasskeyEvent
  | { type: 'paired'; jid: Jid; lid: Jid | null; platform: string | null }
  | { type: 'open'; jid: Jid; lid: Jid | null; pushName: string | null }
  | {
      type: 'closed';
      reason: CloseReason;
      detail: string;
      statusCode: number | null;
      /** Set when there was no way to the server. */
      unreachable?: Unreachable | null;
      /** What WhatsApp said of a ban that it lifts by itself. */
      ban?: TemporaryBan | null;
    }
  | { type: 'message'; message: InboundMessage }
  | { type: 'receipt'; receipt: MessageReceipt }
  | { type: 'own_read'; read: OwnRead }
  | { type: 'media_retry'; answer: SealedRetryAnswer }
  /**
   * `cause` names the stanza and the notice in it, for stanzas that the server keeps until they are
   * acknowledged: the same cause is the same notice, come again because the acknowledgement was lost.
   */
  | { type: 'notice'; notice: SessionNotice; cause?: string }
  | { type: 'account_state'; state: AccountState }
  | { type: 'history'; batch: HistoryBatch }
  /** Who had left a group when the phone wrote its history: no news. */
  | { type: 'past_members'; group: Jid; members: PastGroupMember[] }
  /** Somebody in a chat of two set when its messages disappear. */
  | { type: 'chat_timer'; timer: ChatTimer }
  /** What is known of the account's groups may be wrong, the server says. */
  | { type: 'groups_changed' }
  /** How people called themselves when the phone wrote its history: no news. */
  | { type: 'push_names'; names: NamedPerson[] }
  | { type: 'push_name'; name: string }
  /** Null: the limit was lifted. */
  | { type: 'limit'; limit: AccountLimit | null }
  | { type: 'alive' }; // the server answered a ping

/**
 * Takes an event. The session awaits it before it acknowledges the cause to the server, so a
 * rejected promise means "not stored": the server keeps the stanza and sends it again.
 */
export type SessionReporter = (event: SessionEvent) => Promise<void>;
