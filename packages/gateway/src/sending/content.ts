/** What every kind of content has in common: it checks its input at once and composes itself when asked. */
import { invalidField } from '../errors.ts';
import type { MessageDevice, StoredMessage } from '../messages/stored-message.ts';
import type { MessageKind } from '../whatsapp/port/content.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { MediaDescriptor } from '../whatsapp/port/media.ts';
import type { OutboundMessage } from '../whatsapp/port/messages.ts';
import type { ChatState } from '../whatsapp/port/presence.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import type { WireMessage } from '../whatsapp/port/wire-message.ts';
import type { OutboundMedia } from './outbound-media.ts';
import type { Recipient } from './recipients.ts';

export interface ComposeContext {
  session: WhatsAppSession;
  device: MessageDevice;
  recipient: Recipient;
  /** Milliseconds. */
  now: number;
  /** A message of the chat as our archive has it, or null; `author` as in `StoredMessages.inChat`. */
  find(messageId: string, author?: Jid | null): Promise<StoredMessage | null>;
  /** The accounts that names mean, however their numbers are spelt, each in its place. */
  people(names: readonly Jid[]): Promise<Identity[]>;
  /** Quote and mentions, in the form of waE2E.ContextInfo; null when there is nothing to say. */
  contextInfo: WireMessage | null;
  media: OutboundMedia;
  /** The caller has gone away: what takes long may stop. */
  signal?: AbortSignal | undefined;
}

/** A message ready to leave, and what is remembered of it. */
export interface Composed {
  kind: MessageKind;
  /** Text or caption. */
  text: string | null;
  message: WireMessage;
  media?: MediaDescriptor;
  viewOnce?: boolean;
  forwarded?: boolean;
  targetId?: string;
  /** Its author, where another's message is meant. */
  targetSender?: Jid;
  /** A revoke as an admin of the group. */
  byAdmin?: boolean;
  /** Whom the content itself mentions, beside those of the request. */
  mentions?: Jid[];
  /** Further documented members of the answer's `metadata`; measured, never guessed. */
  metadata?: Record<string, unknown>;
  editAttribute?: NonNullable<OutboundMessage['editAttribute']>;
  extraNodes?: NonNullable<OutboundMessage['extraNodes']>;
  audience?: NonNullable<OutboundMessage['audience']>;
  postServerId?: NonNullable<OutboundMessage['postServerId']>;
}

/** One message to be sent. Its factory refused bad input before this existed. */
export interface Content {
  /** What the chat shows while `typingDuration` runs. */
  readonly chatState: Extract<ChatState, 'composing' | 'recording'>;
  /** Builds the message; may fetch and upload. Throws AppError (INVALID_MEDIA, UPLOAD_FAILED, …). */
  compose(context: ComposeContext): Promise<Composed>;
}

/** Documented bound of a text, in characters. */
export const LONGEST_TEXT = 4096;
/** Documented bound of a caption, in characters. */
export const LONGEST_CAPTION = 1024;

/** The text as it is, or VALIDATION_ERROR for `field` unless it has 1–4096 characters. */
export function checkedText(field: string, text: string): string {
  if (text.length === 0 || characters(text) > LONGEST_TEXT) {
    throw invalidField(field, `${field} is required and must be between 1 and ${LONGEST_TEXT} characters`);
  }
  return text;
}

/** The caption, null when there is none, or VALIDATION_ERROR above 1024 characters. */
export function checkedCaption(caption: string | undefined, field = 'caption'): string | null {
  if (caption === undefined || caption === '') return null;
  if (characters(caption) > LONGEST_CAPTION) {
    throw invalidField(field, `must be at most ${LONGEST_CAPTION} characters`);
  }
  return caption;
}

/** A text of at most `most` characters; undefined stays so. VALIDATION_ERROR otherwise. */
export function checkedOptional(field: string, text: string | undefined, most: number): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (characters(text) > most) throw invalidField(field, `must be at most ${most} characters`);
  return text;
}

/** A text of 1 to `most` characters that is not blank, or VALIDATION_ERROR. */
export function checkedRequired(field: string, text: string, most: number): string {
  if (text.trim() === '') throw invalidField(field, 'is required');
  return checkedOptional(field, text, most) ?? text;
}

/** Characters as people and JSON Schema count them: code points, so that an emoji is not two. */
function characters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** `contextInfo` as a member to spread, absent when there is none. */
export function withContext(contextInfo: WireMessage | null): { contextInfo?: WireMessage } {
  return contextInfo ? { contextInfo } : {};
}
