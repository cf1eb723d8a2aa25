import type { ChatTimer } from './chat-timers.ts';
import type { Jid } from './identity.ts';
import type { InboundMessage } from './messages.ts';

/** A piece of the account's past, sent by the phone after linking or on demand. */
export interface HistoryBatch {
  kind: 'initial' | 'recent' | 'full' | 'on_demand' | 'push_names';
  /** 0–100 as the phone says, null when it does not. */
  progress: number | null;
  /** At most a bounded number; a long history comes in many batches. Each has `source: 'history'`. */
  messages: InboundMessage[];
  /** Of the chats that have one, or had. */
  timers: ChatTimer[];
  chats: number;
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
