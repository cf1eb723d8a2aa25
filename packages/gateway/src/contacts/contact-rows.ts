/** Rows of contacts: one for each person, whichever name they came under. */
import type { Kysely, Selectable } from 'kysely';
import { type AccountDevice, holderOf } from '../identity/holder.ts';
import { canonicalJid } from '../identity/jid.ts';
import { folded } from '../storage/folded-text.ts';
import { HotQuery } from '../storage/hot-query.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import type { ContactsTable } from '../storage/tables/contact-tables.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import { type Contact, contactFromRow, shownName } from './contact.ts';

/** Behind every name. */
const NAMELESS = '\u{10ffff}';
/** Characters that a list is sorted by. */
const LONGEST_SORTED = 100;

interface Names {
  tenant: string;
  device: string;
  account: string;
  jid: string;
  lid: string;
}

const BY_JID = new HotQuery<Names, Selectable<ContactsTable>>((db, { tenant, device, account, jid, lid }) =>
  db
    .selectFrom('contacts')
    .selectAll()
    .where(checkedTenant(tenant))
    .where('device_id', '=', device)
    .where('account', '=', account)
    .where((is) => is('jid', 'in', [jid, lid])),
);
const BY_LID = new HotQuery<Names, Selectable<ContactsTable>>((db, { tenant, device, account, lid }) =>
  db
    .selectFrom('contacts')
    .selectAll()
    .where(checkedTenant(tenant))
    .where('device_id', '=', device)
    .where('account', '=', account)
    .where('lid', '=', lid),
);

/** What is stored of a person, under either name. */
export async function findContacts(
  db: Kysely<Database>,
  device: AccountDevice,
  { jid, lid }: Identity,
): Promise<Selectable<ContactsTable>[]> {
  const { tenant_id: tenant, device_id, account } = holderOf(device);
  const names = { tenant, device: device_id, account, jid: jid ?? '', lid: lid ?? '' };
  const rows = await BY_JID.rows(db, names);
  if (lid !== null) rows.push(...(await BY_LID.rows(db, names)));
  return [...new Map(rows.map((row) => [row.jid, row])).values()];
}

/**
 * Changes what is known of a person, in one row: what was stored under the LID alone goes under the number once that is
 * known. A person of whom no name is left is forgotten; `onlyKnown` leaves out whom nobody has named yet.
 * @param at milliseconds
 */
export async function changeContact(
  db: Kysely<Database>,
  device: AccountDevice,
  change: { person: Identity; to: Partial<Omit<Contact, 'person'>>; onlyKnown?: boolean },
  at: number,
): Promise<void> {
  const rows = await findContacts(db, device, change.person);
  if (rows.length === 0 && change.onlyKnown) return;
  const before = merged(rows.map(contactFromRow));
  const person = {
    jid: change.person.jid ?? before?.person.jid ?? null,
    lid: change.person.lid ?? before?.person.lid ?? null,
  };
  const contact = { ...NOTHING, ...before, ...change.to, person };
  const jid = canonicalJid(person);
  const others = rows.map((row) => row.jid).filter((name) => name !== jid);
  const named = shownName(contact) !== null;
  await remove(db, device, named ? others : rows.map((row) => row.jid));
  if (named && jid) await put(db, device, { ...contact, jid }, at);
}

/** Both names of a person are known: what is stored under the LID alone goes under the number. */
export async function joinContact(
  db: Kysely<Database>,
  device: AccountDevice,
  person: Identity,
  at: number,
): Promise<void> {
  const rows = await findContacts(db, device, person);
  const whole = rows.length === 1 && rows[0]?.jid === person.jid && rows[0]?.lid === person.lid;
  if (!whole) await changeContact(db, device, { person, to: {}, onlyKnown: true }, at);
}

const NOTHING: Omit<Contact, 'person'> = {
  saved: false,
  firstName: null,
  fullName: null,
  pushName: null,
  businessName: null,
  about: null,
  pictureId: null,
};

/** One person who was stored under two names: what the one lacks the other has. */
function merged(contacts: Contact[]): Contact | null {
  const [first, second] = contacts.sort((a, b) => Number(b.saved) - Number(a.saved));
  if (!first || !second) return first ?? null;
  return {
    person: {
      jid: first.person.jid ?? second.person.jid,
      lid: first.person.lid ?? second.person.lid,
    },
    saved: first.saved,
    firstName: first.firstName ?? second.firstName,
    fullName: first.fullName ?? second.fullName,
    pushName: first.pushName ?? second.pushName,
    businessName: first.businessName ?? second.businessName,
    about: first.about ?? second.about,
    pictureId: first.pictureId ?? second.pictureId,
  };
}

async function remove(db: Kysely<Database>, device: AccountDevice, jids: string[]): Promise<void> {
  const { tenant_id, device_id, account } = holderOf(device);
  for (const jid of jids) {
    await db
      .deleteFrom('contacts')
      .where(checkedTenant(tenant_id))
      .where('device_id', '=', device_id)
      .where('account', '=', account)
      .where('jid', '=', jid)
      .execute();
  }
}

type Row = Selectable<ContactsTable>;

/** Some ten thousand at once, when a device is linked. */
const PUT = new HotQuery<Row, never>((db, row) =>
  db
    .insertInto('contacts')
    .values({
      tenant_id: row.tenant_id,
      device_id: row.device_id,
      account: row.account,
      jid: row.jid,
      lid: row.lid,
      saved: row.saved,
      first_name: row.first_name,
      full_name: row.full_name,
      push_name: row.push_name,
      business_name: row.business_name,
      about: row.about,
      picture_id: row.picture_id,
      sort_name: row.sort_name,
      words: row.words,
      updated_at: row.updated_at,
    })
    .onConflict((conflict) =>
      conflict.columns(['device_id', 'account', 'jid']).doUpdateSet(({ ref }) => ({
        lid: ref('excluded.lid'),
        saved: ref('excluded.saved'),
        first_name: ref('excluded.first_name'),
        full_name: ref('excluded.full_name'),
        push_name: ref('excluded.push_name'),
        business_name: ref('excluded.business_name'),
        about: ref('excluded.about'),
        picture_id: ref('excluded.picture_id'),
        sort_name: ref('excluded.sort_name'),
        words: ref('excluded.words'),
        updated_at: ref('excluded.updated_at'),
      })),
    ),
);

async function put(
  db: Kysely<Database>,
  device: AccountDevice,
  contact: Contact & { jid: string },
  at: number,
): Promise<void> {
  const { person, jid } = contact;
  const name = shownName(contact);
  const names = [contact.fullName, contact.firstName, contact.businessName, contact.pushName];
  const number = person.jid?.split('@')[0] ?? '';
  const { tenant_id, device_id, account } = holderOf(device);
  await PUT.run(db, {
    tenant_id,
    device_id,
    account,
    jid,
    lid: person.lid,
    saved: Number(contact.saved),
    first_name: contact.firstName,
    full_name: contact.fullName,
    push_name: contact.pushName,
    business_name: contact.businessName,
    about: contact.about,
    picture_id: contact.pictureId,
    sort_name: name === null ? NAMELESS : folded(name).slice(0, LONGEST_SORTED),
    words: folded([...names.filter((each) => each !== null), number].join('\n')),
    updated_at: at,
  });
}
