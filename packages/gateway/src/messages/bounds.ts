/**
 * How much of what a sender wrote is kept in columns, events and answers. The message's own bytes stay whole
 * (`raw`), so that it is forwarded, edited and checked as it was.
 */
import type { Referral } from '../whatsapp/port/content.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import type { MediaDescriptor } from '../whatsapp/port/media.ts';
import type { InboundMessage } from '../whatsapp/port/messages.ts';

/** A text or caption: what the apps let people write (65,536 characters). */
export const LONGEST_TEXT = 65_536;
/** A push name (the apps take 25), the name of an option. */
export const LONGEST_NAME = 256;
/** Ids, JIDs, MIME types, names of files. */
export const LONGEST_WORD = 1_024;
/** Of a list: contact cards (the apps take 257), members mentioned (1,024). */
export const LONGEST_LIST = 1_024;
/** Options of a poll; the apps take 12, of 100 characters each. */
export const MOST_OPTIONS = 256;
/** Nesting of what a sender writes as JSON. */
const DEEPEST = 32;
/** Everything that one message's kind adds, in characters: names, options, vCards, JSON. */
const MOST_DETAILS = 131_072;

/** The text without what no database takes, at most so many characters, and no half of one at its end. */
export function cutText(text: string, longest: number): string {
  const cut = text.length > longest ? text.slice(0, longest) : text;
  const whole = /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
  // PostgreSQL stores no U+0000; a sender who wrote one must not stop the message from being stored.
  return whole.includes('\0') ? whole.replaceAll('\0', '') : whole;
}

/** The message cut to the bounds of columns, events and answers; `raw` is untouched. */
export function boundedMessage(message: InboundMessage): InboundMessage {
  const { content, pushName } = message;
  const { quoted, targetId, targetSender, targetAuthor, pieceOf } = content;
  const { mentioned, referral, mentions, media, furtherMedia } = content;
  return {
    ...message,
    id: word(message.id),
    pushName: pushName && cutText(pushName, LONGEST_NAME),
    content: {
      ...content,
      text: content.text && cutText(content.text, LONGEST_TEXT),
      mentions: mentions.slice(0, LONGEST_LIST).map(word),
      ...(mentioned ? { mentioned: mentioned.slice(0, LONGEST_LIST).map(person) } : {}),
      ...(referral ? { referral: boundedReferral(referral) } : {}),
      quoted: quoted && {
        id: word(quoted.id),
        participant: quoted.participant && word(quoted.participant),
        ...(quoted.author ? { author: person(quoted.author) } : {}),
        text: quoted.text && cutText(quoted.text, LONGEST_TEXT),
        ...(quoted.chat ? { chat: word(quoted.chat) } : {}),
      },
      targetId: targetId && word(targetId),
      ...(targetSender ? { targetSender: word(targetSender) } : {}),
      ...(pieceOf ? { pieceOf: word(pieceOf) } : {}),
      ...(targetAuthor ? { targetAuthor: person(targetAuthor) } : {}),
      media: media && boundedFile(media),
      ...(furtherMedia ? { furtherMedia: furtherMedia.map(boundedFile) } : {}),
    },
  };
}

/** A file's descriptor as it is stored and told. */
export function boundedFile(media: MediaDescriptor): MediaDescriptor {
  return {
    ...media,
    mimeType: word(media.mimeType),
    fileName: media.fileName && word(media.fileName),
    directPath: media.directPath && media.directPath.length > LONGEST_WORD * 4 ? null : media.directPath,
  };
}

function person({ jid, lid }: Identity): Identity {
  return { jid: jid && word(jid), lid: lid && word(lid) };
}

/** Addresses of pages, and the texts of an ad. */
const LONGEST_REFERRED = 4_096;

function boundedReferral(referral: Referral): Referral {
  const cut = Object.entries(referral).map(([name, value]) => [
    name,
    value && cutText(value, LONGEST_REFERRED),
  ]);
  return Object.fromEntries(cut) as Referral;
}

function word(text: string): string {
  return cutText(text, LONGEST_WORD);
}

/** A copy of what a sender wrote as JSON or in lists, within the bounds above. */
export function boundedDetails<T>(details: T): T {
  return new Copy().of(details, 0) as T;
}

/** Copies until the characters are used up; then texts are cut and lists end. */
class Copy {
  #left = MOST_DETAILS;

  of(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return this.#text(value);
    if (typeof value !== 'object' || value === null) return value;
    if (depth >= DEEPEST) return null;
    if (Array.isArray(value)) return this.#list(value, depth);
    const copy: [string, unknown][] = [];
    for (const [name, member] of Object.entries(value)) {
      if (this.#left <= 0 && depth > 0) break;
      this.#left -= 1;
      copy.push([this.#text(name), this.of(member, depth + 1)]);
    }
    return Object.fromEntries(copy);
  }

  #list(values: readonly unknown[], depth: number): unknown[] {
    const copy: unknown[] = [];
    for (const value of values.slice(0, LONGEST_LIST)) {
      if (this.#left <= 0) break;
      this.#left -= 1;
      copy.push(this.of(value, depth + 1));
    }
    return copy;
  }

  #text(text: string): string {
    const cut = cutText(text, Math.max(0, this.#left));
    this.#left -= cut.length;
    return cut;
  }
}

/**
 * JSON that a sender wrote. Null for what is none, is too long, or is nested more than 32 deep: the depth is
 * counted before the parser builds anything.
 */
export function parseForeignJson(json: string): unknown {
  if (json.length > MOST_DETAILS || isDeepJson(json)) return null;
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

function isDeepJson(json: string): boolean {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at];
    if (inText) {
      if (character === '\\') at += 1;
      else if (character === '"') inText = false;
    } else if (character === '"') inText = true;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    if (depth > DEEPEST) return true;
  }
  return false;
}
