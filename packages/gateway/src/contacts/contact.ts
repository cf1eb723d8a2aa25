/** A person that an account knows by a name. */
import type { Selectable } from 'kysely';
import { storedIdentity } from '../identity/jid.ts';
import type { ContactsTable } from '../storage/tables/contact-tables.ts';
import type { Identity } from '../whatsapp/port/identity.ts';

export interface ContactNames {
  /** As the account saved them. */
  firstName: string | null;
  fullName: string | null;
  /** As the person calls themselves. */
  pushName: string | null;
  /** As the certificate of a business has it. */
  businessName: string | null;
}

export interface Contact extends ContactNames {
  person: Identity;
  /** In the account's address book. */
  saved: boolean;
  about: string | null;
  pictureId: string | null;
}

export const NO_NAMES: ContactNames = { firstName: null, fullName: null, pushName: null, businessName: null };

export function contactFromRow(row: Selectable<ContactsTable>): Contact {
  return {
    person: storedIdentity(row.jid, row.lid),
    saved: row.saved === 1,
    firstName: row.first_name,
    fullName: row.full_name,
    pushName: row.push_name,
    businessName: row.business_name,
    about: row.about,
    pictureId: row.picture_id,
  };
}

/** The name that a list shows. */
export function shownName({ firstName, fullName, pushName, businessName }: ContactNames): string | null {
  return fullName ?? firstName ?? businessName ?? pushName;
}
