import { createHash } from 'node:crypto';
import type { JournalEntry, SealedEntry } from '../../port/credentials.ts';
import type { InboundMessage } from '../../port/messages.ts';
import { type BinaryNode, getBinaryNodeChild, isJidGroup, isJidNewsletter, proto } from '../library.ts';
import { assistantAnswer, isAssistantAnswer } from './assistant-answer.ts';
import { cleanTexts } from './clean-text.ts';
import { parseContent } from './content-parser.ts';
import { decodeStanza } from './journal-stanza.ts';
import { decodeMessage, hasContent, ownCopyBytes } from './message-bytes.ts';
import { identity, type LidDirectory, messageSource, type OwnAccount } from './message-source.ts';
import {
  isNewsletterChange,
  newsletterChange,
  newsletterChangeId,
  newsletterChangeTime,
} from './newsletter-change.ts';
import { withPeople } from './people.ts';
import { stampOf } from './stanza-time.ts';

/**
 * The message in a journal row, or null when it is protocol traffic that no user ever sees. `directory` knows who
 * wrote it, `stored` whom it names: without asking the server.
 */
export async function inboundMessage(
  entry: JournalEntry,
  own: OwnAccount,
  directory: LidDirectory,
  stored: LidDirectory,
): Promise<InboundMessage | null> {
  const { stanza, unread } = await decodeStanza(entry.stanza);
  if (unread) return undecryptableMessage(stanza, own, directory);
  if (isNewsletterChange(stanza)) return changeOfPost(entry, stanza, own, directory);
  if (isAssistantAnswer(stanza)) return answerOf(entry, stanza, own, { directory, stored });
  const raw = ownCopyBytes(entry.plaintext) ?? entry.plaintext;
  const message = decodeMessage(raw);
  // A group message arrives with a second ciphertext that only distributes the sender key.
  if (stanza.attrs.category === 'peer' || !hasContent(raw, message)) return null;
  const content = parseContent(message);
  if (content.kind === 'protocol') return null;
  const { broadcast, ...told } = cleanTexts(await envelope(stanza, own, directory));
  return {
    ...told,
    // The server takes `edit="8"` from admins alone (whatsmeow types/message.go EditAttributeAdminRevoke).
    content: {
      ...cleanTexts(await withPeople(content, own, (jid) => identity(jid, undefined, stored))),
      byAdmin: content.kind === 'revoke' && stanza.attrs.edit === '8',
      broadcast,
    },
    raw,
  };
}

async function changeOfPost(
  { plaintext }: JournalEntry,
  stanza: BinaryNode,
  own: OwnAccount,
  directory: LidDirectory,
): Promise<InboundMessage> {
  const message = newsletterChange(stanza, decodeMessage(plaintext));
  const { broadcast: _, ...told } = cleanTexts(await envelope(stanza, own, directory));
  // Two changes may be of one millisecond.
  const digest = createHash('sha256').update(plaintext).digest('base64url').slice(0, 8);
  return {
    ...told,
    id: `${told.id}-${digest}`,
    content: cleanTexts(parseContent(message)),
    raw: proto.Message.encode(message).finish(),
  };
}

/** An assistant's answer is in the chat in which it was asked. */
async function answerOf(
  { plaintext }: JournalEntry,
  stanza: BinaryNode,
  own: OwnAccount,
  { directory, stored }: { directory: LidDirectory; stored: LidDirectory },
): Promise<InboundMessage> {
  const { content, raw, chat: elsewhere } = assistantAnswer(stanza, plaintext);
  const told = cleanTexts(await envelope(stanza, own, directory));
  const chat = elsewhere && !told.isGroup ? await identity(elsewhere, undefined, stored) : null;
  return {
    ...told,
    ...(chat ? { chat, isGroup: !!isJidGroup(elsewhere ?? undefined) } : {}),
    content: cleanTexts(await withPeople(content, own, (jid) => identity(jid, undefined, stored))),
    raw,
  };
}

/** A message that could not be decrypted, so that it is visible until the sender's retry arrives. */
export async function undecryptableMessage(
  stanza: BinaryNode,
  own: OwnAccount,
  directory: LidDirectory,
): Promise<InboundMessage> {
  const { broadcast, ...told } = cleanTexts(await envelope(stanza, own, directory));
  return {
    ...told,
    content: { ...parseContent({}), kind: 'undecryptable', viewOnce: isKeptToThePhone(stanza), broadcast },
    raw: new Uint8Array(0),
    retry: {
      from: stanza.attrs.from ?? '',
      participant: stanza.attrs.participant ?? null,
      recipient: stanza.attrs.recipient ?? null,
      t: stanza.attrs.t ?? '',
    },
  };
}

/**
 * What can be opened once is for the phone: companions are told that there was something (whatsmeow events.go
 * UnavailableTypeViewOnce, Baileys issues 1213 and 2105).
 */
function isKeptToThePhone(stanza: BinaryNode): boolean {
  return getBinaryNodeChild(stanza, 'unavailable')?.attrs.type?.startsWith('view_once') === true;
}

/**
 * The message in a row of which nothing more can be said than who sent it and when: it is kept with its bytes
 * as they came. Null for what is no message of a chat.
 */
export async function unknownMessage(
  entry: JournalEntry,
  own: OwnAccount,
  directory: LidDirectory,
): Promise<InboundMessage | null> {
  const { stanza } = await decodeStanza(entry.stanza);
  if (stanza.tag !== 'message' || stanza.attrs.category === 'peer') return null;
  const { broadcast, ...told } = cleanTexts(await envelope(stanza, own, directory));
  return { ...told, content: { ...parseContent({}), broadcast }, raw: entry.plaintext };
}

/** As `undecryptableMessage`, for a row whose plaintext the store cannot open, and perhaps not its stanza either. */
export async function sealedMessage(
  row: SealedEntry,
  own: OwnAccount,
  directory: LidDirectory,
): Promise<InboundMessage> {
  const { stanza } = await decodeStanza(row.stanza).catch(() => {
    const [from = '', participant = '', id = ''] = row.id.split('|');
    const t = String(Math.floor(row.receivedAt / 1000));
    const attrs = { from, id, t, ...(participant ? { participant } : {}) };
    return { stanza: { tag: 'message', attrs } };
  });
  return undecryptableMessage(stanza, own, directory);
}

async function envelope(stanza: BinaryNode, own: OwnAccount, directory: LidDirectory) {
  const { from, id = '', t, notify, offline, server_id } = stanza.attrs;
  const change = isNewsletterChange(stanza);
  const serverId = isJidNewsletter(from) ? Number(server_id) : Number.NaN;
  return {
    ...(await messageSource(stanza, own, directory)),
    id: change ? newsletterChangeId(stanza) : id,
    ...(Number.isSafeInteger(serverId) && serverId > 0 ? { serverId } : {}),
    timestamp: (change ? newsletterChangeTime(stanza) : null) ?? stampOf(t),
    pushName: notify ?? null,
    offline: offline !== undefined,
    source: 'phone' as const,
  };
}
