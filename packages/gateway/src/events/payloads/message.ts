/** Messages, what changes them, and receipts, as public `data`. */
import type { Static } from 'typebox';
import { canonicalJid, identityOf, sameIdentity } from '../../identity/jid.ts';
import type { Broadcast } from '../../whatsapp/port/broadcasts.ts';
import type { MessageKind, QuotedMessage, Referral } from '../../whatsapp/port/content.ts';
import type { Identity, Jid } from '../../whatsapp/port/identity.ts';
import type { MessageSource } from '../../whatsapp/port/messages.ts';
import type { ReceiptKind } from '../../whatsapp/port/receipts.ts';
import type {
  EditedData,
  FailedData,
  MediaRetryData,
  MentionData,
  PollOptionData,
  PollVoteData,
  ReactionData,
  ReceiptData,
  RevokedData,
  UndecryptableData,
} from '../catalogue/message.ts';
import type { Media, MessageData, ReferralData } from '../catalogue/message-data.ts';
import { chatNames, direction, mediaUrl, person, personOrNull, time, timeOrNull } from './parts.ts';

/** A message as an event speaks of it. */
export interface EventMessage {
  messageId: string;
  /** Our own id of it. */
  recordId: string;
  /** The account that the device held when it stored the message; null or absent: the one of today. */
  account?: Jid | null;
  chat: Identity;
  sender: Identity;
  fromMe: boolean;
  isGroup: boolean;
  kind: MessageKind;
  text: string | null;
  pushName: string | null;
  source: MessageSource;
  /** Milliseconds since the epoch, the server's time. */
  timestamp: number;
  /** Of a post in a channel. */
  serverId?: number | null;
  quoted: QuotedMessage | null;
  mentions: Jid[];
  /** The same people under every known name, as far as those were looked up. */
  mentioned?: readonly Identity[];
  mentionsAll?: boolean;
  referral?: Referral | null;
  forwarded: boolean;
  viewOnce: boolean;
  /** Set for what was sent to a broadcast list. */
  broadcast?: Broadcast | null;
  ephemeralSeconds: number | null;
  targetId: string | null;
  targetSender?: Jid | null;
  targetAuthor?: Identity | null;
  media: EventMedia | null;
  furtherMedia: EventMedia[];
  /** Set when it was changed before we had it, milliseconds. */
  editedAt: number | null;
  revokedAt: number | null;
  /** What the kind adds, public as it is. */
  details?: Record<string, unknown> | null;
}

export interface EventMedia {
  kind: Static<typeof Media>['kind'];
  mimeType: string;
  fileName: string | null;
  size: number | null;
  /** Hex. */
  sha256: string | null;
  seconds: number | null;
  width: number | null;
  height: number | null;
}

/** `account`: the linked account's own names. */
export function messageData(message: EventMessage, account: Identity): MessageData {
  const own = message.account ?? canonicalJid(account);
  return {
    message_id: message.messageId,
    record_id: message.recordId,
    ...chatNames(message.chat),
    ...direction({ ...message, account: own }),
    sender: sender(message),
    push_name: message.pushName,
    is_group: message.isGroup,
    message_type: message.kind,
    content: message.text ?? '',
    timestamp: time(message.timestamp),
    media: message.media && mediaData(message.media, mediaUrl(message.recordId)),
    further_media: message.furtherMedia.map((file, at) =>
      mediaData(file, `${mediaUrl(message.recordId)}?index=${at + 1}`),
    ),
    quoted: message.quoted && {
      message_id: message.quoted.id,
      participant: message.quoted.participant,
      author: personOrNull(message.quoted.author ?? identityOrNull(message.quoted.participant)),
      body: message.quoted.text,
      chat_jid: message.quoted.chat ?? null,
    },
    mentions: message.mentions,
    mentioned: mentioned(message).map(person),
    mentions_me:
      message.mentionsAll === true || mentioned(message).some((each) => sameIdentity(each, account)),
    forwarded: message.forwarded,
    broadcast: message.broadcast != null,
    ephemeral: message.ephemeralSeconds,
    view_once: message.viewOnce,
    source: message.source,
    target_message_id: message.targetId,
    target_sender: personOrNull(message.targetAuthor ?? identityOrNull(message.targetSender ?? null)),
    referral: message.referral ? referralData(message.referral) : null,
    edited_at: timeOrNull(message.editedAt),
    revoked_at: timeOrNull(message.revokedAt),
    server_id: message.serverId ?? null,
    details: message.details ?? null,
  };
}

/** Who is mentioned; what was not looked up goes by the one name that the message gives. */
function mentioned({
  mentions,
  mentioned: known = [],
}: Pick<EventMessage, 'mentions' | 'mentioned'>): Identity[] {
  return [...known, ...mentions.slice(known.length).map(identityOf)];
}

function identityOrNull(jid: Jid | null): Identity | null {
  return jid === null ? null : identityOf(jid);
}

function referralData(from: Referral): Static<typeof ReferralData> {
  return {
    title: from.title,
    body: from.body,
    source_type: from.sourceType,
    source_id: from.sourceId,
    source_url: from.sourceUrl,
    source_app: from.sourceApp,
    media_type: from.mediaType,
    media_url: from.mediaUrl,
    thumbnail_url: from.thumbnailUrl,
    ctwa_clid: from.ctwaClid,
    ref: from.ref,
    conversion_source: from.conversionSource,
    entry_point: from.entryPoint,
    entry_point_app: from.entryPointApp,
    entry_point_external_source: from.entryPointExternalSource,
    entry_point_external_medium: from.entryPointExternalMedium,
    utm_source: from.utmSource,
    utm_campaign: from.utmCampaign,
  };
}

function mediaData(media: EventMedia, url: string): Static<typeof Media> {
  return {
    kind: media.kind,
    mime_type: media.mimeType,
    file_name: media.fileName,
    size: countOrNull(media.size),
    sha256: media.sha256,
    seconds: countOrNull(media.seconds),
    width: countOrNull(media.width),
    height: countOrNull(media.height),
    url,
  };
}

/** Senders write these figures, and some write nonsense. */
function countOrNull(value: number | null): number | null {
  return value !== null && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** The message that changes another one, with the id of the one it changes. */
export interface EventChange {
  /** Id of the edit, revoke, reaction or vote itself. */
  messageId: string;
  targetId: string;
  /** Our own id of that message; null when we do not have it. */
  targetRecord: string | null;
  /** Who wrote it; null when that is not known. */
  targetAuthor: Identity | null;
  /** The account that the device held when it stored the change. */
  account: Jid | null;
  chat: Identity;
  sender: Identity;
  fromMe: boolean;
  isGroup: boolean;
  pushName: string | null;
  source: MessageSource;
  timestamp: number;
  /** Of the post in a channel that it changes. */
  serverId?: number | null;
}

export function editedData(
  change: EventChange & { text: string | null; details: Record<string, unknown> | null },
): Static<typeof EditedData> {
  const { messageId: edit_id, text, details } = change;
  return { ...about(change), edit_id, content: text ?? '', details };
}

export function revokedData(change: EventChange): Static<typeof RevokedData> {
  return { ...about(change), revoke_id: change.messageId };
}

export function reactionData(change: EventChange & { text: string | null }): Static<typeof ReactionData> {
  return { ...about(change), reaction_id: change.messageId, reaction: change.text ?? '' };
}

/** `options`: the names chosen, or null when the vote cannot be read (yet). */
export function pollVoteData(
  change: EventChange & { pollName: string | null; options: string[] | null; unknownOptions: number },
): Static<typeof PollVoteData> {
  return {
    ...about(change),
    vote_id: change.messageId,
    poll_name: change.pollName,
    options: change.options,
    unknown_options: change.unknownOptions,
  };
}

export function pollOptionData(change: EventChange & { text: string | null }): Static<typeof PollOptionData> {
  return { ...about(change), option_id: change.messageId, option: change.text ?? '' };
}

function about(change: EventChange) {
  return {
    message_id: change.targetId,
    record_id: change.targetRecord,
    target_sender: personOrNull(change.targetAuthor),
    ...chatNames(change.chat),
    ...direction(change),
    sender: sender(change),
    is_group: change.isGroup,
    timestamp: time(change.timestamp),
    source: change.source,
    server_id: change.serverId ?? null,
  };
}

/** The direction of a message of ours. */
function ours({ account, chat, isGroup }: { account: Identity; chat: Identity; isGroup: boolean }) {
  return direction({ chat, isGroup, sender: account, fromMe: true, account: canonicalJid(account) });
}

function sender(of: { sender: Identity; pushName: string | null }) {
  return { ...person(of.sender), push_name: of.pushName };
}

export function undecryptableData(
  message: Pick<
    EventMessage,
    | 'messageId'
    | 'recordId'
    | 'chat'
    | 'sender'
    | 'fromMe'
    | 'isGroup'
    | 'viewOnce'
    | 'pushName'
    | 'timestamp'
  > & { account: Jid | null },
): Static<typeof UndecryptableData> {
  return {
    message_id: message.messageId,
    record_id: message.recordId,
    ...chatNames(message.chat),
    ...direction(message),
    sender: sender(message),
    is_group: message.isGroup,
    view_once: message.viewOnce,
    timestamp: time(message.timestamp),
    retry_url: `/messages/${message.recordId}/retry`,
  };
}

export function receiptData(receipt: {
  messageId: string;
  recordId: string;
  /** The account's own names: the message is its own. */
  account: Identity;
  chat: Identity;
  isGroup: boolean;
  recipient: Identity;
  kind: ReceiptKind;
  at: number;
}): Static<typeof ReceiptData> {
  return {
    message_id: receipt.messageId,
    record_id: receipt.recordId,
    ...chatNames(receipt.chat),
    ...ours(receipt),
    recipient: person(receipt.recipient),
    is_group: receipt.isGroup,
    status: receipt.kind,
    timestamp: time(receipt.at),
  };
}

export function failedData(failure: {
  messageId: string;
  recordId: string;
  account: Identity;
  chat: Identity;
  isGroup: boolean;
  kind: MessageKind;
  error: string;
  at: number;
}): Static<typeof FailedData> {
  return {
    message_id: failure.messageId,
    record_id: failure.recordId,
    ...chatNames(failure.chat),
    ...ours(failure),
    is_group: failure.isGroup,
    message_type: failure.kind,
    error: failure.error,
    timestamp: time(failure.at),
  };
}

export function mentionData(
  message: Pick<
    EventMessage,
    'messageId' | 'recordId' | 'chat' | 'isGroup' | 'text' | 'mentions' | 'mentioned' | 'timestamp'
  > & { account: Identity },
): Static<typeof MentionData> {
  return {
    message_id: message.messageId,
    record_id: message.recordId,
    ...chatNames(message.chat),
    ...ours(message),
    is_group: message.isGroup,
    content: message.text ?? '',
    mentions: message.mentions,
    mentioned: mentioned(message).map(person),
    timestamp: time(message.timestamp),
  };
}

export function mediaRetryData(answer: {
  messageId: string;
  recordId: string;
  account: Jid | null;
  chat: Identity;
  sender: Identity;
  isGroup: boolean;
  fromMe: boolean;
  result: Static<typeof MediaRetryData>['result'];
}): Static<typeof MediaRetryData> {
  return {
    message_id: answer.messageId,
    record_id: answer.recordId,
    ...chatNames(answer.chat),
    ...direction(answer),
    success: answer.result === 'success',
    result: answer.result,
    url: mediaUrl(answer.recordId),
  };
}
