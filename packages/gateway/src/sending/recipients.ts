/** From what a caller writes as a recipient to the chat that WhatsApp knows. */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import { AppError, invalidField } from '../errors.ts';
import { formatJid, identityOf, parseJid } from '../identity/jid.ts';
import { lookUpSpellings, normalisePhoneNumber } from '../identity/phone-number.ts';
import type { MessageDevice } from '../messages/stored-message.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type { NumberLookup } from '../whatsapp/port/contacts.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';

/** A recipient that reads well; whether it exists is not known yet. */
export type RecipientAddress = { kind: 'number'; digits: string } | { kind: 'chat'; jid: Jid };

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
    const digits = normalisePhoneNumber(text);
    if (digits) return { kind: 'number', digits };
    throw invalidRecipient(field, text, 'must be 10 to 15 digits with country code, or a JID');
  }
  const parsed = parseJid(text.trim());
  if (!parsed) throw invalidRecipient(field, text, 'is not a JID of WhatsApp');
  if (parsed.server === 'broadcast') {
    throw invalidRecipient(field, text, 'broadcast lists and status are not recipients');
  }
  if (parsed.server === 's.whatsapp.net') return { kind: 'number', digits: parsed.user };
  return { kind: 'chat', jid: formatJid({ user: parsed.user, server: parsed.server }) };
}

/** The names that a chat of the address may be stored under, as far as the address itself tells. */
export function namesOf(address: RecipientAddress): Jid[] {
  if (address.kind === 'chat') return [address.jid];
  return lookUpSpellings(address.digits).map((digits) => `${digits}@s.whatsapp.net`);
}

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

/** Mentioned people as JIDs; VALIDATION_ERROR naming the entry that is none. */
export function mentionedJids(mentioned: readonly string[] | undefined, field = 'mentioned'): Jid[] {
  return (mentioned ?? []).map((text, index) => {
    const parsed = parseJid(text);
    const isPerson = parsed && (parsed.server === 's.whatsapp.net' || parsed.server === 'lid');
    if (isPerson) return formatJid({ user: parsed.user, server: parsed.server });
    const digits = normalisePhoneNumber(text);
    if (!digits) throw invalidField(`${field}.${index}`, 'must be the JID or phone number of a person', text);
    return formatJid({ user: digits, server: 's.whatsapp.net' });
  });
}

function invalidRecipient(field: string, value: string, message: string): AppError {
  return new AppError('INVALID_RECIPIENT', {
    message: `${field} ${message}`,
    validation: [{ field, message, value: value.slice(0, 100) }],
  });
}

/** Numbers kept per process: some 200 bytes each. */
const MOST_CACHED = 20_000;
/** A number hardly ever moves to another account. */
const KNOWN_FOR_MS = 24 * 3600_000;
/** Somebody who was told that a contact is missing tries again after the contact installed WhatsApp. */
const UNKNOWN_FOR_MS = 60_000;

/** Looks numbers up on WhatsApp and remembers the answers, per tenant. */
export class Recipients {
  readonly #answers: LRUCache<string, { found: NumberLookup | null }>;
  /** Sends to one new number at once share one query. */
  readonly #underWay = new Map<string, Promise<NumberLookup | null>>();

  constructor(parts: { clock: Clock; maxEntries?: number }) {
    this.#answers = new LRUCache({
      max: parts.maxEntries ?? MOST_CACHED,
      ttl: KNOWN_FOR_MS,
      // Reading the clock is all that it costs; caching the reading would need a timer of its own.
      ttlResolution: 0,
      perf: { now: () => parts.clock.monotonic() },
    });
  }

  /**
   * The chat of an address. Throws NOT_ON_WHATSAPP for a number that nobody uses, DEVICE_NOT_READY or
   * WHATSAPP_TIMEOUT when WhatsApp could not be asked.
   */
  async resolve(
    session: WhatsAppSession,
    device: Pick<MessageDevice, 'tenantId'>,
    address: RecipientAddress,
  ): Promise<Recipient> {
    if (address.kind === 'chat') {
      const { jid } = address;
      return { to: jid, chat: identityOf(jid), isGroup: jid.endsWith('@g.us') };
    }
    const found = await this.#find(session, device.tenantId, address.digits);
    const to = found?.jid ?? found?.lid;
    if (!found || !to) {
      throw new AppError('NOT_ON_WHATSAPP', { message: `the number ${address.digits} is not on WhatsApp` });
    }
    return { to, chat: { jid: found.jid, lid: found.lid }, isGroup: false };
  }

  async #find(session: WhatsAppSession, tenantId: string, digits: string): Promise<NumberLookup | null> {
    const key = `${tenantId}:${digits}`;
    const cached = this.#answers.get(key);
    if (cached) return cached.found;
    const running = this.#underWay.get(key);
    if (running) return running;
    const query = this.#ask(session, digits)
      .then((found) => {
        this.#answers.set(key, { found }, { ttl: found ? KNOWN_FOR_MS : UNKNOWN_FOR_MS });
        return found;
      })
      .finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, query);
    return query;
  }

  async #ask(session: WhatsAppSession, digits: string): Promise<NumberLookup | null> {
    const spellings = lookUpSpellings(digits);
    const answers = await onSession(() => session.contacts.lookUpNumbers(spellings));
    for (const spelling of spellings) {
      const found = answers.find((each) => each.number === spelling && each.exists);
      if (found) return found;
    }
    return null;
  }
}
