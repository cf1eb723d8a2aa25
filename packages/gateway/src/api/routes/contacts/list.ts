/** The people that the account knows: listed, found, saved and removed. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { rfc3339OrNull } from '../../../clock.ts';
import type { Contact } from '../../../contacts/contact.ts';
import type { Contacts } from '../../../contacts/contacts.ts';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import type { Devices } from '../../../devices/devices.ts';
import { canonicalJid } from '../../../identity/jid.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { refusing } from '../../description/stated.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { nextPage } from '../../request/page.ts';
import { Jid, Nullable } from '../../schemas.ts';
import { AsOf, Refresh } from './freshness.ts';
import { named } from './named.ts';
import { namesOf, personNames } from './person.ts';

const tags = ['contacts'];
const MOST_ON_A_PAGE = 1000;
const LONGEST_NAME = 200;
const Name = (description: string) => Nullable(Type.String({ description }));

const ContactShape = Type.Object(
  {
    ...personNames,
    jid: Jid,
    first_name: Name('As the account saved it'),
    full_name: Name('As the account saved it'),
    push_name: Name('As the person calls themselves'),
    business_name: Name('As WhatsApp knows a business'),
    saved: Type.Boolean({ description: 'In the address book of the account' }),
    about: Name('As it was told last; null while it was not'),
    picture_id: Name('As it was told last; null while it was not'),
  },
  { title: 'Contact' },
);

const ListAnswer = Type.Object({
  success: Type.Literal(true),
  count: Type.Integer({ description: 'How many are in this answer' }),
  contacts: Type.Array(ContactShape),
  as_of: Nullable(AsOf),
  ...nextPage,
});

const One = Type.Object({ success: Type.Literal(true), contact: ContactShape });
const OneWithGroups = Type.Object({
  success: Type.Literal(true),
  contact: Type.Object({
    ...ContactShape.properties,
    common_groups: Type.Array(Type.Object({ jid: Jid, name: Type.String() }), {
      description: 'The groups that the account is in too',
    }),
  }),
});
const Removed = Type.Object({ success: Type.Literal(true), ...personNames, jid: Jid });

const SaveBody = Type.Object(
  {
    ...named,
    full_name: Type.String({ minLength: 1, maxLength: LONGEST_NAME }),
    first_name: Type.Optional(Type.String({ maxLength: LONGEST_NAME })),
    device_id: DeviceId,
  },
  { examples: [{ number: '5511999999999', full_name: 'Ana Souza', first_name: 'Ana' }] },
);

const ContactPath = Type.Object({
  jid: refusing('what names no person', Type.String({ description: 'JID, LID or phone number' })),
});
const WHOM = ['INVALID_RECIPIENT', 'NOT_ON_WHATSAPP'] as const;

export interface ListParts {
  contacts: Contacts;
  devices: Devices;
}

/** `GET /contacts`; ours: `POST /contacts`, and `GET` and `DELETE /contacts/{jid}`. */
export const listRoutes: FastifyPluginAsyncTypebox<ListParts> = async (app, { contacts, devices }) => {
  app.get(
    '/contacts',
    {
      schema: {
        operationId: 'getContacts',
        tags,
        summary: 'The people that the account knows',
        description:
          "Those in the account's address book and those whose name it has met, in the order of their names: " +
          'stored here and kept by what WhatsApp tells. Gives all of them unless `limit` or `cursor` is there. ' +
          '`as_of` is null until the first sync after linking is over.',
        querystring: Type.Object({
          search: Type.Optional(
            Type.String({
              maxLength: 200,
              description:
                'Parts of names, or of a number: each word has to be found, without case and accents',
            }),
          ),
          saved: Type.Optional(
            Type.Boolean({ description: '`true`: those in the address book alone; `false`: the others' }),
          ),
          refresh: Refresh,
          cursor: Type.Optional(
            refusing(
              'what no page has given',
              Type.String({ maxLength: 1000, description: '`next_cursor` of the page before' }),
            ),
          ),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST_ON_A_PAGE })),
          device_id: DeviceId,
        }),
        headers: DeviceHeaders,
        response: { 200: ListAnswer, ...failures(...DEVICE_FAILURES, ...SESSION_FAILURES) },
      },
    },
    async (request) => {
      const device = await devices.resolve(request.caller, selectedDevice(request));
      const { search, saved, cursor, limit, refresh = false } = request.query;
      // A cursor alone goes on with pages.
      const most = limit ?? (cursor === undefined ? undefined : MOST_ON_A_PAGE);
      const list = await contacts.list(device, { search, saved, cursor, limit: most, refresh });
      return {
        success: true as const,
        count: list.contacts.length,
        contacts: list.contacts.map(contactAnswer),
        as_of: rfc3339OrNull(list.asOf),
        next_cursor: list.nextCursor,
      };
    },
  );

  app.get(
    '/contacts/:jid',
    {
      schema: {
        operationId: 'getContact',
        tags,
        summary: 'What is known of one person',
        description: 'From what is stored; `GET /contacts/profile` asks WhatsApp.',
        params: ContactPath,
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        response: { 200: OneWithGroups, ...failures(...DEVICE_FAILURES, 'INVALID_RECIPIENT', 'NOT_FOUND') },
      },
    },
    async (request) => {
      const device = await devices.resolve(request.caller, selectedDevice(request));
      const contact = await contacts.find(device, request.params.jid);
      const groups = await contacts.commonGroups(device, contact.person);
      const common_groups = groups.map(({ jid, subject }) => ({ jid, name: subject }));
      return { success: true as const, contact: { ...contactAnswer(contact), common_groups } };
    },
  );

  app.post(
    '/contacts',
    {
      schema: {
        operationId: 'saveContact',
        tags,
        summary: "Save somebody in the account's address book",
        description:
          'On the phone and on all other devices of the account. Somebody who is there gets the new name.',
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        body: SaveBody,
        response: { 200: One, ...failures(...DEVICE_FAILURES, ...SESSION_FAILURES, ...WHOM) },
      },
    },
    async (request) => {
      const device = await devices.resolve(request.caller, selectedDevice(request));
      const { full_name: fullName, first_name: firstName = null } = request.body;
      const contact = await contacts.save(device, request.body, { fullName, firstName });
      return { success: true as const, contact: contactAnswer(contact) };
    },
  );

  app.delete(
    '/contacts/:jid',
    {
      schema: {
        operationId: 'removeContact',
        tags,
        summary: "Take somebody out of the account's address book",
        description: 'On the phone and on all other devices of the account. The chat stays.',
        params: ContactPath,
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        response: { 200: Removed, ...failures(...DEVICE_FAILURES, ...SESSION_FAILURES, ...WHOM) },
      },
    },
    async (request) => {
      const device = await devices.resolve(request.caller, selectedDevice(request));
      const person = await contacts.remove(device, { jid: request.params.jid });
      return { success: true as const, ...namesOf(person), jid: canonicalJid(person) ?? '' };
    },
  );
};

function contactAnswer(contact: Contact) {
  return {
    ...namesOf(contact.person),
    jid: canonicalJid(contact.person) ?? '',
    first_name: contact.firstName,
    full_name: contact.fullName,
    push_name: contact.pushName,
    business_name: contact.businessName,
    saved: contact.saved,
    about: contact.about,
    picture_id: contact.pictureId,
  };
}
