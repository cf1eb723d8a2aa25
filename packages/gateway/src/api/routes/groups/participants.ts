/** Tag `groups`: who is in a group, and changing that. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { rfc3339 } from '../../../clock.ts';
import { GROUP_FAILURES, type Groups } from '../../../groups/groups.ts';
import { MEMBER_REFUSALS, type MemberResult } from '../../../groups/member-results.ts';
import type { MembersChanging } from '../../../groups/members-changing.ts';
import { membersCsv } from '../../../groups/members-csv.ts';
import type { Idempotency } from '../../../sending/idempotency.ts';
import type { MembersChange } from '../../../whatsapp/port/groups.ts';
import { refusing } from '../../description/stated.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { once, SendHeaders } from '../../request/idempotency.ts';
import { CursorText, nextPage } from '../../request/page.ts';
import { Nullable, OneOf, Rfc3339 } from '../../schemas.ts';
import { GroupPath, ParticipantObject, participantObject } from './schemas.ts';

export interface ParticipantsParts {
  groups: Groups;
  members: MembersChanging;
  idempotency: Idempotency;
}

/** As many as a group can have (WhatsApp's help centre: 1,024). */
const MOST = 1024;

export const Participants = Type.Array(
  refusing('what is no phone number and no JID of a person', Type.String()),
  {
    maxItems: MOST,
    description: 'Phone numbers, user JIDs or LIDs',
  },
);

export const SendInvite = Type.Optional(
  Type.Boolean({
    description: 'Send an invitation, as a message, to each who lets others not add them (`NEEDS_INVITE`)',
  }),
);

export const MemberResultObject = Type.Object(
  {
    ...ParticipantObject.properties,
    input: Type.String({ description: 'As the request named them' }),
    status: Type.Integer({ description: '200, or the code that WhatsApp refuses them with' }),
    error: Nullable(OneOf(MEMBER_REFUSALS, { description: 'Why they were refused; null when it is done' })),
    invite: Nullable(
      Type.Object({
        code: Type.String({ description: 'What an invitation carries' }),
        expires_at: Rfc3339,
      }),
    ),
    invite_message_id: Nullable(Type.String({ description: 'The invitation that was sent instead' })),
    invite_error: Nullable(Type.String({ description: 'The code that sending it ended with' })),
  },
  { title: 'ParticipantResult' },
);

export function memberResult(result: MemberResult): Static<typeof MemberResultObject> {
  const { invite, inviteSent } = result;
  return {
    ...participantObject(result),
    input: result.input,
    status: result.code,
    error: result.refusal,
    invite: invite && { code: invite.code, expires_at: rfc3339(invite.expiresAt) },
    invite_message_id: inviteSent && 'messageId' in inviteSent ? inviteSent.messageId : null,
    invite_error: inviteSent && 'error' in inviteSent ? inviteSent.error : null,
  };
}

const Body = Type.Object(
  {
    participants: { ...Participants, minItems: 1 },
    action: Type.Optional(
      OneOf(['add', 'remove', 'promote', 'demote'] as const, {
        description: 'Default: `add` for POST, `remove` for DELETE',
      }),
    ),
    send_invite: SendInvite,
    device_id: DeviceId,
  },
  { examples: [{ participants: ['5511999999999'] }] },
);

/** Of a page that is asked for by its cursor alone. */
const USUAL = 200;

const ListQuery = Type.Object({
  device_id: DeviceId,
  format: Type.Optional(OneOf(['json', 'csv'] as const)),
  cursor: CursorText,
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1000, description: 'Without it and `cursor` all are given' }),
  ),
});

const ListAnswer = Type.Object({
  success: Type.Literal(true),
  participants: Type.Array(ParticipantObject),
  ...nextPage,
});

/** Browsers and clients that take anything get JSON. */
function wantsCsv(accept: string | undefined): boolean {
  return accept !== undefined && /^text\/csv\b/i.test(accept.trim());
}

export const participantsRoutes: FastifyPluginAsyncTypebox<ParticipantsParts> = async (
  app,
  { groups, members, idempotency },
) => {
  app.get(
    '/groups/:jid/participants',
    {
      schema: {
        tags: ['groups'],
        operationId: 'listGroupParticipants',
        summary: 'List the members of a group',
        description:
          'In the order of their JIDs; all of them unless `limit` or `cursor` is there. With `format=csv`, or when ' +
          '`Accept` asks for `text/csv`, as a table with all of them.',
        params: GroupPath,
        querystring: ListQuery,
        headers: Type.Object({ ...DeviceHeaders.properties, accept: Type.Optional(Type.String()) }),
        response: {
          200: {
            description: 'The members',
            content: {
              'application/json': { schema: ListAnswer },
              'text/csv': { schema: Type.String({ description: 'number,jid,lid,is_admin,is_super_admin' }) },
            },
          },
          ...failures(...GROUP_FAILURES),
        },
      },
    },
    async (request, reply) => {
      const { cursor, limit, format } = request.query;
      const name = { deviceId: selectedDevice(request), group: request.params.jid };
      if (format === 'csv' || (format === undefined && wantsCsv(request.headers.accept))) {
        const all = await groups.members(request.caller, name, {});
        return reply.type('text/csv; charset=utf-8; header=present').send(membersCsv(all.members));
      }
      const page = { cursor, limit: limit ?? (cursor === undefined ? undefined : USUAL) };
      const { members: some, nextCursor } = await groups.members(request.caller, name, page);
      return reply.send({
        success: true,
        participants: some.map(participantObject),
        next_cursor: nextCursor,
      });
    },
  );

  const operations: [
    method: 'POST' | 'DELETE',
    operationId: string,
    usual: MembersChange,
    summary: string,
  ][] = [
    ['POST', 'addGroupParticipants', 'add', 'Add members to a group, or promote, demote, remove them'],
    [
      'DELETE',
      'removeGroupParticipants',
      'remove',
      'Remove members of a group, or promote, demote, add them',
    ],
  ];
  for (const [method, operationId, usual, summary] of operations) {
    app.route({
      method,
      url: '/groups/:jid/participants',
      schema: {
        tags: ['groups'],
        operationId,
        summary,
        description:
          'What became of each is told for itself, in the order of the request. WhatsApp takes 50 at a time: more are ' +
          'done one portion after the other, with a pause between them.',
        params: GroupPath,
        querystring: DeviceQuery,
        headers: SendHeaders,
        body: Body,
        response: {
          200: Type.Object({ success: Type.Literal(true), participants: Type.Array(MemberResultObject) }),
          ...failures(...GROUP_FAILURES, 'INVALID_RECIPIENT', 'ACCOUNT_CHANGED', 'IDEMPOTENCY_CONFLICT'),
        },
      },
      handler: async (request, reply) =>
        once(idempotency, request, reply, async () => {
          const { participants, action: change = usual, send_invite: sendInvite } = request.body;
          const name = { deviceId: selectedDevice(request), group: request.params.jid };
          const results = await members.change(request.caller, { ...name, change, participants, sendInvite });
          return { success: true as const, participants: results.map(memberResult) };
        }),
    });
  }
};
