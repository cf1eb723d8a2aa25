/** Tag `groups`: who wants to be in a group that asks its admins first. Beyond the documented API. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { rfc3339OrNull } from '../../../clock.ts';
import { invalidField } from '../../../errors.ts';
import { GROUP_FAILURES } from '../../../groups/groups.ts';
import type { GroupJoining } from '../../../groups/joining.ts';
import { canonicalJid } from '../../../identity/jid.ts';
import { mentionedJids } from '../../../sending/recipients.ts';
import type { DecidedJoin } from '../../../whatsapp/port/group-joining.ts';
import type { Identity } from '../../../whatsapp/port/identity.ts';
import { atLeastOne, refusing, stated } from '../../description/stated.ts';
import { DeviceHeaders, DeviceId, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { Jid, Nullable, OneOf, Rfc3339 } from '../../schemas.ts';
import { GroupPath } from './schemas.ts';

export interface JoinRequestsParts {
  joining: GroupJoining;
}

const PersonObject = Type.Object({
  jid: Type.String({ description: '`…@s.whatsapp.net`, or `…@lid` while only that is known' }),
  lid: Nullable(Type.String({ description: '`…@lid`' })),
  phone_number: Nullable(
    Type.String({ description: 'As a JID, `…@s.whatsapp.net`; null while only the LID is known' }),
  ),
});

const DecidedObject = Type.Object(
  {
    ...PersonObject.properties,
    status: Type.Integer({ description: '200, or the code that WhatsApp refuses this one with' }),
    error: Nullable(
      OneOf(['NOT_WAITING', 'GROUP_FULL', 'REFUSED'] as const, { description: 'Null when it is done' }),
    ),
  },
  { title: 'JoinDecision' },
);

const METHODS = ['invite_link', 'non_admin_add', 'linked_group_join', 'unknown'] as const;

const JoinRequestObject = Type.Object(
  {
    ...PersonObject.properties,
    method: OneOf(METHODS, {
      description: 'By the link, because a member wants to add them, or from another group of the community',
    }),
    requested_at: Nullable(Rfc3339),
  },
  { title: 'JoinRequest' },
);

const DecisionBody = stated(
  Type.Object(
    {
      action: OneOf(['approve', 'reject'] as const),
      participants: Type.Optional(
        refusing(
          'any beside `all`',
          Type.Array(refusing('what is no number and no JID of a person', Type.String({ maxLength: 100 })), {
            maxItems: 1000,
            description: 'Phone numbers, JIDs or LIDs of those who wait',
            examples: [['5511988888888']],
          }),
        ),
      ),
      all: Type.Optional(
        refusing(
          'true beside `participants`, and anything else without them',
          Type.Boolean({ description: 'True: everybody who waits, in place of `participants`' }),
        ),
      ),
      device_id: DeviceId,
    },
    { examples: [{ action: 'approve', participants: ['5511988888888'] }] },
  ),
  { allOf: [atLeastOne('participants', 'all')] },
);

export const joinRequestRoutes: FastifyPluginAsyncTypebox<JoinRequestsParts> = async (app, { joining }) => {
  const shared = {
    tags: ['groups'],
    headers: DeviceHeaders,
    params: GroupPath,
    querystring: Type.Object({ device_id: DeviceId }),
  };

  app.get(
    '/groups/:jid/join-requests',
    {
      schema: {
        ...shared,
        operationId: 'listGroupJoinRequests',
        summary: 'List who waits to be let into a group',
        description: 'The account has to be an admin of it. `group.join_request` tells of each.',
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            group_jid: Jid,
            requests: Type.Array(JoinRequestObject),
          }),
          ...failures(...GROUP_FAILURES),
        },
      },
    },
    async (request) => {
      const name = { deviceId: selectedDevice(request), group: request.params.jid };
      const { group, requests } = await joining.requests(request.caller, name);
      return {
        success: true as const,
        group_jid: group,
        requests: requests.map(({ who, method, requestedAt }) => ({
          ...personObject(who),
          method,
          requested_at: rfc3339OrNull(requestedAt),
        })),
      };
    },
  );

  app.post(
    '/groups/:jid/join-requests',
    {
      schema: {
        ...shared,
        operationId: 'decideGroupJoinRequests',
        summary: 'Let those who wait into a group, or refuse them',
        body: DecisionBody,
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            group_jid: Jid,
            action: OneOf(['approve', 'reject'] as const),
            participants: Type.Array(DecidedObject, { description: 'What became of each' }),
          }),
          ...failures(...GROUP_FAILURES),
        },
      },
    },
    async (request) => {
      const { action, participants, all } = request.body;
      if (participants === undefined && all !== true) {
        throw invalidField('participants', 'is needed, or `all: true`');
      }
      if (participants !== undefined && all === true) {
        throw invalidField('all', 'is everybody: leave out `participants`');
      }
      const waiting = participants
        ? { names: mentionedJids(participants, 'participants') }
        : ('all' as const);
      const name = { deviceId: selectedDevice(request), group: request.params.jid };
      const { group, decided } = await joining.decide(request.caller, name, { decision: action, waiting });
      return {
        success: true as const,
        group_jid: group,
        action,
        participants: decided.map(decidedObject),
      };
    },
  );
};

function personObject(who: Identity): Static<typeof PersonObject> {
  return { jid: canonicalJid(who) ?? '', lid: who.lid, phone_number: who.jid };
}

/** 404 and 419 as in joining by oneself (WhatsApp Web WASmaxGroupsMembershipRequestsActionRPC). */
function decidedObject({ code, ...who }: DecidedJoin): Static<typeof DecidedObject> {
  const refused = code === 404 ? 'NOT_WAITING' : code === 419 ? 'GROUP_FULL' : 'REFUSED';
  return { ...personObject(who), status: code, error: code === 200 ? null : refused };
}
