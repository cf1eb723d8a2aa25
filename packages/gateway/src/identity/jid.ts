/** What a JID is: parsed, written and brought to its one spelling. */
import { type Identity, type Jid, sameIdentity } from '../whatsapp/port/identity.ts';

export { sameIdentity };

/** The servers that WhatsApp addresses end in (whatsmeow types/jid.go, Baileys WABinary/jid-utils). */
export type JidServer = 's.whatsapp.net' | 'lid' | 'g.us' | 'newsletter' | 'broadcast' | 'bot';

export interface ParsedJid {
  user: string;
  server: JidServer;
  /** Companion device of a user; null when the JID names the account. */
  device: number | null;
}

/** A JID is 16–40 characters; more is not worth a regular expression. */
const LONGEST_JID = 100;

/**
 * The part before `@`, per server. Users and LIDs may carry an agent (`_1`, from old captures) and a
 * device (`:12`); groups made before 2021 are named `<creator>-<unix time>`.
 */
const USER_PART = /^(\d{4,20})(?:_\d{1,3})?(?::(\d{1,5}))?$/;
const GROUP_PART = /^\d{5,30}(?:-\d{5,15})?$/;
const NEWSLETTER_PART = /^\d{5,30}$/;
const BROADCAST_PART = /^(?:status|\d{4,30})$/;
const BOT_PART = /^\d{5,30}$/;

/** `c.us` is what WhatsApp Web calls `s.whatsapp.net` in its own pages; users copy it from there. */
const SERVER_SPELLINGS: Readonly<Record<string, JidServer>> = {
  's.whatsapp.net': 's.whatsapp.net',
  'c.us': 's.whatsapp.net',
  lid: 'lid',
  'g.us': 'g.us',
  newsletter: 'newsletter',
  broadcast: 'broadcast',
  bot: 'bot',
};

/** Reads a JID; null when it is none of the six kinds or its user part does not fit its server. */
export function parseJid(text: string): ParsedJid | null {
  if (text.length > LONGEST_JID) return null;
  const at = text.lastIndexOf('@');
  if (at < 1) return null;
  const spelling = text.slice(at + 1).toLowerCase();
  const server = Object.hasOwn(SERVER_SPELLINGS, spelling) ? SERVER_SPELLINGS[spelling] : undefined;
  if (!server) return null;
  const part = text.slice(0, at);
  if (server === 's.whatsapp.net' || server === 'lid') {
    const match = USER_PART.exec(part);
    if (!match?.[1]) return null;
    return { user: match[1], server, device: match[2] === undefined ? null : Number(match[2]) };
  }
  const fits = { 'g.us': GROUP_PART, newsletter: NEWSLETTER_PART, broadcast: BROADCAST_PART, bot: BOT_PART }[
    server
  ];
  return fits.test(part) ? { user: part, server, device: null } : null;
}

/** Writes a JID; device 0 is the primary phone and is left out, as WhatsApp itself does. */
export function formatJid(parsed: { user: string; server: JidServer; device?: number | null }): Jid {
  const device = parsed.device ? `:${parsed.device}` : '';
  return `${parsed.user}${device}@${parsed.server}`;
}

/** The account or chat that a JID names, in its one spelling (no device, no `c.us`); null if it is no JID. */
export function normaliseJid(text: string): Jid | null {
  const parsed = parseJid(text);
  return parsed && formatJid({ user: parsed.user, server: parsed.server });
}

/** The server of a JID, or null if it is no JID. */
export function serverOf(jid: Jid): JidServer | null {
  return parseJid(jid)?.server ?? null;
}

/** The one name under which a person or chat is stored: the phone-number JID when known, else the LID. */
export function canonicalJid(identity: Identity): Jid | null {
  return identity.jid ?? identity.lid;
}

/** Whether a person's name is a LID. */
export function isLid(jid: Jid): boolean {
  return jid.endsWith('@lid');
}

/** Whether a chat of that name is one with a person, or with an assistant: not a group, a channel, a story. */
export function namesPerson(jid: Jid): boolean {
  return isLid(jid) || jid.endsWith('@s.whatsapp.net') || isAssistant(jid);
}

/** Whether it names Meta AI, or another assistant: what is in the chat with it is read here, and written on the phone. */
export function isAssistant(jid: Jid): boolean {
  return jid.endsWith('@bot');
}

/** Puts a JID into the member of an identity where it belongs. */
export function identityOf(jid: Jid): Identity {
  return isLid(jid) ? { jid: null, lid: jid } : { jid, lid: null };
}

/** What is stored under its canonical name, with its LID beside. */
export function storedIdentity(canonical: Jid, lid: Jid | null): Identity {
  return isLid(canonical) ? { jid: null, lid: canonical } : { jid: canonical, lid };
}

/** True when they cannot be the same: known in one namespace under two names, and in no other the same. */
export function contradicts(a: Identity, b: Identity): boolean {
  if (sameIdentity(a, b)) return false;
  return (a.jid !== null && b.jid !== null) || (a.lid !== null && b.lid !== null);
}

/** Whether it names a group, or a community. */
export function isGroupJid(jid: Jid): boolean {
  return jid.endsWith('@g.us');
}

/** Whether it names a channel: its posts are not encrypted, and have no typing, timers or pins. */
export function isNewsletter(jid: Jid): boolean {
  return jid.endsWith('@newsletter');
}
