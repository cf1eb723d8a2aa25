import type { Identity, Jid } from './identity.ts';

export type ReceiptKind = 'delivered' | 'read' | 'played';

/** One receipt of one recipient for one or more of our messages. */
export interface MessageReceipt {
  chat: Identity;
  isGroup: boolean;
  /** Who received, read or played: the participant in a group, the other side in a chat. */
  recipient: Identity;
  messageIds: string[];
  kind: ReceiptKind;
  /** Milliseconds since the epoch, as the server stamped it. */
  timestamp: number;
}

/** Another device of the account, or we, read messages of a chat. */
export interface OwnRead {
  chat: Identity;
  /** Who wrote them, where many write in one chat and it is told. */
  sender: Identity | null;
  messageIds: string[];
}

/** A receipt of ours for messages that one person sent to one chat. */
export interface OutboundReceipt {
  kind: 'delivered' | 'read';
  chat: Identity;
  /** The author, in a group, and of stories. */
  sender: Identity | null;
  /** The broadcast list of the chat's other side by which the messages came; null or absent: they came directly. */
  list?: Jid | null;
  messageIds: string[];
  /** Milliseconds: when it was read. */
  at: number;
}

export interface SessionReceipts {
  /**
   * Tells the author that we have the messages, or read them. Where the account does not show read
   * receipts, only its own devices learn of it. There is no answer to wait for.
   */
  send(receipt: OutboundReceipt): Promise<void>;
}
