/** Numbers and LIDs to people: what is stored first, and WhatsApp for the rest. */
import { AppError } from '../errors.ts';
import { identityOf } from '../identity/jid.ts';
import type { MessageDevice } from '../messages/stored-message.ts';
import type { NumberLookUps, StoredChats } from '../sending/number-look-ups.ts';
import type { SendingDevices } from '../sending/pipeline.ts';
import { namesOf, parseRecipient, type RecipientAddress } from '../sending/recipients.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import { type ContactNames, NO_NAMES } from './contact.ts';
import type { Contacts } from './contacts.ts';

/** Why an entry has no person. */
export const UNRESOLVED = {
  invalid: 'neither a phone number nor the JID of a person',
  not_on_whatsapp: 'nobody on WhatsApp has the number',
  number_unknown: 'the LID is of somebody whose number this account does not know',
  not_in_group: 'nobody in the group goes by that name',
  unknown: 'WhatsApp does not say',
} as const;
export type Unresolved = keyof typeof UNRESOLVED;

export type ResolvedInput = { input: string; inputJid: Jid | null } & (
  | { person: Identity; reason: null }
  | { person: null; reason: Unresolved }
);

interface Entry {
  input: string;
  /** Null: it names no person. */
  address: RecipientAddress | null;
}

export class Resolving {
  readonly #devices: SendingDevices;
  readonly #chats: StoredChats;
  readonly #lookUps: NumberLookUps;
  readonly #contacts: Pick<Contacts, 'known'>;

  constructor(parts: {
    devices: SendingDevices;
    chats: StoredChats;
    lookUps: NumberLookUps;
    contacts: Pick<Contacts, 'known'>;
  }) {
    this.#devices = parts.devices;
    this.#chats = parts.chats;
    this.#lookUps = parts.lookUps;
    this.#contacts = parts.contacts;
  }

  /**
   * One result for each input, in order. With a group, people are looked for among its members alone. Throws
   * DEVICE_NOT_READY when something has to be asked and the device is not connected, and as `onSession`.
   */
  async resolve(device: MessageDevice, inputs: readonly string[], group?: Jid): Promise<ResolvedInput[]> {
    const entries = inputs.map((input): Entry => ({ input, address: personIn(input) }));
    if (group !== undefined) return this.#inGroup(device, entries, group);
    const known = new Map<Entry, Identity>();
    for (const entry of entries) {
      const stored = entry.address && (await this.#chats.storedChat(device, namesOf(entry.address)));
      if (stored) known.set(entry, stored);
    }
    const session = this.#openSession(device);
    if (session) await nameMore(session, entries, known);
    const asked = entries.flatMap((entry) => {
      const person = known.get(entry);
      // A device that is away still answers with what is stored, if not with both names.
      const enough = person?.jid && (person.lid || !session);
      return entry.address?.kind === 'number' && !enough ? [entry.address.digits] : [];
    });
    const answers = await this.#lookUps.many(() => this.#devices.session(device), device, asked);
    return entries.map((entry) => {
      const { address } = entry;
      const answer = address?.kind === 'number' ? answers.get(address.digits) : undefined;
      const found = answer?.found ?? known.get(entry) ?? null;
      if (found?.jid) return resolved(entry, { jid: found.jid, lid: found.lid });
      if (!address) return unresolved(entry, 'invalid');
      if (address.kind === 'chat') return unresolved(entry, 'number_unknown');
      return unresolved(entry, answer ? 'not_on_whatsapp' : 'unknown');
    });
  }

  /** The stored names of those who were found, in order. */
  async names(device: MessageDevice, people: readonly Identity[]): Promise<ContactNames[]> {
    const found: ContactNames[] = [];
    for (const person of people) found.push((await this.#contacts.known(device, person)) ?? NO_NAMES);
    return found;
  }

  #openSession(device: MessageDevice): WhatsAppSession | null {
    try {
      return this.#devices.session(device);
    } catch {
      return null;
    }
  }

  async #inGroup(device: MessageDevice, entries: Entry[], group: Jid): Promise<ResolvedInput[]> {
    const session = this.#devices.session(device);
    const members = await onSession(() => session.groups.members(group));
    return entries.map((entry) => {
      if (!entry.address) return unresolved(entry, 'invalid');
      const names = namesOf(entry.address);
      const member = members.find(({ jid, lid }) => names.some((name) => name === jid || name === lid));
      if (!member) return unresolved(entry, 'not_in_group');
      if (!member.jid) return unresolved(entry, 'number_unknown');
      return resolved(entry, { jid: member.jid, lid: member.lid });
    });
  }
}

/** Adds whose LID or number the session has learnt; nobody is asked. */
async function nameMore(
  session: WhatsAppSession,
  entries: readonly Entry[],
  known: Map<Entry, Identity>,
): Promise<void> {
  const open = entries.filter((entry) => entry.address && !isWhole(known.get(entry)));
  if (open.length === 0) return;
  const names = open.map(({ address }) => (address ? namesOf(address)[0] : ''));
  const people = await onSession(() => session.contacts.namesOf(names));
  for (const [index, entry] of open.entries()) {
    const person = people[index];
    if (isWhole(person) && person) known.set(entry, person);
  }
}

const isWhole = (person: Identity | undefined): boolean => Boolean(person?.jid && person.lid);

function personIn(input: string): RecipientAddress | null {
  try {
    const address = parseRecipient(input, 'jids');
    return address.kind === 'number' || identityOf(address.jid).lid !== null ? address : null;
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}

const nameIn = ({ address }: Entry): Jid | null => address && namesOf(address)[0];

function resolved(entry: Entry, person: Identity): ResolvedInput {
  return { input: entry.input, inputJid: nameIn(entry), person, reason: null };
}

function unresolved(entry: Entry, reason: Unresolved): ResolvedInput {
  return { input: entry.input, inputJid: nameIn(entry), person: null, reason };
}
