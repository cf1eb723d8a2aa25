/** What a stanza says openly of the encrypted message in it; the server needs it for pushes and rules. */
import { unwrapped } from '../../port/envelopes.ts';
import type { proto } from '../library.ts';

/**
 * The message for `relayMessage`, which looks for the kind of media (`mediatype`) beside wrappers and not within
 * (messages-send.js `getMediaType`), so that a document with a caption or media to be viewed once has none;
 * whatsmeow looks within (send.go getMediaTypeFromMessage). What is within is inherited: it is found by reading, and
 * encoded is what a message has of its own.
 */
export function showingContent(message: proto.IMessage): proto.IMessage {
  const content = unwrapped(message);
  if (content === message) return message;
  const { messageContextInfo: _, ...kinds } = content;
  return Object.assign(Object.create(kinds), message);
}

/** `mediatype` of `<enc>`, as the library and whatsmeow (send.go getMediaTypeFromMessage) have it. */
export function mediaKind(message: proto.IMessage): string | null {
  const content = unwrapped(message);
  if (content.videoMessage) return content.videoMessage.gifPlayback ? 'gif' : 'video';
  if (content.audioMessage) return content.audioMessage.ptt ? 'ptt' : 'audio';
  const kinds = Object.entries(KINDS) as [keyof typeof KINDS, string][];
  return kinds.find(([key]) => content[key])?.[1] ?? null;
}

const KINDS = {
  imageMessage: 'image',
  contactMessage: 'vcard',
  documentMessage: 'document',
  contactsArrayMessage: 'contact_array',
  liveLocationMessage: 'livelocation',
  stickerMessage: 'sticker',
  listMessage: 'list',
  listResponseMessage: 'list_response',
  buttonsResponseMessage: 'buttons_response',
  orderMessage: 'order',
  productMessage: 'product',
  interactiveResponseMessage: 'native_flow_response',
  groupInviteMessage: 'url',
} as const satisfies Partial<Record<keyof proto.IMessage, string>>;

/** `type` of `<message>` (whatsmeow send.go getTypeFromMessage; the library's `getMessageType`). */
export function stanzaType(message: proto.IMessage): 'text' | 'media' | 'poll' | 'reaction' | 'event' {
  const content = unwrapped(message);
  if (content.reactionMessage || content.encReactionMessage) return 'reaction';
  if (isPoll(content) || content.pollUpdateMessage) return 'poll';
  if (content.eventMessage) return 'event';
  return mediaKind(content) === null ? 'text' : 'media';
}

/**
 * `<meta>` of `<message>`, as it was sent first. The server refuses a poll that does not say what it is (whatsmeow
 * send.go getMessageContent); of events the library says it as well (messages-send.js `sendMessage`).
 */
export function stanzaMeta(message: proto.IMessage): Record<string, string> | null {
  const content = unwrapped(message);
  if (isPoll(content)) return { polltype: 'creation' };
  if (content.pollUpdateMessage) return { polltype: 'vote' };
  return content.eventMessage ? { event_type: 'creation' } : null;
}

/** Whether the message begins a poll, in any of its versions. */
function isPoll(message: proto.IMessage): boolean {
  return Object.entries(message).some(([key, value]) => key.startsWith('pollCreationMessage') && value);
}
