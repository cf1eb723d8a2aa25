/**
 * The port: what a linked WhatsApp device can do and what it reports, in our own terms.
 * `whatsapp/baileys/` implements it; another engine would be another folder beside it.
 */
import type { SessionNotice } from './notices.ts';
import type { WireMessage } from './wire-message.ts';

/** A JID as text, without a device part: `5511999990001@s.whatsapp.net`, `1234@lid`, `120…@g.us`. */
export type Jid = string;

/** A person, under every name we know. At least one of `jid` (phone number) and `lid` is set. */
export interface Identity {
  jid: Jid | null;
  lid: Jid | null;
}

export type MediaKind = 'image' | 'video' | 'audio' | 'voice' | 'document' | 'sticker';

/** Everything needed to fetch, decrypt and verify one media file, as the message carried it. */
export interface MediaDescriptor {
  kind: MediaKind;
  mimeType: string;
  fileName: string | null;
  /** Plaintext length in bytes as the sender says; checked after decryption when present. */
  fileLength: number | null;
  /** 32 bytes. A secret: encrypted at rest, never logged. */
  mediaKey: Uint8Array;
  /** Path on the media hosts, or null when the sender never uploaded it. */
  directPath: string | null;
  /** SHA-256 of the plaintext, 32 bytes. */
  fileSha256: Uint8Array | null;
  /** SHA-256 of the ciphertext including its 10-byte MAC, 32 bytes. */
  fileEncSha256: Uint8Array | null;
  seconds: number | null;
  width: number | null;
  height: number | null;
}

export const MESSAGE_KINDS = [
  'text',
  'image',
  'video',
  'audio',
  'voice',
  'document',
  'sticker',
  'location',
  'live_location',
  'contact',
  'contacts',
  'reaction',
  'poll',
  'poll_vote',
  'buttons',
  'buttons_response',
  'list',
  'list_response',
  'template',
  'interactive',
  'product',
  'order',
  'event',
  'group_invite',
  'payment',
  'edit',
  'revoke',
  'pin',
  'protocol',
  'undecryptable',
  'unknown',
] as const;
export type MessageKind = (typeof MESSAGE_KINDS)[number];

export interface QuotedMessage {
  id: string;
  participant: Jid | null;
  text: string | null;
}

/** The parts of a message's content that we understand; the raw protobuf goes beside it. */
export interface MessageContent {
  kind: MessageKind;
  /** Text or caption; for `edit` the new text; for `reaction` the emoji (empty removes it). */
  text: string | null;
  media: MediaDescriptor | null;
  quoted: QuotedMessage | null;
  mentions: Jid[];
  forwarded: boolean;
  viewOnce: boolean;
  /** Disappearing-message timer in seconds, null when the chat has none. */
  ephemeralSeconds: number | null;
  /** The message that an edit, revoke, reaction, pin or poll vote speaks of. */
  targetId: string | null;
  /** The author of that message, where it is named beside the id: in groups. */
  targetSender?: Jid | null;
  /** A revoke that the server let pass as an admin's of the group: the message need not be the sender's. */
  byAdmin?: boolean;
}

export type MessageSource = 'phone' | 'api' | 'history';

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
  content: MessageContent;
  /** Encoded waE2E.Message, as decrypted. Empty for an undecryptable message. */
  raw: Uint8Array;
  /** For an undecryptable message: whom to ask for it again. */
  retry?: RetryAddress;
  /** Stored while we were away and delivered on reconnect. */
  offline: boolean;
  source: MessageSource;
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

export type ReceiptKind = 'delivered' | 'read' | 'played';

/** A receipt of ours for messages that one person sent to one chat. */
export interface OutboundReceipt {
  kind: 'delivered' | 'read';
  chat: Identity;
  /** The author, in a group. */
  sender: Identity | null;
  messageIds: string[];
  /** Milliseconds: when it was read. */
  at: number;
}

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

/** WhatsApp's answer to a re-upload request (MediaRetryNotification.ResultType). */
export interface MediaRetryAnswer {
  messageId: string;
  chat: Jid;
  result: 'success' | 'not_found' | 'decryption_error' | 'general_error';
  /** The new direct path; set on success. */
  directPath: string | null;
}

/** The still encrypted answer: the media key that opens it is with the stored message. */
export interface MediaRetryNotice {
  messageId: string;
  chat: Jid;
  fromMe: boolean;
  participant: Jid | null;
  /** AES-256-GCM ciphertext and 12-byte IV, or null when the server refused with `errorCode`. */
  encrypted: { ciphertext: Uint8Array; iv: Uint8Array } | null;
  /** Code of the `<error>` element; 2 = the phone does not have the media. */
  errorCode: number | null;
}

/** Why a session ended. The names are stable: they are shown to users. */
export type CloseReason =
  | 'stopped' // we closed it
  | 'restart_required' // 515, a normal step after pairing
  | 'connection_lost' // socket closed or went silent
  | 'logged_out' // 401: the phone removed this companion, or we logged out
  | 'replaced' // 440: another client uses the same credentials
  | 'banned' // 403, 402 (temporary)
  | 'outdated' // 405: the client version is no longer accepted
  | 'bad_session' // 411, 500: the credentials do not work
  | 'service_unavailable' // 503
  | 'qr_timeout' // nobody scanned in time
  | 'pairing_failed'; // pair-success could not be verified

/** A piece of the account's past, sent by the phone after linking or on demand. */
export interface HistoryBatch {
  kind: 'initial' | 'recent' | 'full' | 'on_demand' | 'push_names';
  /** 0–100 as the phone says, null when it does not. */
  progress: number | null;
  /** At most a bounded number; a long history comes in many batches. Each has `source: 'history'`. */
  messages: InboundMessage[];
  chats: number;
  contacts: number;
}

/** WhatsApp lets the account write in its chats and begin no new ones, for a while ("reach-out time lock"). */
export interface AccountLimit {
  /** Milliseconds since the epoch. */
  until: number;
  /** WhatsApp's word: `BIZ_QUALITY`, `WEB_COMPANION_ONLY`, … */
  reason: string;
}

export type SessionEvent =
  | { type: 'connecting' }
  | { type: 'qr'; code: string; expiresAt: number }
  | { type: 'paired'; jid: Jid; lid: Jid | null; platform: string | null }
  | { type: 'open'; jid: Jid; lid: Jid | null; pushName: string | null }
  | { type: 'closed'; reason: CloseReason; detail: string; statusCode: number | null }
  | { type: 'message'; message: InboundMessage }
  | { type: 'receipt'; receipt: MessageReceipt }
  | { type: 'media_retry'; notice: MediaRetryNotice }
  /**
   * `cause` names the stanza and the notice in it, for stanzas that the server keeps until they are
   * acknowledged: the same cause is the same notice, come again because the acknowledgement was lost.
   */
  | { type: 'notice'; notice: SessionNotice; cause?: string }
  | { type: 'history'; batch: HistoryBatch }
  | { type: 'push_name'; name: string }
  /** Null: the limit was lifted. */
  | { type: 'limit'; limit: AccountLimit | null }
  | { type: 'alive' }; // the server answered a ping

/**
 * Takes an event. The session awaits it before it acknowledges the cause to the server, so a
 * rejected promise means "not stored": the server keeps the stanza and sends it again.
 */
export type SessionReporter = (event: SessionEvent) => Promise<void>;

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
  /** Extra children of the stanza, for example `<meta polltype="creation"/>`. */
  extraNodes?: StanzaNode[];
}

/** The server took the message. */
export interface SendAck {
  /** Milliseconds since the epoch, as the server stamped the ack. */
  timestamp: number;
}

/** The server refused the message: `<ack error="463"/>` and the like. */
export class SendRejected extends Error {
  readonly whatsappCode: number;
  /** The limit of the account that the message went against, where WhatsApp tells of one. */
  readonly limit: AccountLimit | null;
  constructor(whatsappCode: number, text: string, limit: AccountLimit | null = null) {
    super(text);
    this.name = 'SendRejected';
    this.whatsappCode = whatsappCode;
    this.limit = limit;
  }
}

/** The session is not open, or closed while the call was under way. */
export class SessionNotOpen extends Error {
  constructor(message = 'the session is not open') {
    super(message);
    this.name = 'SessionNotOpen';
  }
}

/** No answer within the time limit; whether the server acted is unknown. */
export class SessionTimeout extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SessionTimeout';
  }
}

/** Where media is stored, and the ticket to upload there (`<media_conn>`). */
export interface MediaConnection {
  /** Host names, best first, possibly with a port: `mmg.whatsapp.net`. */
  hosts: string[];
  auth: string;
  /** Milliseconds since the epoch after which it must be fetched again. */
  expiresAt: number;
}

export interface NumberLookup {
  /** As asked: digits. */
  number: string;
  exists: boolean;
  jid: Jid | null;
  lid: Jid | null;
}

export interface GroupMember extends Identity {
  /** May delete what others wrote, among other things. */
  admin: boolean;
}

export type PresenceState = 'available' | 'unavailable';
export type ChatState = 'composing' | 'recording' | 'paused';

export interface WhatsAppSession {
  /** Opens the socket. Progress comes as events. */
  start(): Promise<void>;
  /** Closes the socket and keeps the credentials; resolves when it is closed. */
  stop(): Promise<void>;
  /** Tells the server to remove this companion, then closes. Needs an open session. */
  logout(): Promise<void>;
  /** Asks for a pairing code for `phoneDigits`; 8 characters without a dash. Needs a connecting, unpaired session. */
  requestPairCode(phoneDigits: string): Promise<string>;
  /** Resolves when the server acknowledged the message; throws SendRejected, SessionNotOpen or SessionTimeout. */
  send(message: OutboundMessage): Promise<SendAck>;
  /** A fresh message id in WhatsApp's form (`3EB0…`). */
  newMessageId(): string;
  sendChatState(to: Jid, state: ChatState): Promise<void>;
  sendPresence(state: PresenceState): Promise<void>;
  /** Asks to be told of a contact's presence, until the connection ends. WhatsApp answers only who is `available`. */
  subscribePresence(contact: Jid): Promise<void>;
  /** Asks the server which numbers are registered. */
  lookUpNumbers(numbers: string[]): Promise<NumberLookup[]>;
  /**
   * Tells the author that we have the messages, or read them. Where the account does not show read
   * receipts, only its own devices learn of it. There is no answer to wait for.
   */
  sendReceipt(receipt: OutboundReceipt): Promise<void>;
  /**
   * Asks the device that encrypted a message to encrypt it again, and our own phone for its copy;
   * `attempt` counts from 1. What comes is reported as a message.
   */
  requestRetry(request: { messageId: string; address: RetryAddress; attempt: number }): Promise<void>;
  /**
   * Asks our account's phone for messages of a chat from before `oldest` (time in milliseconds). It answers
   * when it can, as a HistoryBatch of the kind `on_demand`.
   */
  requestHistory(request: {
    chat: Jid;
    oldest: { id: string; fromMe: boolean; timestamp: number };
    count: number;
  }): Promise<void>;
  /**
   * Stars a message on all devices of the account, or takes the star away; `author` is the other's, in a group.
   * What changed is reported as the notice `message.starred`, before this resolves.
   */
  starMessage(request: {
    chat: Identity;
    messageId: string;
    fromMe: boolean;
    author: Identity | null;
    starred: boolean;
  }): Promise<void>;
  /** The members of a group we are in, ourselves included. */
  groupMembers(group: Jid): Promise<GroupMember[]>;
  mediaConnection(refresh?: boolean): Promise<MediaConnection>;
  /** Sends the `server-error` receipt: asks our account's phone to upload the media again. */
  requestMediaReupload(request: {
    messageId: string;
    chat: Jid;
    fromMe: boolean;
    participant: Jid | null;
    mediaKey: Uint8Array;
  }): Promise<void>;
}

export interface SessionOptions {
  /** For logs and for the credential store. */
  deviceId: string;
  credentials: CredentialStore;
  report: SessionReporter;
  /** Returns the stored message of ours, so that a recipient's retry receipt can be answered. */
  loadSentMessage(chat: Jid, messageId: string): Promise<Uint8Array | null>;
}

export type SessionFactory = (options: SessionOptions) => Promise<WhatsAppSession>;

/**
 * Where one device's keys live. Values are opaque bytes to the store; it encrypts them.
 * One `write` is one commit, all of it or nothing; it is durable when the promise resolves, or, in a store
 * that has `settled`, once that has resolved. Nothing that depends on it may leave the process earlier.
 */
export interface CredentialStore {
  readCredentials(): Promise<Uint8Array | null>;
  writeCredentials(value: Uint8Array): Promise<void>;
  readKeys(type: string, ids: string[]): Promise<Map<string, Uint8Array>>;
  /** A null value deletes. `journal` rows are written in the same commit. */
  write(changes: KeyChange[], journal?: JournalEntry[]): Promise<void>;
  /** Entries that were journaled but not yet reported as stored, oldest first. */
  readJournal(): Promise<JournalEntry[]>;
  deleteJournal(ids: string[]): Promise<void>;
  /** Forgets everything of this device: after a logout. */
  clear(): Promise<void>;
  /** Resolves once every commit made before the call is durable. */
  settled?(): Promise<void>;
}

export interface KeyChange {
  type: string;
  id: string;
  value: Uint8Array | null;
}

/** A decrypted stanza on its way into the archive: kept until it is stored there. */
export interface JournalEntry {
  /** Unique within the device: sender, message id and position of the ciphertext. */
  id: string;
  /** The stanza without its ciphertexts, encoded as a binary node. */
  stanza: Uint8Array;
  /** Encoded waE2E.Message, unpadded. */
  plaintext: Uint8Array;
  receivedAt: number;
}
