/** How the public `data` writes people, chats and times. */
import { rfc3339 } from '../../clock.ts';
import { canonicalJid } from '../../identity/jid.ts';
import type { Identity, Jid } from '../../whatsapp/port/identity.ts';
import type { Person } from '../catalogue/parts.ts';

/** Milliseconds since the epoch as RFC 3339. A time that no calendar has becomes the nearest that one has. */
export function time(ms: number): string {
  return rfc3339(ms);
}

export function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : time(ms);
}

/** A person under every known name. */
export function person(identity: Identity): Person {
  return { jid: identity.jid, lid: identity.lid, phone_number: phoneNumber(identity.jid) };
}

export function personOrNull(identity: Identity | null): Person | null {
  return identity && person(identity);
}

/** The chat's canonical name, and its LID when it has one beside. */
export function chatNames(chat: Identity): { chat_jid: Jid; chat_lid: Jid | null } {
  return { chat_jid: canonicalJid(chat) ?? '', chat_lid: chat.lid };
}

/**
 * Who wrote a message, to whom, and whether that was us; `account` is the linked account's own name, null when it is
 * not known.
 */
export function direction(of: {
  chat: Identity;
  sender: Identity;
  fromMe: boolean;
  isGroup: boolean;
  account: Jid | null;
}): { from: Jid; to: Jid; is_from_me: boolean } {
  const chat = canonicalJid(of.chat) ?? '';
  return {
    from: canonicalJid(of.sender) ?? '',
    to: of.fromMe || of.isGroup ? chat : (of.account ?? chat),
    is_from_me: of.fromMe,
  };
}

/** The digits of a phone-number JID. */
export function phoneNumber(jid: Jid | null): string | null {
  return jid?.endsWith('@s.whatsapp.net') ? (jid.split(/[:@]/)[0] ?? null) : null;
}

/** Where this gateway serves the file of the message with our own id `recordId`. */
export function mediaUrl(recordId: string): string {
  return `/messages/${recordId}/media`;
}
