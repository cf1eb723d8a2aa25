/** Tag `messages`: contact cards. */
import { type Static, Type } from 'typebox';
import {
  type ContactInput,
  contactContent,
  contactsContent,
  LONGEST_CONTACT_NAME,
  LONGEST_EMAIL,
  MOST_CONTACTS,
} from '../../../sending/content/contact.ts';
import { optionalWords, refusing, stated, words } from '../../description/stated.ts';
import { given, type SendRoute } from './send-kind.ts';

const Contact = Type.Object({
  display_name: words(LONGEST_CONTACT_NAME),
  phone: refusing('what is no phone number', Type.String({ minLength: 1, examples: ['+55 11 99999-9999'] })),
  first_name: optionalWords(LONGEST_CONTACT_NAME, 'First name'),
  last_name: optionalWords(LONGEST_CONTACT_NAME, 'Family name'),
  company: optionalWords(LONGEST_CONTACT_NAME, 'Company'),
  email: Type.Optional(
    stated(Type.String({ description: 'E-mail address' }), {
      maxLength: LONGEST_EMAIL,
      pattern: '^$|^[^\\s@]+@[^\\s@]+$',
    }),
  ),
});

export function contactKinds(route: SendRoute): void {
  route({
    path: '/send/contact',
    operationId: 'sendContact',
    summary: 'Send a contact card',
    fields: { contact: Contact },
    example: { to: '5511999999999', contact: { display_name: 'Maria Silva', phone: '+5511988887777' } },
    content: ({ contact }) => contactContent({ contact: card(contact) }),
    simple: { message: 'Contact sent successfully', further: [] },
  });

  route({
    path: '/send/contacts',
    operationId: 'sendContacts',
    summary: 'Send several contact cards in one message',
    fields: { contacts: Type.Array(Contact, { minItems: 1, maxItems: MOST_CONTACTS }) },
    example: { to: '5511999999999', contacts: [{ display_name: 'Maria Silva', phone: '+5511988887777' }] },
    content: ({ contacts }) => contactsContent({ contacts: contacts.map(card) }),
    simple: { message: 'Contacts sent successfully', further: ['contact_count'] },
  });
}

const card = (contact: Static<typeof Contact>): ContactInput => given(contact) as ContactInput;
