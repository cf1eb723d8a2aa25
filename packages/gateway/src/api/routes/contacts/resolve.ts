/** Numbers and LIDs to people. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { type Resolving, UNRESOLVED, type Unresolved } from '../../../contacts/resolving.ts';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import type { Devices } from '../../../devices/devices.ts';
import { invalidField } from '../../../errors.ts';
import { isGroupJid, normaliseJid } from '../../../identity/jid.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { refusing } from '../../description/stated.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { Jid, Nullable, OneOf } from '../../schemas.ts';
import { namesOf, personNames } from './person.ts';

/** As documented. */
const MOST_INPUTS = 160;

const Body = Type.Object({
  jids: Type.Array(Type.String({ maxLength: 200 }), {
    minItems: 1,
    maxItems: MOST_INPUTS,
    description: 'Phone numbers, phone-number JIDs and LIDs',
    examples: [['112233445566778@lid', '5511999999999']],
  }),
  group_jid: Type.Optional(
    refusing(
      'what is no JID of a group',
      Type.String({
        description: 'Looks among the members of this group alone',
        examples: ['120363000000000000@g.us'],
      }),
    ),
  ),
  device_id: DeviceId,
});

const Answer = Type.Object({
  success: Type.Literal(true),
  count: Type.Integer({ description: 'How many were found' }),
  items: Type.Array(
    Type.Object({
      input: Type.String(),
      input_jid: Jid,
      resolved_jid: Jid,
      ...personNames,
      jid: Jid,
      lid_jid: Nullable(Type.String({ description: 'The same as `lid`' })),
      full_name: Nullable(Type.String({ description: 'As the account saved it' })),
      push_name: Nullable(Type.String({ description: 'As the person calls themselves' })),
    }),
  ),
  unresolved: Type.Array(
    Type.Object({
      input: Type.String(),
      input_jid: Nullable(Type.String()),
      reason: OneOf(Object.keys(UNRESOLVED) as Unresolved[]),
      message: Type.String(),
    }),
    { description: 'The others: `items` has only what was found' },
  ),
});

export interface ResolveParts {
  resolving: Resolving;
  devices: Devices;
}

/** `POST /contacts/resolve`. */
export const resolveRoutes: FastifyPluginAsyncTypebox<ResolveParts> = async (app, { resolving, devices }) => {
  app.post(
    '/contacts/resolve',
    {
      schema: {
        operationId: 'resolveContacts',
        tags: ['contacts'],
        summary: 'Numbers and LIDs to people',
        description:
          'What is stored is looked at first; only numbers that nothing is known of are asked of WhatsApp, in one ' +
          'question. WhatsApp tells the number of a LID to nobody: it is found when the account has met it, in a ' +
          'chat or in a group.',
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        body: Body,
        response: { 200: Answer, ...failures(...DEVICE_FAILURES, ...SESSION_FAILURES) },
      },
    },
    async (request) => {
      const device = await devices.resolve(request.caller, selectedDevice(request));
      const { jids, group_jid: given } = request.body;
      const group = given === undefined ? undefined : normaliseJid(given);
      if (group === null || (group !== undefined && !isGroupJid(group))) {
        throw invalidField('group_jid', 'must be the JID of a group', given);
      }
      const results = await resolving.resolve(device, jids, group);
      const found = results.flatMap((each) => (each.person ? [{ ...each, person: each.person }] : []));
      const names = await resolving.names(
        device,
        found.map(({ person }) => person),
      );
      const items = found.map(({ input, inputJid, person }, index) => {
        const jid = person.jid ?? '';
        return {
          input,
          input_jid: inputJid ?? jid,
          resolved_jid: jid,
          ...namesOf(person),
          jid,
          lid_jid: person.lid,
          full_name: names[index]?.fullName ?? null,
          push_name: names[index]?.pushName ?? null,
        };
      });
      return {
        success: true as const,
        count: items.length,
        items,
        unresolved: results.flatMap(({ input, inputJid, reason }) =>
          reason === null ? [] : [{ input, input_jid: inputJid, reason, message: UNRESOLVED[reason] }],
        ),
      };
    },
  );
};
