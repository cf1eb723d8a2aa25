/** What a message answers to, and whom it mentions: waE2E.ContextInfo. */
import { AppError, invalidField } from '../errors.ts';
import { canonicalJid, normaliseJid, sameIdentity } from '../identity/jid.ts';
import type { MessageArchive } from '../messages/archive.ts';
import { member, quotable } from '../messages/details/wire-content.ts';
import { hasCaption } from '../messages/rules/edit-rules.ts';
import { type MessageDevice, type StoredMessage, senderOf } from '../messages/stored-message.ts';
import type { QuotedMessage } from '../whatsapp/port/content.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import { STORIES } from '../whatsapp/port/stories.ts';
import type { WireMessage } from '../whatsapp/port/wire-message.ts';
import { personJid, type Recipient } from './recipients.ts';

/** Both documented shapes, `{key: {id, fromMe}, message}` and `{message_id, participant, body}`. */
export interface QuotedInput {
  key?: { id?: string; fromMe?: boolean; participant?: string };
  message?: Record<string, unknown>;
  message_id?: string;
  participant?: string;
  body?: string;
}

/** A quote as the caller gave it, read. */
export interface Quote {
  id: string;
  fromMe: boolean | null;
  participant: Jid | null;
  text: string | null;
}

/** What came of the quote and the mentions. */
export interface Conversation {
  contextInfo: WireMessage | null;
  quoted: QuotedMessage | null;
  /** True when the quoted message is in our archive. */
  quotedFound: boolean;
}

const LONGEST_ID = 200;

/** Reads either shape; null for one that says nothing. VALIDATION_ERROR when it says something and names no message. */
export function parseQuote(input: QuotedInput | undefined): Quote | null {
  if (!input || saysNothing(input)) return null;
  const id = input.key?.id || input.message_id;
  if (!id || id.length > LONGEST_ID) {
    throw invalidField('quoted', 'must name a message in key.id or message_id');
  }
  const participant = input.key?.participant ?? input.participant;
  const jid = participant ? (personJid(participant) ?? normaliseJid(participant)) : null;
  if (participant && !jid) {
    throw invalidField('quoted.participant', 'must be a JID or phone number', participant);
  }
  return {
    id,
    fromMe: input.key?.fromMe ?? null,
    participant: jid,
    text: input.body ?? textIn(input.message),
  };
}

/** How programs in Go write a quote that they do not set: `{"key": {"id": "", "fromMe": false}, "message_id": ""}`. */
function saysNothing({ key, message, message_id, participant, body }: QuotedInput): boolean {
  const texts = [key?.id, key?.participant, message_id, participant, body];
  return key?.fromMe !== true && !texts.some(Boolean) && Object.keys(message ?? {}).length === 0;
}

/** The text of the quoted message as Evolution-style callers repeat it. */
function textIn(message: Record<string, unknown> | undefined): string | null {
  if (!message) return null;
  const { conversation, extendedTextMessage } = message;
  if (typeof conversation === 'string') return conversation;
  const text = (extendedTextMessage as { text?: unknown } | null | undefined)?.text;
  return typeof text === 'string' ? text : null;
}

/**
 * Builds the context of a message. A quoted message that we hold is quoted as it stands by now; one that we do
 * not hold is quoted with the caller's text when its author is known, and else left out. Throws NOT_QUOTABLE for
 * one that was deleted for everyone: a quote would send its text, or its picture and key, out once more.
 */
export async function conversation(
  archive: MessageArchive,
  device: MessageDevice,
  recipient: Recipient,
  input: { quote: Quote | null; mentions: Jid[] },
): Promise<Conversation> {
  const { quote, mentions } = input;
  const said = quote && (quote.fromMe === true ? canonicalJid(self(device)) : quote.participant);
  const found = quote
    ? ((await archive.stored.inChat(device, recipient.chat, quote.id, said)) ??
      (await storyOf(archive, device, { author: recipient.chat, id: quote.id })))
    : null;
  if (found && found.revokedAt !== null) {
    throw new AppError('NOT_QUOTABLE', { message: 'quoted: the message was deleted' });
  }
  // What its owner deleted for himself is to him as if it were not there.
  const stored = found?.hiddenAt == null ? found : null;
  const id = stored?.messageId ?? quote?.id;
  const author = stored ? authorOf(stored) : quote ? statedAuthor(quote, device, recipient) : null;
  const quotedMessage = stored ? await contentOf(archive, stored) : textMessage(quote?.text ?? null);
  const quotes = quote !== null && author !== null && quotedMessage !== null;
  const contextInfo: Record<string, unknown> = {};
  // The author goes by the stanza's `participant`, the id by `stanzaId` (Baileys Utils/messages.js
  // `generateWAMessageFromContent`, whatsmeow's proto ContextInfo).
  if (quotes) Object.assign(contextInfo, { stanzaId: id, participant: author, quotedMessage });
  // What is in another chat is named with that (the same function of Baileys).
  const elsewhere = stored?.chatJid === STORIES ? { chat: STORIES } : {};
  if (quotes && elsewhere.chat) contextInfo.remoteJid = elsewhere.chat;
  if (mentions.length > 0) contextInfo.mentionedJid = mentions;
  return {
    contextInfo: Object.keys(contextInfo).length > 0 ? contextInfo : null,
    quoted:
      quotes && id !== undefined
        ? { id, participant: author, text: stored?.text ?? quote.text, ...elsewhere }
        : null,
    quotedFound: stored !== null,
  };
}

/** A story of the one who is written to: answers to it go into the chat with its author. */
async function storyOf(
  archive: MessageArchive,
  device: MessageDevice,
  { author, id }: { author: Identity; id: string },
): Promise<StoredMessage | null> {
  const story = await archive.stored.inChat(device, { jid: STORIES, lid: null }, id, canonicalJid(author));
  return story && sameIdentity(senderOf(story), author) ? story : null;
}

function authorOf(stored: StoredMessage): Jid {
  return stored.senderJid;
}

function statedAuthor(quote: Quote, device: MessageDevice, recipient: Recipient): Jid | null {
  if (quote.fromMe === true) return canonicalJid(self(device));
  if (quote.participant) return quote.participant;
  // In a chat of two, what is not ours is theirs.
  return recipient.isGroup ? null : canonicalJid(recipient.chat);
}

function self(device: MessageDevice): Identity {
  return { jid: device.jid, lid: device.lid };
}

async function contentOf(archive: MessageArchive, stored: StoredMessage): Promise<WireMessage> {
  // The stored text is the edited one; the protobuf is the first.
  const text = stored.text ?? '';
  if (stored.kind === 'text') return { conversation: text };
  const wire = await archive.contents.wire(stored);
  if (!wire) return { conversation: text };
  const content = quotable(wire);
  if (stored.context.viewOnce) return withoutFile(content);
  if (stored.kind === 'poll' || stored.kind === 'event') return changedParts(content, asEdited(stored));
  return stored.editedAt !== null && hasCaption(stored.kind) ? withCaption(content, text) : content;
}

/** A poll or a calendar event as it stands by now: its name, and what can be chosen. */
function asEdited({ text, context }: StoredMessage): (part: WireMessage) => WireMessage {
  const details = context.editedDetails;
  if (!details) return (part) => part;
  const { options } = details;
  const choices = Array.isArray(options) ? { options: options.map((optionName) => ({ optionName })) } : {};
  return (part) => ({ ...part, ...(text ? { name: text } : {}), ...choices });
}

/** What opens a file, and what can be seen of it without it; by the names of waE2E. */
const OF_THE_FILE = new Set([
  'url',
  'directPath',
  'mediaKey',
  'jpegThumbnail',
  'thumbnailDirectPath',
  'thumbnailSha256',
  'thumbnailEncSha256',
  'scansSidecar',
  'streamingSidecar',
]);

/** What may be opened once is not sent out again by a quote. */
function withoutFile(content: WireMessage): WireMessage {
  return changedParts(content, (part) =>
    Object.fromEntries(Object.entries(part).filter(([name]) => !OF_THE_FILE.has(name))),
  );
}

function withCaption(content: WireMessage, caption: string): WireMessage {
  return changedParts(content, (part) => ({ ...part, caption }));
}

function changedParts(content: WireMessage, change: (part: WireMessage) => WireMessage): WireMessage {
  return Object.fromEntries(
    Object.keys(content).map((name) => {
      const part = member(content, name);
      return [name, part ? change(part) : content[name]];
    }),
  );
}

function textMessage(text: string | null): WireMessage | null {
  return text === null ? null : { conversation: text };
}
