import type { MessageContent } from './content.ts';
import type { Identity, Jid } from './identity.ts';
import type { WireMessage } from './wire-message.ts';

/**
 * `phone`: it came, from whatever device. `history`: our own phone told it of the past. `shared`: another member of the
 * group did, and nobody else vouches for it.
 */
export type MessageSource = 'phone' | 'api' | 'history' | 'shared';

/** Whether it was written before the device could get it: no news. */
export function isPast(source: MessageSource): boolean {
  return source === 'history' || source === 'shared';
}

/**
 * The device that encrypted a message, as its stanza named it: a retry receipt goes to that device alone.
 * Plain JSON, to be kept beside the message.
 */
export interface RetryAddress {
  /** `from` of the stanza: the sender's device, or the group. */
  from: Jid;
  /** The sender's device, in a group. */
  participant: Jid | null;
  /** The chat, for what another device of our account sent. */
  recipient: Jid | null;
  /** `t` of the stanza, seconds. */
  t: string;
}

/** A message the device received, or that another device of the account sent. */
export interface InboundMessage {
  id: string;
  /** The chat: a person, group, newsletter or broadcast. `jid` is the group JID for groups. */
  chat: Identity;
  isGroup: boolean;
  sender: Identity;
  fromMe: boolean;
  /** The stanza named the other side, in a group the author, by LID. Our phone knows the message by that name. */
  lidAddressed?: boolean;
  /** Milliseconds since the epoch, as the server stamped it (whole seconds). */
  timestamp: number;
  pushName: string | null;
  /** The server's number of a post in a channel. */
  serverId?: number;
  content: MessageContent;
  /** Encoded waE2E.Message, as decrypted. Empty for an undecryptable message. */
  raw: Uint8Array;
  /** For an undecryptable message: whom to ask for it again. */
  retry?: RetryAddress;
  /** Stored while we were away and delivered on reconnect. */
  offline: boolean;
  source: MessageSource;
}

/** Part of a stanza that is not encrypted: the server reads it, and receivers get it. */
export interface StanzaNode {
  tag: string;
  attrs: Record<string, string>;
  content?: StanzaNode[];
}

export interface OutboundMessage {
  /** Recipient or group. */
  to: Jid;
  /** Chosen before sending, so that the row exists before the stanza leaves. */
  id: string;
  message: WireMessage;
  /** `edit="1"` for edits, `"2"` for pins, `"7"` for own revokes, `"8"` for admin revokes: a stanza attribute. */
  editAttribute?: '1' | '2' | '7' | '8';
  /** Who is to get a story: their JIDs, our own among them. */
  audience?: Jid[];
  /** Of a file that a post in a channel carries: what the media host answered to its upload. */
  mediaHandle?: string;
  /** Of a reaction in a channel: the server's number of the post. */
  postServerId?: number;
  /** Extra children of the stanza, for example `<meta polltype="creation"/>`. */
  extraNodes?: StanzaNode[];
}

/** The server took the message. */
export interface SendAck {
  /** Milliseconds since the epoch, as the server stamped the ack. */
  timestamp: number;
  /** The number that the server gave to a post in a channel. */
  serverId?: number;
  /** How many of the audience of a story are not on WhatsApp. */
  missed?: number;
}

/** Sending messages, and asking for those that could not be read. */
export interface SessionMessages {
  /**
   * Resolves when the server acknowledged the message. Throws SendRejected when it refused it, NothingLeft for
   * whatever ended it before, and SessionNotOpen or SessionTimeout when the server may have it.
   */
  send(message: OutboundMessage): Promise<SendAck>;
  /** A fresh message id in WhatsApp's form (`3EB0…`). */
  newId(): string;
  /**
   * Asks the device that encrypted a message to encrypt it again, and our own phone for its copy;
   * `attempt` counts from 1. What comes is reported as a message.
   */
  requestRetry(request: { messageId: string; address: RetryAddress; attempt: number }): Promise<void>;
}
