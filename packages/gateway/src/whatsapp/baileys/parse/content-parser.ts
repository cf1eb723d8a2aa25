import type { MessageContent, MessageKind, QuotedMessage, SealedUse } from '../../port/content.ts';
import { type Level, levels, unwrapped } from '../../port/envelopes.ts';
import type { MediaDescriptor, MediaKind } from '../../port/media.ts';
import { jidNormalizedUser, proto } from '../library.ts';
import { stampedTime } from './stamped-time.ts';

type Message = proto.IMessage;
type ContextInfo = proto.IContextInfo;

const VIEW_ONCE = new Set(['viewOnceMessage', 'viewOnceMessageV2', 'viewOnceMessageV2Extension']);

interface Parsed {
  kind: MessageKind;
  text?: string | null | undefined;
  media?: MediaDescriptor | null;
  context?: ContextInfo | null | undefined;
  viewOnce?: boolean | null | undefined;
  targetId?: string | null | undefined;
  targetSender?: string | null | undefined;
  sealed?: SealedUse;
}

/** Reads a waE2E.Message into our own terms. Unknown kinds become `unknown`, never an error. */
export function parseContent(message: Message): MessageContent {
  const all = levels(message);
  const parsed = { ...commented(all), ...parseInner(unwrapped(message)) };
  const context = parsed.context;
  return {
    kind: parsed.kind,
    text: parsed.text ?? null,
    media: parsed.media ?? null,
    quoted: quotedIn(context),
    mentions: (context?.mentionedJid ?? []).map((jid) => jidNormalizedUser(jid)),
    forwarded: context?.isForwarded === true,
    viewOnce: all.some(({ envelope }) => VIEW_ONCE.has(envelope?.name ?? '')) || parsed.viewOnce === true,
    ephemeralSeconds: context?.expiration || null,
    ephemeralSetAt: context?.expiration ? stampedTime(context.ephemeralSettingTimestamp) : null,
    targetId: parsed.targetId ?? null,
    targetSender: parsed.targetSender ? jidNormalizedUser(parsed.targetSender) : null,
    ...(parsed.sealed ? { sealed: parsed.sealed } : {}),
  };
}

/** The message that this one is a comment on: said by its envelope. */
function commented(all: readonly Level<Message>[]): Pick<Parsed, 'targetId' | 'targetSender'> {
  const comment = all.map((level) => level.message.commentMessage).find((each) => each?.message);
  return targetOf(comment?.targetMessageKey);
}

function parseInner(m: Message): Parsed {
  if (m.conversation) return { kind: 'text', text: m.conversation };
  if (m.extendedTextMessage) {
    return { kind: 'text', text: m.extendedTextMessage.text, context: m.extendedTextMessage.contextInfo };
  }
  return parseMedia(m) ?? parseProtocol(m) ?? parseSealed(m) ?? parseOther(m);
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

/** The fields that all media messages share, and those that some have. */
interface MediaFields {
  mimetype?: string | null;
  mediaKey?: Uint8Array | null;
  directPath?: string | null;
  fileSha256?: Uint8Array | null;
  fileEncSha256?: Uint8Array | null;
  fileLength?: number | { toNumber(): number } | null;
  fileName?: string | null;
  title?: string | null;
  seconds?: number | null;
  width?: number | null;
  height?: number | null;
  viewOnce?: boolean | null;
  contextInfo?: ContextInfo | null;
}

function mediaOf(kind: MediaKind, fields: MediaFields, caption: string | null | undefined): Parsed {
  return {
    kind,
    text: caption,
    media: descriptor(kind, fields),
    context: fields.contextInfo,
    viewOnce: fields.viewOnce,
  };
}

/** Null when the message carries no usable key: such media cannot be fetched at all. */
function descriptor(kind: MediaKind, fields: MediaFields): MediaDescriptor | null {
  if (fields.mediaKey?.length !== 32) return null;
  return {
    kind,
    mimeType: fields.mimetype || 'application/octet-stream',
    fileName: fields.fileName || fields.title || null,
    fileLength: toNumber(fields.fileLength),
    mediaKey: new Uint8Array(fields.mediaKey),
    directPath: fields.directPath || null,
    fileSha256: hash(fields.fileSha256),
    fileEncSha256: hash(fields.fileEncSha256),
    seconds: fields.seconds ?? null,
    width: fields.width || null,
    height: fields.height || null,
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

/** Sealed under the secret of the message that they name (whatsmeow msgsecret.go); the rest is for who has that one. */
function parseSealed(m: Message): Parsed | null {
  const { EVENT_EDIT, MESSAGE_EDIT } = proto.Message.SecretEncryptedMessage.SecretEncType;
  const edit = m.secretEncryptedMessage;
  if (edit) {
    const about = targetOf(edit.targetMessageKey);
    if (edit.secretEncType === MESSAGE_EDIT) return { kind: 'edit', sealed: 'message_edit', ...about };
    if (edit.secretEncType === EVENT_EDIT) return { kind: 'edit', sealed: 'event_edit', ...about };
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
    return { kind: 'reaction', text: m.reactionMessage.text ?? '', targetId: m.reactionMessage.key?.id };
  }
  if (m.pollUpdateMessage) {
    const poll = m.pollUpdateMessage.pollCreationMessageKey;
    return { kind: 'poll_vote', targetId: poll?.id, targetSender: poll?.participant };
  }
  const poll =
    m.pollCreationMessage ?? m.pollCreationMessageV2 ?? m.pollCreationMessageV3 ?? m.pollCreationMessageV5;
  if (poll) return { kind: 'poll', text: poll.name, context: poll.contextInfo };
  if (m.pinInChatMessage) return { kind: 'pin', targetId: m.pinInChatMessage.key?.id };
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
  return parseBusiness(m);
}

function parseBusiness(m: Message): Parsed {
  if (m.buttonsMessage)
    return { kind: 'buttons', text: m.buttonsMessage.contentText, context: m.buttonsMessage.contextInfo };
  if (m.buttonsResponseMessage) {
    const reply = m.buttonsResponseMessage;
    return {
      kind: 'buttons_response',
      text: reply.selectedDisplayText ?? reply.selectedButtonId,
      context: reply.contextInfo,
    };
  }
  if (m.templateButtonReplyMessage) {
    const reply = m.templateButtonReplyMessage;
    return {
      kind: 'buttons_response',
      text: reply.selectedDisplayText ?? reply.selectedId,
      context: reply.contextInfo,
    };
  }
  if (m.listMessage)
    return { kind: 'list', text: m.listMessage.description, context: m.listMessage.contextInfo };
  if (m.listResponseMessage) {
    const reply = m.listResponseMessage;
    return {
      kind: 'list_response',
      text: reply.title ?? reply.singleSelectReply?.selectedRowId,
      context: reply.contextInfo,
    };
  }
  if (m.templateMessage)
    return {
      kind: 'template',
      text: (m.templateMessage.hydratedTemplate ?? m.templateMessage.hydratedFourRowTemplate)
        ?.hydratedContentText,
      context: m.templateMessage.contextInfo,
    };
  if (m.interactiveMessage)
    return {
      kind: 'interactive',
      text: m.interactiveMessage.body?.text,
      context: m.interactiveMessage.contextInfo,
    };
  if (m.interactiveResponseMessage) {
    const reply = m.interactiveResponseMessage;
    return { kind: 'buttons_response', text: reply.body?.text, context: reply.contextInfo };
  }
  if (m.productMessage)
    return { kind: 'product', text: m.productMessage.product?.title, context: m.productMessage.contextInfo };
  if (m.orderMessage)
    return { kind: 'order', text: m.orderMessage.message, context: m.orderMessage.contextInfo };
  if (m.eventMessage)
    return { kind: 'event', text: m.eventMessage.name, context: m.eventMessage.contextInfo };
  if (m.albumMessage) return { kind: 'album', context: m.albumMessage.contextInfo };
  if (m.groupInviteMessage) return { kind: 'group_invite', text: m.groupInviteMessage.caption };
  if (m.requestPaymentMessage || m.sendPaymentMessage) return { kind: 'payment' };
  return { kind: 'unknown' };
}

function quotedIn(context: ContextInfo | null | undefined): QuotedMessage | null {
  if (!context?.stanzaId) return null;
  const quoted = context.quotedMessage ? parseInner(unwrapped(context.quotedMessage)) : null;
  return {
    id: context.stanzaId,
    participant: context.participant ? jidNormalizedUser(context.participant) : null,
    text: quoted?.text ?? null,
  };
}

function hash(value: Uint8Array | null | undefined): Uint8Array | null {
  return value?.length === 32 ? new Uint8Array(value) : null;
}

function toNumber(value: number | { toNumber(): number } | null | undefined): number | null {
  if (value == null) return null;
  const n = typeof value === 'number' ? value : value.toNumber();
  return Number.isSafeInteger(n) && n >= 0 ? n : null;
}
