/** Gives each report of a session to the part that stores it. */
import type { AccountState } from '../whatsapp/port/account.ts';
import type { ChatTimer } from '../whatsapp/port/chat-timers.ts';
import type { SessionEvent } from '../whatsapp/port/events.ts';
import type { HistoryBatch, NamedPerson, PastGroupMember } from '../whatsapp/port/history.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import type { SealedRetryAnswer } from '../whatsapp/port/media.ts';
import type { InboundMessage } from '../whatsapp/port/messages.ts';
import type { SessionNotice } from '../whatsapp/port/notices.ts';
import type { MessageReceipt, OwnRead } from '../whatsapp/port/receipts.ts';
import type { Device } from './device.ts';

/** Takes what a session reports. A rejection tells the session that it was not stored. */
export interface SessionHandlers {
  message(device: Device, message: InboundMessage): Promise<void>;
  receipt(device: Device, receipt: MessageReceipt): Promise<void>;
  ownRead(device: Device, read: OwnRead): Promise<void>;
  mediaRetry(device: Device, answer: SealedRetryAnswer): Promise<void>;
  notice(device: Device, notice: SessionNotice, cause?: string): Promise<void>;
  accountState(device: Device, state: AccountState): Promise<void>;
  history(device: Device, batch: HistoryBatch): Promise<void>;
  chatTimer(device: Device, timer: ChatTimer): Promise<void>;
  pushNames(device: Device, names: NamedPerson[]): Promise<void>;
  groupsChanged(device: Device): Promise<void>;
  pastMembers(device: Device, group: Jid, members: PastGroupMember[]): Promise<void>;
}

/** What the account received, in contrast to what a session says of itself. */
const RECEIVED = [
  'message',
  'receipt',
  'own_read',
  'media_retry',
  'notice',
  'account_state',
  'history',
  'chat_timer',
  'push_names',
  'groups_changed',
  'past_members',
] as const satisfies readonly SessionEvent['type'][];

type ReceivedType = (typeof RECEIVED)[number];

/** What a session says of itself. */
export type SessionState = Exclude<SessionEvent, { type: ReceivedType }>;

/** What the account received is stored by its handler. */
export function storeReceived(
  handlers: SessionHandlers,
  device: Device,
  event: Exclude<SessionEvent, SessionState>,
): Promise<void> {
  switch (event.type) {
    case 'message':
      return handlers.message(device, event.message);
    case 'receipt':
      return handlers.receipt(device, event.receipt);
    case 'own_read':
      return handlers.ownRead(device, event.read);
    case 'media_retry':
      return handlers.mediaRetry(device, event.answer);
    case 'notice':
      return handlers.notice(device, event.notice, event.cause);
    case 'account_state':
      return handlers.accountState(device, event.state);
    case 'history':
      return handlers.history(device, event.batch);
    case 'chat_timer':
      return handlers.chatTimer(device, event.timer);
    case 'push_names':
      return handlers.pushNames(device, event.names);
    case 'groups_changed':
      return handlers.groupsChanged(device);
    case 'past_members':
      return handlers.pastMembers(device, event.group, event.members);
  }
}

export function isSessionState(event: SessionEvent): event is SessionState {
  return !RECEIVED.some((type) => type === event.type);
}
