/** Whom the account has blocked. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { rfc3339 } from '../../../clock.ts';
import type { BlockList } from '../../../contacts/block-list.ts';
import type { Named } from '../../../contacts/whom.ts';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import type { Devices } from '../../../devices/devices.ts';
import { canonicalJid } from '../../../identity/jid.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { DeviceHeaders, DeviceId, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { Jid, Nullable, OneOf } from '../../schemas.ts';
import { AsOf, Refresh } from './freshness.ts';
import { NamedQuery, named } from './named.ts';
import { namesOf, personNames } from './person.ts';

const tags = ['contacts'];
const Hash = Nullable(Type.String({ description: "WhatsApp's hash of the list" }));
const Count = Type.Integer({ description: 'How many are blocked' });

const ChangeBody = Type.Object(
  { ...named, device_id: DeviceId },
  { examples: [{ number: '5511999999999' }] },
);
const ChangeAnswer = Type.Object({
  success: Type.Literal(true),
  data: Type.Object({
    ...personNames,
    jid: Jid,
    action: OneOf(['block', 'unblock']),
    blocked: Type.Boolean(),
    count: Count,
    dhash: Hash,
  }),
});

const ListAnswer = Type.Object({
  success: Type.Literal(true),
  data: Type.Object({
    items: Type.Array(Type.Object({ ...personNames, jid: Jid })),
    count: Count,
    dhash: Hash,
    as_of: AsOf,
  }),
});

export interface BlockListParts {
  blockList: BlockList;
  devices: Devices;
}

/** `/contacts/block`, `/contacts/unblock` and `/contacts/blocklist`. */
export const blockListRoutes: FastifyPluginAsyncTypebox<BlockListParts> = async (
  app,
  { blockList, devices },
) => {
  const change = async (
    request: FastifyRequest,
    meant: { body: Named | undefined; query: Named },
    action: 'block' | 'unblock',
  ) => {
    const device = await devices.resolve(request.caller, selectedDevice(request));
    const { body, query } = meant;
    const named = body?.jid || body?.number ? body : query;
    const blocked = action === 'block';
    const { person, count, hash } = await blockList.set(device, named, blocked);
    return {
      success: true as const,
      data: {
        ...namesOf(person),
        jid: canonicalJid(person) ?? '',
        action,
        blocked,
        count,
        dhash: hash,
      },
    };
  };
  const schema = {
    tags,
    querystring: NamedQuery,
    headers: DeviceHeaders,
    body: ChangeBody,
    response: {
      200: ChangeAnswer,
      ...failures(...DEVICE_FAILURES, ...SESSION_FAILURES, 'INVALID_RECIPIENT', 'NOT_ON_WHATSAPP'),
    },
  };

  app.post(
    '/contacts/block',
    {
      schema: {
        ...schema,
        operationId: 'blockContact',
        summary: 'Block a person',
        description: 'By number, JID or LID, in the body or, without one there, in the query.',
      },
    },
    (request) => change(request, request, 'block'),
  );

  app.post(
    '/contacts/unblock',
    {
      schema: {
        ...schema,
        operationId: 'unblockContact',
        summary: 'Let a blocked person in again',
        description: 'By whichever name. Somebody who left WhatsApp since is let in by the name in the list.',
      },
    },
    (request) => change(request, request, 'unblock'),
  );

  app.get(
    '/contacts/blocklist',
    {
      schema: {
        operationId: 'getBlocklist',
        tags,
        summary: 'Whom the account has blocked',
        description:
          'Kept by what WhatsApp tells (`privacy.blocklist`): it is asked when the list is not known, and with ' +
          '`refresh`.',
        querystring: Type.Object({ refresh: Refresh, device_id: DeviceId }),
        headers: DeviceHeaders,
        response: { 200: ListAnswer, ...failures(...DEVICE_FAILURES, ...SESSION_FAILURES) },
      },
    },
    async (request) => {
      const device = await devices.resolve(request.caller, selectedDevice(request));
      const { people, hash, asOf } = await blockList.read(device, request.query.refresh ?? false);
      return {
        success: true as const,
        data: {
          items: people.map((person) => ({ ...namesOf(person), jid: canonicalJid(person) ?? '' })),
          count: people.length,
          dhash: hash,
          as_of: rfc3339(asOf),
        },
      };
    },
  );
};
