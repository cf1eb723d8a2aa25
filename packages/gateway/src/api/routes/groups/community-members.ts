/** Tag `groups`: making communities, and who is in them. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { COMMUNITY_FAILURES, type Communities } from '../../../groups/communities.ts';
import type { Idempotency } from '../../../sending/idempotency.ts';
import type { MembersChange } from '../../../whatsapp/port/groups.ts';
import { words } from '../../description/stated.ts';
import { DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { once, SendHeaders } from '../../request/idempotency.ts';
import { Jid, OneOf } from '../../schemas.ts';
import { CommunityObject, communityObject } from './communities.ts';
import { MemberResultObject, memberResult, Participants, SendInvite } from './participants.ts';
import { GroupPath } from './schemas.ts';

export interface CommunityMembersParts {
  communities: Communities;
  idempotency: Idempotency;
}

const LONGEST_NAME = 100;
const CHANGES = ['add', 'remove', 'promote', 'demote'] as const;

const CreateBody = Type.Object(
  {
    name: words(LONGEST_NAME, '1 to 100 characters'),
    participants: Type.Optional(Participants),
    send_invite: SendInvite,
    device_id: DeviceId,
  },
  { examples: [{ name: 'Our street', participants: ['5511999999999'] }] },
);

const ParticipantsBody = Type.Object(
  {
    participants: { ...Participants, minItems: 1 },
    action: Type.Optional(OneOf(CHANGES, { description: 'Default: `add` for POST, `remove` for DELETE' })),
    send_invite: SendInvite,
    device_id: DeviceId,
  },
  { examples: [{ participants: ['5511999999999'] }] },
);

const FAILURES = failures(
  ...COMMUNITY_FAILURES,
  'INVALID_RECIPIENT',
  'ACCOUNT_CHANGED',
  'IDEMPOTENCY_CONFLICT',
);

export const communityMembersRoutes: FastifyPluginAsyncTypebox<CommunityMembersParts> = async (
  app,
  { communities, idempotency },
) => {
  const shared = { tags: ['groups'], headers: SendHeaders, querystring: DeviceQuery };

  app.post(
    '/communities',
    {
      schema: {
        ...shared,
        operationId: 'createCommunity',
        summary: 'Make a community',
        description:
          'WhatsApp makes the group for its announcements by itself. Whom it does not take in is told in `refused`.',
        body: CreateBody,
        response: {
          201: Type.Object({
            success: Type.Literal(true),
            community: CommunityObject,
            refused: Type.Array(MemberResultObject),
          }),
          ...FAILURES,
        },
      },
    },
    async (request, reply) => {
      reply.code(201);
      return once(idempotency, request, reply, async (attempt) => {
        const { name, participants = [], send_invite: sendInvite } = request.body;
        const deviceId = selectedDevice(request);
        const made = await communities.create(request.caller, {
          deviceId,
          name,
          participants,
          sendInvite,
          attempt,
        });
        return {
          success: true as const,
          community: communityObject(made),
          refused: made.refused.map(memberResult),
        };
      });
    },
  );

  const operations: [method: 'POST' | 'DELETE', id: string, usual: MembersChange, summary: string][] = [
    [
      'POST',
      'addCommunityParticipants',
      'add',
      'Add members to a community, or promote, demote, remove them',
    ],
    [
      'DELETE',
      'removeCommunityParticipants',
      'remove',
      'Remove members of a community, or promote, demote, add them',
    ],
  ];
  for (const [method, operationId, usual, summary] of operations) {
    app.route({
      method,
      url: '/communities/:jid/participants',
      schema: {
        ...shared,
        operationId,
        summary,
        description:
          'What became of each is told for itself. Who is removed is removed from all groups of the community.',
        params: GroupPath,
        body: ParticipantsBody,
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            jid: Jid,
            action: OneOf(CHANGES),
            participants: Type.Array(MemberResultObject),
          }),
          ...FAILURES,
        },
      },
      handler: async (request, reply) =>
        once(idempotency, request, reply, async () => {
          const { participants, action: change = usual, send_invite: sendInvite } = request.body;
          const name = { deviceId: selectedDevice(request), group: request.params.jid };
          const asked = { ...name, change, participants, sendInvite };
          const { community, results } = await communities.change(request.caller, asked);
          return {
            success: true as const,
            jid: community,
            action: change,
            participants: results.map(memberResult),
          };
        }),
    });
  }
};
