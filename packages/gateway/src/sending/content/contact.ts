/** Contact cards: one, or several in one message. */
import { invalidField } from '../../errors.ts';
import { normalisePhoneNumber } from '../../identity/phone-number.ts';
import { type Content, checkedOptional, checkedRequired, withContext } from '../content.ts';

export interface ContactInput {
  display_name: string;
  phone: string;
  first_name?: string;
  last_name?: string;
  company?: string;
  email?: string;
}

/** Characters of a name; address books of phones cut longer ones. */
export const LONGEST_CONTACT_NAME = 256;
/** RFC 5321, 4.5.3.1.3. */
export const LONGEST_EMAIL = 254;
/** So many can be picked at once in the official apps. */
export const MOST_CONTACTS = 100;

interface Card {
  displayName: string;
  vcard: string;
}

/** One contact card (waE2E.ContactMessage). */
export function contactContent({ contact }: { contact: ContactInput }): Content {
  const card = readCard(contact, 'contact');
  return {
    chatState: 'composing',
    compose: async ({ contextInfo }) => ({
      kind: 'contact',
      text: card.displayName,
      message: { contactMessage: { ...card, ...withContext(contextInfo) } },
    }),
  };
}

/** Several contact cards in one message (waE2E.ContactsArrayMessage), even if it is only one. */
export function contactsContent({ contacts }: { contacts: ContactInput[] }): Content {
  const cards = contacts.map((each, index) => readCard(each, `contacts.${index}`));
  const displayName = cards.length === 1 ? (cards[0]?.displayName ?? '') : `${cards.length} contacts`;
  return {
    chatState: 'composing',
    compose: async ({ contextInfo }) => ({
      kind: 'contacts',
      text: displayName,
      message: { contactsArrayMessage: { displayName, contacts: cards, ...withContext(contextInfo) } },
      metadata: { contact_count: cards.length },
    }),
  };
}

function readCard(input: ContactInput, field: string): Card {
  const displayName = checkedRequired(`${field}.display_name`, input.display_name, LONGEST_CONTACT_NAME);
  const digits = normalisePhoneNumber(input.phone);
  if (!digits) {
    throw invalidField(`${field}.phone`, 'must be 10 to 15 digits with country code', input.phone);
  }
  const first = checkedOptional(`${field}.first_name`, input.first_name, LONGEST_CONTACT_NAME);
  const last = checkedOptional(`${field}.last_name`, input.last_name, LONGEST_CONTACT_NAME);
  const company = checkedOptional(`${field}.company`, input.company, LONGEST_CONTACT_NAME);
  const email = checkedOptional(`${field}.email`, input.email, LONGEST_EMAIL);
  if (email && !/^[^\s@]+@[^\s@]+$/.test(email)) {
    throw invalidField(`${field}.email`, 'is not an e-mail address', email);
  }
  // `waid` links the card to the account: without it phones show no button to write to it.
  const lines = [
    'BEGIN:VCARD',
    'VERSION:3.0',
    `N:${escaped(last ?? '')};${escaped(first ?? (last ? '' : displayName))};;;`,
    `FN:${escaped(displayName)}`,
    ...(company ? [`ORG:${escaped(company)}`] : []),
    `TEL;type=CELL;type=VOICE;waid=${digits}:+${digits}`,
    ...(email ? [`EMAIL:${escaped(email)}`] : []),
    'END:VCARD',
  ];
  return { displayName, vcard: lines.join('\n') };
}

/** RFC 2426, 4: commas, semicolons and line breaks of a value would end it. */
function escaped(value: string): string {
  return value.replace(/[\\,;]/g, (character) => `\\${character}`).replace(/\r\n|\r|\n/g, '\\n');
}
