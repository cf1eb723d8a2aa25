/** The people that an account knows: listed, found, saved and removed. */
import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Device, Devices } from '../devices/devices.ts';
import { AppError } from '../errors.ts';
import { type AccountDevice, holderOf } from '../identity/holder.ts';
import { identityOf } from '../identity/jid.ts';
import { lookUpSpellings, normalisePhoneNumber } from '../identity/phone-number.ts';
import { namesOf, parseRecipient, type Recipients } from '../sending/recipients.ts';
import { folded } from '../storage/folded-text.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import { pageOf, pairCursor, readPairCursor } from '../storage/page-cursor.ts';
import type { Database } from '../storage/schema.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import { type Contact, contactFromRow, NO_NAMES } from './contact.ts';
import { CONTACTS_COLLECTION } from './contact-keeper.ts';
import { findContacts } from './contact-rows.ts';
import { upToDateAt } from './freshness.ts';
import { type Named, personMeant } from './whom.ts';

/** Words of a search; each has to be found. */
const MOST_WORDS = 10;

export interface ContactRequest {
  /** Names or a number, or a part of them. */
  search?: string | undefined;
  /** Only those in the address book, or only the others. */
  saved?: boolean | undefined;
  cursor?: string | undefined;
  /** Undefined: all of them. */
  limit?: number | undefined;
  /** Asks WhatsApp for what has changed first. */
  refresh: boolean;
}

export interface ContactList {
  contacts: Contact[];
  nextCursor: string | null;
  /** Milliseconds: until when the list is known to be the account's; null while the first sync is under way. */
  asOf: number | null;
}

/** The groups that an account shares with a person; `GroupStore` fits. */
export interface CommonGroups {
  commonWith(device: AccountDevice, person: Identity): Promise<{ jid: Jid; subject: string }[]>;
}

export class Contacts {
  readonly #db: Kysely<Database>;
  readonly #devices: Devices;
  readonly #recipients: Recipients;
  readonly #clock: Clock;
  readonly #groups: CommonGroups;

  constructor(parts: {
    db: Kysely<Database>;
    devices: Devices;
    recipients: Recipients;
    clock: Clock;
    groups: CommonGroups;
  }) {
    this.#db = parts.db;
    this.#devices = parts.devices;
    this.#recipients = parts.recipients;
    this.#clock = parts.clock;
    this.#groups = parts.groups;
  }

  /** In the order of their names, without case and accents. One query, unless WhatsApp is to be asked first. */
  async list(device: Device, request: ContactRequest): Promise<ContactList> {
    if (request.refresh) {
      const session = this.#devices.session(device);
      await onSession(() => session.account.sync([CONTACTS_COLLECTION]));
    }
    const { tenant_id, device_id, account } = holderOf(device);
    const { search, saved, cursor, limit } = request;
    let query = this.#db
      .selectFrom('contacts')
      .selectAll()
      .where(checkedTenant(tenant_id))
      .where('device_id', '=', device_id)
      .where('account', '=', account)
      .orderBy('sort_name')
      .orderBy('jid');
    if (saved !== undefined) query = query.where('saved', '=', Number(saved));
    for (const word of search === undefined ? [] : wordsOf(search)) {
      query = query.where((is) => is.or(word.map(contains)));
    }
    if (cursor !== undefined) {
      const [name, jid] = readPairCursor(cursor);
      query = query.where(({ eb, refTuple, tuple }) =>
        eb(refTuple('sort_name', 'jid'), '>', tuple(name, jid)),
      );
    }
    const rows = await (limit === undefined ? query : query.limit(limit + 1)).execute();
    const { page, last } = pageOf(rows, limit);
    return {
      contacts: page.map(contactFromRow),
      nextCursor: last && pairCursor(last.sort_name, last.jid),
      asOf: await this.#asOf(device),
    };
  }

  /** Everybody in the account's address book. */
  async saved(device: AccountDevice): Promise<Identity[]> {
    const { tenant_id, device_id, account } = holderOf(device);
    const rows = await this.#db
      .selectFrom('contacts')
      .selectAll()
      .where(checkedTenant(tenant_id))
      .where('device_id', '=', device_id)
      .where('account', '=', account)
      .where('saved', '=', 1)
      .orderBy('sort_name')
      .orderBy('jid')
      .execute();
    return rows.map((row) => contactFromRow(row).person);
  }

  /** What is known of one person, by number, JID or LID; NOT_FOUND when nothing is. */
  async find(device: Device, name: string): Promise<Contact> {
    for (const jid of namesOf(parseRecipient(name, 'jid'))) {
      const [row] = await findContacts(this.#db, device, identityOf(jid));
      if (row) return contactFromRow(row);
    }
    throw new AppError('NOT_FOUND', { message: 'the account knows nobody by that name' });
  }

  /** The groups that the account and a person are both in. */
  commonGroups(device: Device, person: Identity): Promise<{ jid: Jid; subject: string }[]> {
    return this.#groups.commonWith(device, person);
  }

  /** What is known of a person by their names; null for a stranger. */
  async known(device: AccountDevice, person: Identity): Promise<Contact | null> {
    const [row] = await findContacts(this.#db, device, person);
    return row ? contactFromRow(row) : null;
  }

  /**
   * Puts somebody into the account's address book, on all its devices, or changes the name there. Throws
   * NOT_ON_WHATSAPP, INVALID_RECIPIENT, DEVICE_NOT_READY, and as `onSession`.
   */
  async save(
    device: Device,
    named: Named,
    { fullName, firstName }: { fullName: string; firstName: string | null },
  ): Promise<Contact> {
    const person = await this.#change(device, named, { fullName, firstName });
    const known = await this.known(device, person);
    return { about: null, pictureId: null, ...NO_NAMES, ...known, person, saved: true, fullName, firstName };
  }

  /** Takes somebody out of it. Throws as `save`. */
  async remove(device: Device, named: Named): Promise<Identity> {
    return this.#change(device, named, { fullName: null, firstName: null });
  }

  async #change(
    device: Device,
    named: Named,
    names: { fullName: string | null; firstName: string | null },
  ): Promise<Identity> {
    const session = this.#devices.session(device);
    const contact = await personMeant(this.#recipients, session, device, named);
    await onSession(() => session.account.change({ name: 'contact.changed', contact, ...names }));
    return contact;
  }

  async #asOf(device: Device): Promise<number | null> {
    const { tenant_id, device_id, account } = holderOf(device);
    const list = await this.#db
      .selectFrom('contact_lists')
      .select('contacts_at')
      .where(checkedTenant(tenant_id))
      .where('device_id', '=', device_id)
      .where('account', '=', account)
      .executeTakeFirst();
    return list?.contacts_at ? upToDateAt(this.#devices, device, this.#clock) : null;
  }
}

/** Each word in the ways it may be written. A number as people write it is one word: its digits. */
function wordsOf(search: string): string[][] {
  const number = normalisePhoneNumber(search);
  if (number !== null) return [lookUpSpellings(number)];
  if (/^[\d\s+()./-]+$/.test(search) && /\d/.test(search)) return [[search.replace(/\D/g, '')]];
  return folded(search)
    .split(/\s+/)
    .filter(Boolean)
    .slice(0, MOST_WORDS)
    .map((word) => [word]);
}

function contains(word: string): RawBuilder<SqlBool> {
  return sql<SqlBool>`words like ${`%${word.replace(/[%_\\]/g, '\\$&')}%`} escape '\\'`;
}
