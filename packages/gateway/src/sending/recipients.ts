/** Finds the chat that WhatsApp knows for what a caller wrote as the recipient. */
import { AppError, invalidField } from '../errors.ts';
import {
  canonicalJid,
  formatJid,
  identityOf,
  isAssistant,
  isGroupJid,
  normaliseJid,
  type ParsedJid,
  parseJid,
} from '../identity/jid.ts';
import {
  isOfSomeCountry,
  isOneLine,
  lookUpSpellings,
  normalisePhoneNumber,
  numberAdvice,
  readPhoneNumber,
} from '../identity/phone-number.ts';
import type { MessageDevice } from '../messages/stored-message.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import type { NumberLookUps, StoredChats } from './number-look-ups.ts';

/** A recipient that reads well; whether it exists is not known yet. */
export type RecipientAddress = { kind: 'number'; digits: string } | { kind: 'chat'; jid: Jid };

/** Characters of a refused value that are told. */
const LONGEST_SHOWN = 100;

export interface Recipient {
  /** Where the stanza goes. */
  to: Jid;
  chat: Identity;
  isGroup: boolean;
}

/**
 * Reads a phone number, user JID, LID, group or newsletter JID; INVALID_RECIPIENT for anything else.
 * A user JID is looked up like a number: people build it by hand, ninth digit and all.
 */
export function parseRecipient(text: string, field: string): RecipientAddress {
  if (!text.includes('@')) {
    const read = readPhoneNumber(text);
    if ('digits' in read) return { kind: 'number', digits: read.digits };
    const orJid = read.problem === 'is no number' ? ', or a JID' : '';
    throw invalidRecipient(field, text, `${numberAdvice(read.problem)}${orJid}`);
  }
  const parsed = parseJid(text.trim()) ?? handmadeJid(text);
  if (!parsed) throw invalidRecipient(field, text, 'is not a JID of WhatsApp');
  if (parsed.server === 'broadcast') {
    throw invalidRecipient(field, text, 'broadcast lists and status are not recipients');
  }
  if (parsed.server === 'bot')
    throw invalidRecipient(field, text, 'names an assistant: it is asked on the phone');
  if (parsed.server === 's.whatsapp.net') return { kind: 'number', digits: parsed.user };
  return { kind: 'chat', jid: formatJid({ user: parsed.user, server: parsed.server }) };
}

/** A user JID that somebody put together from a number with `+` and spaces; null for any other. */
function handmadeJid(text: string): ParsedJid | null {
  const [number = '', server, ...more] = text.trim().split('@', 3);
  const digits = more.length === 0 ? normalisePhoneNumber(number) : null;
  return digits ? parseJid(`${digits}@${server}`) : null;
}

/** The names that a chat of the address may be stored under, as far as the address itself tells. */
export function namesOf(address: RecipientAddress): [Jid, ...Jid[]] {
  if (address.kind === 'chat') return [address.jid];
  const [given, ...others] = lookUpSpellings(address.digits);
  return [userJid(given), ...others.map(userJid)];
}

/** The names of a chat that is read: with a recipient, or with an assistant, to which nothing is sent. */
export function namesOfChat(text: string, field: string): [Jid, ...Jid[]] {
  const jid = normaliseJid(text.trim());
  return jid && isAssistant(jid) ? [jid] : namesOf(parseRecipient(text, field));
}

/** The names that a person's JID may stand for, the given one first; of anything else the one. */
export function spellingsOf(jid: Jid): [Jid, ...Jid[]] {
  const parsed = parseJid(jid);
  return parsed?.server === 's.whatsapp.net' ? namesOf({ kind: 'number', digits: parsed.user }) : [jid];
}

const userJid = (digits: string): Jid => formatJid({ user: digits, server: 's.whatsapp.net' });

/** The one recipient of a request that may name it `number` or `to`; `documented` is the operation's own name. */
export function recipientOf(
  body: { number?: string; to?: string },
  documented: 'number' | 'to' = 'number',
): RecipientAddress {
  const given = (['number', 'to'] as const).filter((field) => body[field] !== undefined);
  const [field] = given;
  if (!field) throw invalidField(documented, 'is required: a phone number or JID');
  const address = parseRecipient(body[field] ?? '', field);
  if (given.length === 2 && body.number !== body.to) {
    const other = parseRecipient(body.to ?? '', 'to');
    if (JSON.stringify(other) !== JSON.stringify(address)) {
      throw invalidField('to', 'names another recipient than number', body.to);
    }
  }
  return address;
}

/** The JID of a person whom somebody names by JID or phone number; null for what is no person. */
export function personJid(text: string): Jid | null {
  const parsed = parseJid(text.trim()) ?? handmadeJid(text);
  if (parsed && parsed.server !== 's.whatsapp.net' && parsed.server !== 'lid') return null;
  if (parsed) return formatJid({ user: parsed.user, server: parsed.server });
  const digits = normalisePhoneNumber(text);
  return digits && userJid(digits);
}

/** Mentioned people as JIDs; VALIDATION_ERROR naming the entry that is none. */
export function mentionedJids(mentioned: readonly string[] | undefined, field = 'mentioned'): Jid[] {
  return (mentioned ?? []).map((text, index) => {
    // Some write it as it stands in the text.
    const jid = personJid(text.replace(/^@/, ''));
    if (jid) return jid;
    throw invalidField(`${field}.${index}`, 'must be the JID or phone number of a person', text);
  });
}

/** Names the field, and shows the beginning of the value. */
export function invalidRecipient(field: string, value: string, message: string): AppError {
  return new AppError('INVALID_RECIPIENT', {
    message: `${field} ${message}`,
    validation: [{ field, message, value: value.slice(0, LONGEST_SHOWN) }],
  });
}

/** People of one request who are looked up, in the archive and on WhatsApp, beside those of the chat. */
const MOST_LOOKED_UP = 10;

/** On whose behalf names are read, and where: people of the chat are meant first. */
export interface Reading {
  session: WhatsAppSession | null;
  device: MessageDevice;
  chat: Recipient | null;
}

/**
 * The one place that turns what a caller writes into the account that is meant: what is stored and who is in the group
 * say how WhatsApp spells a number, else WhatsApp itself (`number-look-ups.ts`).
 */
export class Recipients {
  readonly #chats: StoredChats;
  readonly #lookUps: NumberLookUps;

  constructor(parts: { chats: StoredChats; lookUps: NumberLookUps }) {
    this.#chats = parts.chats;
    this.#lookUps = parts.lookUps;
  }

  /**
   * The chat of an address. Throws NOT_ON_WHATSAPP for a number that nobody uses, DEVICE_NOT_READY or
   * WHATSAPP_TIMEOUT when WhatsApp could not be asked.
   */
  async resolve(
    session: WhatsAppSession,
    device: MessageDevice,
    address: RecipientAddress,
  ): Promise<Recipient> {
    if (address.kind === 'chat') {
      const { jid } = address;
      return { to: jid, chat: identityOf(jid), isGroup: isGroupJid(jid) };
    }
    const found = await this.#lookUps.one(session, device, address.digits);
    const to = found?.jid ?? found?.lid;
    if (!found || !to) {
      throw notOnWhatsApp(address.digits);
    }
    return { to, chat: { jid: found.jid, lid: found.lid }, isGroup: false };
  }

  /**
   * The accounts of people, each by the name given for it. One that cannot be found out stays as it was written:
   * whether it is there at all is not asked.
   */
  async people(reading: Reading, names: readonly Jid[]): Promise<Identity[]> {
    const { session, chat } = reading;
    const several = names.some((name) => spellingsOf(name).length > 1);
    const members =
      several && session && chat?.isGroup ? await session.groups.members(chat.to).catch(() => []) : [];
    const known = [reading.device, ...(chat && !chat.isGroup ? [chat.chat] : []), ...members];
    const here = new Map(known.map(({ jid, lid }): [string, Identity] => [jid ?? '', { jid, lid }]));
    const people: Identity[] = [];
    let left = MOST_LOOKED_UP;
    for (const name of names) {
      const spellings = spellingsOf(name);
      // As it is written first: in one country the other spelling may be somebody else's.
      const found = spellings.find((each) => here.has(each));
      let person = spellings.length === 1 ? identityOf(name) : ((found ? here.get(found) : null) ?? null);
      // Who is not in the group is not meant there, however the number is spelt.
      if (!person && !chat?.isGroup && left > 0) {
        left -= 1;
        person = await this.#lookedUp(reading, name, spellings);
      }
      people.push(person ?? identityOf(name));
    }
    return people;
  }

  async #lookedUp(
    { session, device }: Reading,
    name: Jid,
    spellings: readonly Jid[],
  ): Promise<Identity | null> {
    const stored = (): Promise<Identity | null> => this.#chats.storedChat(device, spellings);
    const asked = async (): Promise<Identity | null> => session && this.#answer(session, device, name);
    // Where the other spelling may be somebody else's, who has the number as it is written is meant.
    const sure = isOneLine(parseJid(name)?.user ?? '');
    return sure ? ((await stored()) ?? asked()) : ((await asked()) ?? stored());
  }

  async #answer(session: WhatsAppSession, device: MessageDevice, name: Jid): Promise<Identity | null> {
    try {
      const found = await this.#lookUps.one(session, device, name.split('@')[0] ?? '');
      return found && (found.jid ?? found.lid) ? { jid: found.jid, lid: found.lid } : null;
    } catch {
      return null;
    }
  }
}

/** NOT_ON_WHATSAPP, with what may be wrong with the number. */
function notOnWhatsApp(digits: string): AppError {
  const hint = isOfSomeCountry(digits)
    ? ''
    : '; no country gives out such a number: is its country code missing?';
  return new AppError('NOT_ON_WHATSAPP', { message: `the number ${digits} is not on WhatsApp${hint}` });
}

/** How people are named in messages: each once. */
export function writtenNames(people: readonly Identity[]): Jid[] {
  return [...new Set(people.flatMap((each) => canonicalJid(each) ?? []))];
}
