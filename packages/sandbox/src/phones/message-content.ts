import { randomBytes } from 'node:crypto';
import { proto } from 'baileys';

/** What a message is, for people and tests. */
export type MessageKind =
  | 'text'
  | 'image'
  | 'video'
  | 'album'
  | 'voice'
  | 'audio'
  | 'document'
  | 'sticker'
  | 'reaction'
  | 'edit'
  | 'revoke'
  | 'location'
  | 'contact'
  | 'poll'
  | 'poll_vote'
  | 'pin'
  | 'protocol'
  | 'other';

/** Media types as HKDF and the CDN name them. */
export type MediaType = 'image' | 'video' | 'audio' | 'document' | 'sticker' | 'sticker-pack';

/** The fields every media message shares. */
export interface MediaContent {
  mediaKey?: Uint8Array | null;
  directPath?: string | null;
  fileSha256?: Uint8Array | null;
  fileEncSha256?: Uint8Array | null;
  url?: string | null;
}

const { Type } = proto.Message.ProtocolMessage;
const { MESSAGE_EDIT } = proto.Message.SecretEncryptedMessage.SecretEncType;

/** The message inside its wrappers: every member that holds a message in `message` (FutureProofMessage and its like). */
export function contentOf(message: proto.IMessage): proto.IMessage {
  let content = message;
  for (let next: proto.IMessage | undefined = content; next; next = wrappedIn(content)) content = next;
  return content;
}

function wrappedIn(message: proto.IMessage): proto.IMessage | undefined {
  const members: object[] = Object.values(message).filter((member) => typeof member === 'object' && member);
  for (const member of members) {
    if ('message' in member && typeof member.message === 'object' && member.message) {
      return member.message as proto.IMessage;
    }
  }
  return undefined;
}

/** The kind of a message, by what is in its envelopes. */
export function kindOf(message: proto.IMessage): MessageKind {
  const content = contentOf(message);
  if (content.conversation != null || content.extendedTextMessage) return 'text';
  if (content.imageMessage) return 'image';
  if (content.videoMessage || content.ptvMessage) return 'video';
  if (content.albumMessage) return 'album';
  if (content.audioMessage) return content.audioMessage.ptt ? 'voice' : 'audio';
  if (content.documentMessage) return 'document';
  if (content.stickerMessage) return 'sticker';
  if (content.reactionMessage || content.encReactionMessage) return 'reaction';
  if (content.locationMessage || content.liveLocationMessage) return 'location';
  if (content.contactMessage || content.contactsArrayMessage) return 'contact';
  if (content.pollCreationMessage || content.pollCreationMessageV2 || content.pollCreationMessageV3) {
    return 'poll';
  }
  if (content.pollUpdateMessage) return 'poll_vote';
  if (content.pinInChatMessage) return 'pin';
  if (content.secretEncryptedMessage?.secretEncType === MESSAGE_EDIT) return 'edit';
  if (content.protocolMessage) {
    const { type } = content.protocolMessage;
    if (type === Type.MESSAGE_EDIT) return 'edit';
    // REVOKE is the enum's zero, which a decoder reports as null when the sender left it out.
    if (type === Type.REVOKE || type == null) return 'revoke';
    return 'protocol';
  }
  return 'other';
}

/** Text or caption. */
export function textOf(message: proto.IMessage): string | undefined {
  const content = contentOf(message);
  const edited = content.protocolMessage?.editedMessage;
  if (edited) return textOf(edited);
  if (content.eventMessage) return content.eventMessage.name ?? undefined;
  const text =
    content.conversation ??
    content.extendedTextMessage?.text ??
    content.imageMessage?.caption ??
    content.videoMessage?.caption ??
    content.documentMessage?.caption;
  return text ?? undefined;
}

/** The media of a message, or undefined when it has none. */
export function mediaOf(message: proto.IMessage): { type: MediaType; content: MediaContent } | undefined {
  const content = contentOf(message);
  if (content.imageMessage) return { type: 'image', content: content.imageMessage };
  if (content.videoMessage) return { type: 'video', content: content.videoMessage };
  if (content.ptvMessage) return { type: 'video', content: content.ptvMessage };
  if (content.audioMessage) return { type: 'audio', content: content.audioMessage };
  if (content.documentMessage) return { type: 'document', content: content.documentMessage };
  if (content.stickerMessage) return { type: 'sticker', content: content.stickerMessage };
  if (content.stickerPackMessage) return { type: 'sticker-pack', content: content.stickerPackMessage };
  return undefined;
}

/** `type` of the message stanza (whatsmeow send.go getTypeFromMessage). */
export function stanzaType(message: proto.IMessage): string {
  const kind = kindOf(message);
  if (kind === 'reaction') return 'reaction';
  if (kind === 'poll' || kind === 'poll_vote') return 'poll';
  return encMediaType(message) === undefined ? 'text' : 'media';
}

/** `mediatype` of `<enc>` (whatsmeow send.go getMediaTypeFromMessage). */
export function encMediaType(message: proto.IMessage): string | undefined {
  const content = contentOf(message);
  switch (kindOf(message)) {
    case 'image':
    case 'document':
    case 'sticker':
    case 'audio':
      return kindOf(message);
    case 'voice':
      return 'ptt';
    case 'video':
      return content.videoMessage?.gifPlayback ? 'gif' : 'video';
    case 'contact':
      return content.contactsArrayMessage ? 'contact_array' : 'vcard';
    case 'other':
      if (content.stickerPackMessage) return 'sticker_pack';
      return content.messageHistoryBundle ? 'group_history' : undefined;
    case 'location':
      return content.liveLocationMessage ? 'livelocation' : 'location';
    default:
      return undefined;
  }
}

/** `edit` of the message stanza: 1 edit, 2 pin, 7 revoke by the author, 8 by a group admin (whatsmeow types EditAttribute). */
export function editAttribute(message: proto.IMessage): string | undefined {
  const kind = kindOf(message);
  if (kind === 'edit') return '1';
  if (kind === 'pin') return '2';
  if (kind === 'reaction' && contentOf(message).reactionMessage?.text === '') return '7';
  if (kind !== 'revoke') return undefined;
  return contentOf(message).protocolMessage?.key?.fromMe === false ? '8' : '7';
}

/** Adds what every message of a current client carries: device list version and message secret. */
export function withContext(message: proto.IMessage): proto.IMessage {
  if (kindOf(message) === 'protocol' || message.messageContextInfo) return message;
  return {
    ...message,
    messageContextInfo: { deviceListMetadataVersion: 2, messageSecret: randomBytes(32) },
  };
}
