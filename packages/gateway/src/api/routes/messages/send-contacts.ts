/** Tag "messages": contact cards. */
import { type Static, Type } from 'typebox';
import {
  type ContactInput,
  contactContent,
  contactsContent,
  MOST_CONTACTS,
} from '../../../sending/content/contact.ts';
import { given, type SendRoute, text } from './send-kind.ts';

const Contact = Type.Object({
  display_name: Type.String({ minLength: 1, examples: ['Maria Silva'] }),
  phone: Type.String({ minLength: 1, examples: ['+55 11 99999-9999'] }),
  first_name: text('First name'),
  last_name: text('Family name'),
  company: text('Company'),
  email: text('E-mail address'),
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
