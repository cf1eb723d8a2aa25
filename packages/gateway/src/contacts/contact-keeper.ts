/** What WhatsApp tells of people becomes rows. */
import type { Kysely } from 'kysely';
import { pause } from '../clock.ts';
import { type AccountDevice, holderOf } from '../identity/holder.ts';
import { sameIdentity, storedIdentity } from '../identity/jid.ts';
import { checkedTenant } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import type { StateCollection } from '../whatsapp/port/account.ts';
import type { ContactProfile } from '../whatsapp/port/contacts.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import type { SessionNotice } from '../whatsapp/port/notices.ts';
import { changeContact } from './contact-rows.ts';

/** The collection that saved contacts are in (whatsmeow appstate/keys.go `WAPatchCriticalUnblockLow`). */
export const CONTACTS_COLLECTION: StateCollection = 'critical_unblock_low';
/** Names of people have 25 characters in the apps; far longer ones were not typed there. */
const LONGEST_NAME = 500;

/** Rows that are changed between two looks at what else is to be done. */
const AT_A_TIME = 100;

/** `at` in milliseconds. */
export async function keepContactNotice(
  db: Kysely<Database>,
  device: AccountDevice,
  notice: SessionNotice,
  at: number,
): Promise<void> {
  switch (notice.name) {
    case 'contact.changed': {
      const { firstName, fullName } = notice;
      const to = {
        saved: (firstName ?? fullName) !== null,
        firstName: cut(firstName),
        fullName: cut(fullName),
      };
      return changeContact(db, device, { person: notice.contact, to }, at);
    }
    case 'contact.pushname':
      return keepPushName(db, device, { person: notice.contact, name: notice.pushName }, at);
    case 'contact.about':
      return changeContact(
        db,
        device,
        { person: notice.contact, to: { about: notice.about || null }, onlyKnown: true },
        at,
      );
    case 'contact.picture':
      return changeContact(
        db,
        device,
        { person: notice.contact, to: { pictureId: notice.pictureId }, onlyKnown: true },
        at,
      );
    case 'app_state.sync_complete':
      return notice.collection === CONTACTS_COLLECTION ? contactsAreThere(db, device, at) : undefined;
  }
}

/** How a person calls themselves. The account itself is none of its contacts. */
export async function keepPushName(
  db: Kysely<Database>,
  device: AccountDevice,
  { person, name }: { person: Identity; name: string },
  at: number,
): Promise<void> {
  // A phone that does not know the name writes a dash (whatsmeow user.go handleHistoricalPushNames).
  if (sameIdentity(person, device) || name === '-') return;
  await changeContact(db, device, { person, to: { pushName: cut(name) } }, at);
}

/** Before all saved contacts are told again: nobody is in the address book. */
export async function forgetSaved(
  db: Kysely<Database>,
  device: AccountDevice,
  collection: StateCollection,
  at: number,
): Promise<void> {
  if (collection !== CONTACTS_COLLECTION) return;
  const { tenant_id, device_id, account } = holderOf(device);
  const saved = await db
    .selectFrom('contacts')
    .select(['jid', 'lid'])
    .where(checkedTenant(tenant_id))
    .where('device_id', '=', device_id)
    .where('account', '=', account)
    .where('saved', '=', 1)
    .execute();
  const to = { saved: false, firstName: null, fullName: null };
  for (const [index, { jid, lid }] of saved.entries()) {
    // Others are served meanwhile: there may be ten thousand.
    if (index % AT_A_TIME === 0) await pause(0);
    await changeContact(db, device, { person: storedIdentity(jid, lid), to }, at);
  }
}

async function contactsAreThere(db: Kysely<Database>, device: AccountDevice, at: number): Promise<void> {
  const list = { contacts_at: at };
  await db
    .insertInto('contact_lists')
    .values({ ...holderOf(device), block_hash: null, blocked_at: null, ...list })
    .onConflict((conflict) => conflict.columns(['device_id', 'account']).doUpdateSet(list))
    .execute();
}

const cut = (name: string | null): string | null => name?.slice(0, LONGEST_NAME) || null;

/** What WhatsApp has said of a person when it was asked. A business is known by its name from then on. */
export async function keepProfile(
  db: Kysely<Database>,
  device: AccountDevice,
  { person, profile }: { person: Identity; profile: ContactProfile },
  at: number,
): Promise<void> {
  const businessName = cut(profile.verifiedName?.name ?? null);
  const to = {
    about: profile.about,
    pictureId: profile.pictureId,
    ...(businessName === null ? {} : { businessName }),
  };
  if (sameIdentity(person, device)) return;
  await db
    .transaction()
    .execute((trx) => changeContact(trx, device, { person, to, onlyKnown: businessName === null }, at));
}
