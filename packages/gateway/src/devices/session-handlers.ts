/** Gives each report of a session to the part that stores it. */
import type { ChatTimer } from '../whatsapp/port/chat-timers.ts';
import type { SessionEvent } from '../whatsapp/port/events.ts';
import type { HistoryBatch } from '../whatsapp/port/history.ts';
import type { SealedRetryAnswer } from '../whatsapp/port/media.ts';
import type { InboundMessage } from '../whatsapp/port/messages.ts';
import type { SessionNotice } from '../whatsapp/port/notices.ts';
import type { MessageReceipt } from '../whatsapp/port/receipts.ts';
import type { Device } from './device.ts';

/** Takes what a session reports. A rejection tells the session that it was not stored. */
export interface SessionHandlers {
  message(device: Device, message: InboundMessage): Promise<void>;
  receipt(device: Device, receipt: MessageReceipt): Promise<void>;
  mediaRetry(device: Device, answer: SealedRetryAnswer): Promise<void>;
  notice(device: Device, notice: SessionNotice, cause?: string): Promise<void>;
  history(device: Device, batch: HistoryBatch): Promise<void>;
  chatTimer(device: Device, timer: ChatTimer): Promise<void>;
  groupsChanged(device: Device): Promise<void>;
}

/** What a session says of itself, in contrast to what its account received. */
export type SessionState = Exclude<
  SessionEvent,
  { type: 'message' | 'receipt' | 'media_retry' | 'notice' | 'history' | 'chat_timer' | 'groups_changed' }
>;

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
    case 'media_retry':
      return handlers.mediaRetry(device, event.answer);
    case 'notice':
      return handlers.notice(device, event.notice, event.cause);
    case 'history':
      return handlers.history(device, event.batch);
    case 'chat_timer':
      return handlers.chatTimer(device, event.timer);
    case 'groups_changed':
      return handlers.groupsChanged(device);
  }
}

const RECEIVED: readonly SessionEvent['type'][] = [
  'message',
  'receipt',
  'media_retry',
  'notice',
  'history',
  'chat_timer',
  'groups_changed',
];

export function isSessionState(event: SessionEvent): event is SessionState {
  return !RECEIVED.includes(event.type);
}
