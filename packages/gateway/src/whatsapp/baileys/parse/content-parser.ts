import { isBroadcastList } from '../../port/broadcasts.ts';
import type { MessageContent, QuotedMessage } from '../../port/content.ts';
import { type Level, levels, unwrapped } from '../../port/envelopes.ts';
import type { MediaKind } from '../../port/media.ts';
import { jidNormalizedUser, proto } from '../library.ts';
import type { AddedPollOption } from './content/added-poll-option.ts';
import { parseBusiness } from './content/business-content.ts';
import { parseCall } from './content/call-content.ts';
import { type LaterMembers, parseLater } from './content/later-members.ts';
import { descriptor, type MediaFields } from './content/media-content.ts';
import { parseNewer, wordsIn } from './content/newer-content.ts';
import type { Parsed } from './content/parsed.ts';
import { referralIn } from './content/referral.ts';
import { stampedTime } from './stamped-time.ts';

type Message = proto.IMessage;
type ContextInfo = proto.IContextInfo;

/** Beside the first; a carousel has ten cards. */
const MOST_FURTHER_FILES = 31;

const VIEW_ONCE = new Set(['viewOnceMessage', 'viewOnceMessageV2', 'viewOnceMessageV2Extension']);

/** Reads a waE2E.Message into our own terms. Unknown kinds become `unknown`, never an error. */
export function parseContent(
  message: Message & { addedPollOption?: AddedPollOption; later?: LaterMembers },
): MessageContent {
  const all = levels(message);
  const { addedPollOption: added, later } = message;
  const shown = (): Parsed => (later ? parseLater(later) : parseInner(unwrapped(message)));
  const inner: Parsed = added ? { kind: 'poll_option', ...added } : shown();
  const parsed = { ...belongsTo(all), ...inner };
  const context = parsed.context;
  const referral = referralIn(context);
  const [file, ...further] = parsed.files ?? [];
  return {
    kind: parsed.kind,
    text: parsed.text ?? null,
    media: file ?? null,
    ...(further.length > 0 ? { furtherMedia: further.slice(0, MOST_FURTHER_FILES) } : {}),
    quoted: quotedIn(context),
    mentions: (context?.mentionedJid ?? []).map((jid) => jidNormalizedUser(jid)),
    ...(context?.nonJidMentions ? { mentionsAll: true } : {}),
    ...(referral ? { referral } : {}),
    forwarded: context?.isForwarded === true,
    viewOnce: all.some(({ envelope }) => VIEW_ONCE.has(envelope?.name ?? '')) || parsed.viewOnce === true,
    ephemeralSeconds: context?.expiration || null,
    ephemeralSetAt: context?.expiration ? stampedTime(context.ephemeralSettingTimestamp) : null,
    targetId: parsed.targetId ?? null,
    targetSender: parsed.targetSender ? jidNormalizedUser(parsed.targetSender) : null,
    ...(parsed.sealed ? { sealed: parsed.sealed } : {}),
  };
}

/**
 * The message that this one is a comment on, which its envelope says; or is a part of, such as a picture of its album
 * and the better copy of a picture or video that was sent at once (MessageAssociation).
 */
function belongsTo(all: readonly Level<Message>[]): Pick<Parsed, 'targetId' | 'targetSender'> {
  const [key] = all.flatMap(({ message: { commentMessage, messageContextInfo } }) => {
    const comment = commentMessage?.message ? commentMessage.targetMessageKey : null;
    return comment ?? messageContextInfo?.messageAssociation?.parentMessageKey ?? [];
  });
  return targetOf(key);
}

function parseInner(m: Message): Parsed {
  return parseText(m) ?? parseMedia(m) ?? parseProtocol(m) ?? parseSealed(m) ?? parseOther(m);
}

function parseText(m: Message): Parsed | null {
  if (m.conversation) return { kind: 'text', text: m.conversation };
  const extended = m.extendedTextMessage;
  return extended ? { kind: 'text', text: extended.text, context: extended.contextInfo } : null;
}

function parseMedia(m: Message): Parsed | null {
  if (m.imageMessage) return mediaOf('image', m.imageMessage, m.imageMessage.caption);
  if (m.videoMessage) return mediaOf('video', m.videoMessage, m.videoMessage.caption);
  if (m.ptvMessage) return mediaOf('video', m.ptvMessage, m.ptvMessage.caption);
  if (m.audioMessage) return mediaOf(m.audioMessage.ptt ? 'voice' : 'audio', m.audioMessage, null);
  if (m.documentMessage) return mediaOf('document', m.documentMessage, m.documentMessage.caption);
  if (m.stickerMessage) return mediaOf('sticker', m.stickerMessage, null);
  return null;
}

function mediaOf(
  kind: MediaKind,
  fields: MediaFields & { viewOnce?: boolean | null; contextInfo?: ContextInfo | null },
  caption: string | null | undefined,
): Parsed {
  const file = descriptor(kind, fields);
  return {
    kind,
    text: caption,
    files: file ? [file] : [],
    context: fields.contextInfo,
    viewOnce: fields.viewOnce,
  };
}

function parseProtocol(m: Message): Parsed | null {
  const protocol = m.protocolMessage;
  if (!protocol) return null;
  const { Type } = proto.Message.ProtocolMessage;
  const targetId = protocol.key?.id;
  if (protocol.type === Type.MESSAGE_EDIT && protocol.editedMessage) {
    const edited = parseInner(unwrapped(protocol.editedMessage));
    return { kind: 'edit', text: edited.text, targetId };
  }
  // REVOKE is the enum's zero, which a sender may leave out.
  if ((protocol.type ?? Type.REVOKE) === Type.REVOKE && targetId) {
    return { kind: 'revoke', targetId, targetSender: protocol.key?.participant };
  }
  return { kind: 'protocol', targetId };
}

/** Of SecretEncryptedMessage.SecretEncType, which the library does not know (whatsmeow WAWebProtobufsE2E.proto). */
const POLL_EDIT = 4;
const POLL_ADD_OPTION = 5;

/** Sealed under the secret of the message that they name (whatsmeow msgsecret.go); the rest is for who has that one. */
function parseSealed(m: Message): Parsed | null {
  const { EVENT_EDIT, MESSAGE_EDIT } = proto.Message.SecretEncryptedMessage.SecretEncType;
  const edit = m.secretEncryptedMessage;
  if (edit) {
    const about = targetOf(edit.targetMessageKey);
    if (edit.secretEncType === MESSAGE_EDIT) return { kind: 'edit', sealed: 'message_edit', ...about };
    if (edit.secretEncType === EVENT_EDIT) return { kind: 'edit', sealed: 'event_edit', ...about };
    const type = Number(edit.secretEncType);
    if (type === POLL_EDIT) return { kind: 'edit', sealed: 'poll_edit', ...about };
    if (type === POLL_ADD_OPTION) return { kind: 'poll_option', sealed: 'poll_add_option', ...about };
    return { kind: 'unknown', ...about };
  }
  if (m.encReactionMessage) {
    const about = targetOf(m.encReactionMessage.targetMessageKey);
    return { kind: 'reaction', sealed: 'reaction', ...about };
  }
  if (m.encCommentMessage) {
    return { kind: 'comment', sealed: 'comment', ...targetOf(m.encCommentMessage.targetMessageKey) };
  }
  if (m.encEventResponseMessage) {
    const about = targetOf(m.encEventResponseMessage.eventCreationMessageKey);
    return { kind: 'event_response', sealed: 'event_response', ...about };
  }
  return null;
}

function targetOf(key: proto.IMessageKey | null | undefined) {
  return { targetId: key?.id, targetSender: key?.participant };
}

function parseOther(m: Message): Parsed {
  if (m.reactionMessage) {
    return { kind: 'reaction', text: m.reactionMessage.text ?? '', ...targetOf(m.reactionMessage.key) };
  }
  if (m.pollUpdateMessage) {
    const poll = m.pollUpdateMessage.pollCreationMessageKey;
    return { kind: 'poll_vote', targetId: poll?.id, targetSender: poll?.participant };
  }
  const poll =
    m.pollCreationMessage ?? m.pollCreationMessageV2 ?? m.pollCreationMessageV3 ?? m.pollCreationMessageV5;
  if (poll) return { kind: 'poll', text: poll.name, context: poll.contextInfo };
  if (m.pinInChatMessage) return { kind: 'pin', ...targetOf(m.pinInChatMessage.key) };
  if (m.locationMessage) {
    return { kind: 'location', text: m.locationMessage.name, context: m.locationMessage.contextInfo };
  }
  if (m.liveLocationMessage) {
    return {
      kind: 'live_location',
      text: m.liveLocationMessage.caption,
      context: m.liveLocationMessage.contextInfo,
    };
  }
  if (m.contactMessage) {
    return { kind: 'contact', text: m.contactMessage.displayName, context: m.contactMessage.contextInfo };
  }
  if (m.contactsArrayMessage) {
    return {
      kind: 'contacts',
      text: m.contactsArrayMessage.displayName,
      context: m.contactsArrayMessage.contextInfo,
    };
  }
  if (m.eventMessage)
    return { kind: 'event', text: m.eventMessage.name, context: m.eventMessage.contextInfo };
  if (m.albumMessage) return { kind: 'album', context: m.albumMessage.contextInfo };
  return (
    parseBusiness(m) ??
    parsePayment(m) ??
    parseCall(m) ??
    parseNewer(m) ?? { kind: 'unknown', text: wordsIn(m) }
  );
}

/** What is asked for or paid is in the message; why, in a message of its own. */
function parsePayment(m: Message): Parsed | null {
  if (m.paymentInviteMessage) return { kind: 'payment_invite' };
  const ended = m.cancelPaymentRequestMessage ?? m.declinePaymentRequestMessage;
  if (ended) return { kind: 'payment', targetId: ended.key?.id };
  const note = m.requestPaymentMessage?.noteMessage ?? m.sendPaymentMessage?.noteMessage;
  if (!m.requestPaymentMessage && !m.sendPaymentMessage) return null;
  const said = note ? parseNote(unwrapped(note)) : null;
  const targetId = m.sendPaymentMessage?.requestMessageKey?.id;
  return { kind: 'payment', text: said?.text, files: said?.files ?? [], context: said?.context, targetId };
}

/** A note is a text or a file, never another payment: notes within notes would go on without end. */
function parseNote(m: Message): Parsed | null {
  return parseText(m) ?? parseMedia(m);
}

function quotedIn(context: ContextInfo | null | undefined): QuotedMessage | null {
  if (!context?.stanzaId) return null;
  const quoted = context.quotedMessage ? parseInner(unwrapped(context.quotedMessage)) : null;
  // What went to a broadcast list is in this chat as well.
  const elsewhere = isBroadcastList(context.remoteJid ?? '') ? null : context.remoteJid;
  return {
    id: context.stanzaId,
    participant: context.participant ? jidNormalizedUser(context.participant) : null,
    text: quoted?.text ?? null,
    ...(elsewhere ? { chat: jidNormalizedUser(elsewhere) } : {}),
  };
}
