/** One message as the archive gives it out. */
import type { Insertable, Selectable } from 'kysely';
import type { DeviceState, StateReason } from '../devices/state.ts';
import { identityOf, storedIdentity } from '../identity/jid.ts';
import type { DeviceId, MessageId, RecordId, TenantId, UserId } from '../ids.ts';
import type { MessagesTable } from '../storage/schema.ts';
import type { Broadcast } from '../whatsapp/port/broadcasts.ts';
import type {
  EventResponse,
  MessageContent,
  MessageKind,
  QuotedMessage,
  Referral,
  SealedUse,
} from '../whatsapp/port/content.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { MediaDescriptor } from '../whatsapp/port/media.ts';
import type { MessageSource, RetryAddress } from '../whatsapp/port/messages.ts';
import type { WireMessage } from '../whatsapp/port/wire-message.ts';

/** The device a message belongs to, with the account's own names. `Device` of `devices/` fits. */
export interface MessageDevice {
  id: DeviceId;
  tenantId: TenantId;
  /** Its owner. */
  userId: UserId;
  jid: Jid | null;
  lid: Jid | null;
  /** Says why it cannot be used now, where a caller named it. */
  state?: DeviceState;
  stateReason?: StateReason;
}

/** What an answer or event says about a message beside its text; stored as JSON, so no bytes. */
export interface MessageContext {
  quoted: QuotedMessage | null;
  mentions: Jid[];
  /** The same people under every known name, where those were looked up. */
  mentioned: readonly Identity[];
  mentionsAll: boolean;
  referral: Referral | null;
  forwarded: boolean;
  viewOnce: boolean;
  ephemeralSeconds: number | null;
  /** The message that an edit, revoke, reaction, pin or poll vote speaks of. */
  targetId: MessageId | null;
  /** The author of that message, as the one who speaks of it says; null when it is not said. */
  targetSender: Jid | null;
  /** The same person under every known name. */
  targetAuthor: Identity | null;
  /** Set for what was sent to a broadcast list. */
  broadcast: Broadcast | null;
  /** A revoke by a group's admin, who may delete what others wrote. */
  byAdmin: boolean;
  /** What a poll vote chose. */
  pollVote: PollVote | null;
  /** While it is sealed under the secret of the message that it speaks of: under which use. */
  sealed: SealedUse | null;
  /** Of a sealed piece of an assistant's answer: that answer. */
  pieceOf: MessageId | null;
  eventResponse: EventResponse | null;
  /** What the kind of the message adds since its last edit; null while that is as it was sent. */
  editedDetails: Record<string, unknown> | null;
  /** How to ask for an undecryptable message again, and how often we did. */
  retry: (RetryAddress & { attempts: number }) | null;
}

/** A vote as far as it could be read. */
export interface PollVote {
  /** The question; null while the poll is not known. */
  pollName: string | null;
  /** Names of the options; empty takes the vote back, null while the poll is not known. */
  options: string[] | null;
  /** Options chosen that the poll, as we know it, does not have. */
  unknownOptions: number;
}

export type SendState = 'none' | 'pending' | 'sent' | 'failed';

export interface StoredMessage {
  rowId: RecordId;
  tenantId: TenantId;
  deviceId: DeviceId;
  messageId: MessageId;
  /** The account that the device held when it was stored; null when that was not kept. */
  accountJid: Jid | null;
  /** The phone-number JID when known, else the LID; the group JID for groups. */
  chatJid: Jid;
  chatLid: Jid | null;
  senderJid: Jid;
  senderLid: Jid | null;
  fromMe: boolean;
  isGroup: boolean;
  kind: MessageKind;
  /** Text or caption, as last edited. */
  text: string | null;
  pushName: string | null;
  context: MessageContext;
  source: MessageSource;
  /** Milliseconds since the epoch, as are the further times. */
  timestamp: number;
  sendState: SendState;
  sendError: string | null;
  deliveredAt: number | null;
  readAt: number | null;
  playedAt: number | null;
  editedAt: number | null;
  revokedAt: number | null;
  /** When its owner deleted it for himself; no answer shows it since. */
  hiddenAt: number | null;
  starredAt: number | null;
  /** WhatsApp's number of a post in a channel. */
  serverId: number | null;
  createdAt: number;
}

/** A message of ours on its way out: written before the stanza leaves. */
export interface OutboundRecord {
  device: MessageDevice;
  messageId: MessageId;
  chat: Identity;
  isGroup: boolean;
  message: WireMessage;
  content: Pick<MessageContent, 'kind' | 'text'> &
    Partial<Omit<MessageContent, 'kind' | 'text' | 'media'>> & { media?: MediaDescriptor | null };
}

/** Every column that a StoredMessage is made of: all but the sealed protobuf. */
export const STORED_COLUMNS = [
  'id',
  'tenant_id',
  'device_id',
  'message_id',
  'account_jid',
  'chat_jid',
  'chat_lid',
  'sender_jid',
  'sender_lid',
  'from_me',
  'is_group',
  'kind',
  'text',
  'push_name',
  'context',
  'source',
  'timestamp',
  'send_state',
  'send_error',
  'delivered_at',
  'read_at',
  'played_at',
  'edited_at',
  'revoked_at',
  'hidden_at',
  'starred_at',
  'server_id',
  'created_at',
] as const satisfies readonly (keyof MessagesTable)[];

export type StoredRow = Pick<Selectable<MessagesTable>, (typeof STORED_COLUMNS)[number]>;

const EMPTY_CONTEXT: MessageContext = {
  quoted: null,
  mentions: [],
  mentioned: [],
  mentionsAll: false,
  referral: null,
  forwarded: false,
  viewOnce: false,
  ephemeralSeconds: null,
  targetId: null,
  targetSender: null,
  targetAuthor: null,
  broadcast: null,
  byAdmin: false,
  pollVote: null,
  sealed: null,
  pieceOf: null,
  eventResponse: null,
  editedDetails: null,
  retry: null,
};

/** The JSON kept in `context`: what differs from a plain message; null when nothing does, as in most. */
export function contextJson(content: Partial<MessageContext>): string | null {
  const plain: Record<string, unknown> = { ...EMPTY_CONTEXT };
  const said = Object.entries(pickContext(content)).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(plain[name]),
  );
  return said.length === 0 ? null : JSON.stringify(Object.fromEntries(said));
}

/** The inverse of `contextJson`. */
export function parseContext(json: string | null): MessageContext {
  return json ? pickContext(JSON.parse(json) as Partial<MessageContext>) : EMPTY_CONTEXT;
}

function pickContext(content: Partial<MessageContext>): MessageContext {
  return {
    quoted: content.quoted ?? null,
    mentions: content.mentions ?? [],
    mentioned: content.mentioned ?? [],
    mentionsAll: content.mentionsAll ?? false,
    referral: content.referral ?? null,
    forwarded: content.forwarded ?? false,
    viewOnce: content.viewOnce ?? false,
    ephemeralSeconds: content.ephemeralSeconds ?? null,
    targetId: content.targetId ?? null,
    targetSender: content.targetSender ?? null,
    targetAuthor: content.targetAuthor ?? null,
    broadcast: content.broadcast ?? null,
    byAdmin: content.byAdmin ?? false,
    pollVote: content.pollVote ?? null,
    sealed: content.sealed ?? null,
    pieceOf: content.pieceOf ?? null,
    eventResponse: content.eventResponse ?? null,
    editedDetails: content.editedDetails ?? null,
    retry: content.retry ?? null,
  };
}

/** The row as the domain sees it. */
export function storedMessage(row: StoredRow | Insertable<MessagesTable>): StoredMessage {
  return {
    rowId: row.id,
    tenantId: row.tenant_id,
    deviceId: row.device_id,
    messageId: row.message_id,
    accountJid: row.account_jid ?? null,
    chatJid: row.chat_jid,
    chatLid: row.chat_lid ?? null,
    senderJid: row.sender_jid,
    senderLid: row.sender_lid ?? null,
    fromMe: row.from_me === 1,
    isGroup: row.is_group === 1,
    kind: row.kind as MessageKind,
    text: row.text ?? null,
    pushName: row.push_name ?? null,
    context: parseContext(row.context ?? null),
    source: row.source,
    timestamp: row.timestamp,
    sendState: row.send_state,
    sendError: row.send_error ?? null,
    deliveredAt: row.delivered_at ?? null,
    readAt: row.read_at ?? null,
    playedAt: row.played_at ?? null,
    editedAt: row.edited_at ?? null,
    revokedAt: row.revoked_at ?? null,
    hiddenAt: row.hidden_at ?? null,
    starredAt: row.starred_at ?? null,
    serverId: row.server_id ?? null,
    createdAt: row.created_at,
  };
}

/** The two names of the message's chat. Groups have one. */
export function chatIdentity(row: { chat_jid: string; chat_lid: string | null }): Identity {
  return storedIdentity(row.chat_jid, row.chat_lid);
}

/** The two names of the message's sender. */
export function senderIdentity(row: { sender_jid: string; sender_lid: string | null }): Identity {
  return storedIdentity(row.sender_jid, row.sender_lid);
}

/** The two names of a stored message's chat. */
export function chatOf(message: Pick<StoredMessage, 'chatJid' | 'chatLid'>): Identity {
  return storedIdentity(message.chatJid, message.chatLid);
}

/** The two names of a stored message's sender. */
export function senderOf(message: Pick<StoredMessage, 'senderJid' | 'senderLid'>): Identity {
  return storedIdentity(message.senderJid, message.senderLid);
}

/** The list of somebody else by which the message came, under which the server and our phone know it; null for most. */
export function listOf({ fromMe, context }: Pick<StoredMessage, 'fromMe' | 'context'>): Jid | null {
  return fromMe ? null : (context.broadcast?.list ?? null);
}

/** Whose device had the message: its author, when that was us. Null when it is not known. */
export function accountOfMessage(
  message: Pick<StoredMessage, 'fromMe' | 'senderJid' | 'senderLid' | 'accountJid'>,
): Identity | null {
  if (message.fromMe) return senderOf(message);
  return message.accountJid === null ? null : identityOf(message.accountJid);
}
