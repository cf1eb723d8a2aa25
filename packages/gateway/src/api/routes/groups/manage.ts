/** Tag `groups`: making groups, changing what they are, leaving. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import type { ChatChanges } from '../../../chats/changes.ts';
import { invalidField } from '../../../errors.ts';
import type { GroupChanging } from '../../../groups/group-changing.ts';
import { GROUP_FAILURES } from '../../../groups/groups.ts';
import { TIMERS_SECONDS } from '../../../sending/disappearing.ts';
import type { Idempotency } from '../../../sending/idempotency.ts';
import type { GroupChange } from '../../../whatsapp/port/groups.ts';
import { refusing, stated } from '../../description/stated.ts';
import { toAppError } from '../../error-envelope.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { emptyCounts } from '../../request/given.ts';
import { once, SendHeaders } from '../../request/idempotency.ts';
import { warn } from '../../request/warnings.ts';
import { OneOf } from '../../schemas.ts';
import { MemberResultObject, memberResult, Participants, SendInvite } from './participants.ts';
import { GroupObject, GroupPath, GroupSummary, groupObject, participantObject } from './schemas.ts';

export interface ManageParts {
  changing: GroupChanging;
  idempotency: Idempotency;
  changes: ChatChanges;
}

const flag = (description: string) => Type.Optional(Type.Boolean({ description }));

/** `all` and `admin` are ours; WhatsApp's own words are taken too. */
const AddMode = Type.Optional(
  OneOf(['all', 'admin', 'all_member_add', 'admin_add'] as const, { description: 'Who may add members' }),
);

const SETTINGS = {
  announcement: flag('Only admins may send'),
  locked: flag('Only admins may change name, picture and description'),
  join_approval: flag('Admins decide who joins by the link'),
  member_add_mode: AddMode,
};

const Seconds = emptyCounts(
  Type.Integer({ enum: [...TIMERS_SECONDS], description: '0 (off), 86400, 604800 or 7776000' }),
);

const NAME = { minLength: 1, maxLength: 100, pattern: '\\S' };
const TOPIC = { maxLength: 2048 };

const CreateBody = Type.Object(
  {
    name: stated(Type.String({ maxLength: 400, description: '1 to 100 characters' }), NAME),
    participants: Participants,
    options: Type.Optional(
      Type.Object({
        ...SETTINGS,
        community: flag('Make a community'),
        parent_jid: Type.Optional(
          refusing(
            'what is no JID of a group',
            Type.String({ description: 'The community that it shall belong to' }),
          ),
        ),
        ephemeral_seconds: Type.Optional(Seconds),
      }),
    ),
    send_invite: SendInvite,
    device_id: DeviceId,
  },
  { examples: [{ name: 'Deliveries', participants: ['5511999999999'] }] },
);

const LeaveQuery = Type.Object({
  ...DeviceQuery.properties,
  delete: Type.Optional(
    Type.Boolean({ description: 'Delete the chat with its messages as well, on our side' }),
  ),
});

const UpdateBody = refusing(
  'one that changes nothing, and two descriptions that differ',
  Type.Object(
    {
      name: Type.Optional(
        refusing(
          'blanks alone',
          stated(Type.String({ maxLength: 400, description: '1 to 100 characters' }), {
            maxLength: NAME.maxLength,
          }),
        ),
      ),
      topic: Type.Optional(
        emptyCounts(
          stated(
            Type.String({ maxLength: 8192, description: 'Up to 2048 characters; empty takes it off' }),
            TOPIC,
          ),
        ),
      ),
      description: Type.Optional(
        emptyCounts(stated(Type.String({ maxLength: 8192, description: 'The same as `topic`' }), TOPIC)),
      ),
      ...SETTINGS,
      device_id: DeviceId,
    },
    { examples: [{ name: 'Night deliveries', announcement: true }] },
  ),
);

/** What changing a group can end with, beside how asking for it can. */
const CHANGE_FAILURES = [...GROUP_FAILURES, 'ACCOUNT_CHANGED'] as const;

export const manageRoutes: FastifyPluginAsyncTypebox<ManageParts> = async (
  app,
  { changing, changes, idempotency },
) => {
  const shared = { tags: ['groups'], headers: DeviceHeaders, querystring: DeviceQuery };
  const nameOf = (request: { params: { jid: string } } & Parameters<typeof selectedDevice>[0]) => ({
    deviceId: selectedDevice(request),
    group: request.params.jid,
  });

  app.post(
    '/groups',
    {
      schema: {
        ...shared,
        operationId: 'createGroup',
        summary: 'Make a group or a community',
        description:
          'Whom WhatsApp does not take in is told in `refused`; the group is made all the same. With an ' +
          '`Idempotency-Key` a request that is repeated makes one group, also where WhatsApp did not answer in time: ' +
          'it is looked for first.',
        headers: SendHeaders,
        body: CreateBody,
        response: {
          201: Type.Object({
            success: Type.Literal(true),
            group: GroupObject,
            refused: Type.Array(MemberResultObject),
          }),
          ...failures(...CHANGE_FAILURES, 'INVALID_RECIPIENT', 'NOT_ON_WHATSAPP', 'IDEMPOTENCY_CONFLICT'),
        },
      },
    },
    async (request, reply) => {
      reply.code(201);
      return once(idempotency, request, reply, async (attempt) => {
        const { name, participants, options = {}, send_invite: sendInvite } = request.body;
        const made = await changing.create(request.caller, {
          deviceId: selectedDevice(request),
          name,
          participants,
          sendInvite,
          announce: options.announcement,
          locked: options.locked,
          joinApproval: options.join_approval,
          memberAddMode: addMode(options.member_add_mode),
          ephemeralSeconds: options.ephemeral_seconds,
          community: options.community,
          parent: options.parent_jid,
          attempt,
        });
        return {
          success: true as const,
          group: { ...groupObject(made.group), participants: made.members.map(participantObject) },
          refused: made.refused.map(memberResult),
        };
      });
    },
  );

  app.patch(
    '/groups/:jid',
    {
      schema: {
        ...shared,
        operationId: 'updateGroup',
        summary: 'Change name, description and settings of a group',
        description:
          'Each change is a request of its own to WhatsApp, in the order of the members; when one is refused, the ' +
          'ones before it stand.',
        params: GroupPath,
        body: UpdateBody,
        response: {
          200: Type.Object({ success: Type.Literal(true), group: GroupSummary }),
          ...failures(...CHANGE_FAILURES),
        },
      },
    },
    async (request) => {
      // What is wrong with the device is told before the rest.
      const name = nameOf(request);
      const group = await changing.change(request.caller, name, changesIn(request.body));
      return { success: true as const, group: groupObject(group) };
    },
  );

  app.put(
    '/groups/:jid/ephemeral',
    {
      schema: {
        ...shared,
        operationId: 'setGroupEphemeral',
        summary: 'Set when messages of a group disappear',
        params: GroupPath,
        body: Type.Object(
          { duration_seconds: Seconds, device_id: DeviceId },
          { examples: [{ duration_seconds: 604_800 }] },
        ),
        response: {
          200: Type.Object({ success: Type.Literal(true), duration_seconds: Type.Integer() }),
          ...failures(...CHANGE_FAILURES),
        },
      },
    },
    async (request) => {
      const { duration_seconds: value } = request.body;
      await changing.change(request.caller, nameOf(request), [{ name: 'ephemeral', value }]);
      return { success: true as const, duration_seconds: value };
    },
  );

  app.delete(
    '/groups/:jid/leave',
    {
      schema: {
        ...shared,
        operationId: 'leaveGroup',
        summary: 'Leave a group',
        params: GroupPath,
        querystring: LeaveQuery,
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            deleted: Type.Optional(Type.Boolean({ description: 'With `delete`: the chat is gone' })),
          }),
          ...failures(...CHANGE_FAILURES),
        },
      },
    },
    async (request) => {
      const name = nameOf(request);
      const jid = await changing.leave(request.caller, name);
      if (request.query.delete !== true) return { success: true as const };
      try {
        await changes.remove(request.caller, { deviceId: name.deviceId, jid });
        return { success: true as const, deleted: true };
      } catch (error) {
        // The group is left: an error would say that nothing was done.
        const message = `the chat is not deleted, DELETE /chats/{jid} does it: ${toAppError(error).message}`;
        warn(request, [{ field: 'delete', message }]);
        return { success: true as const, deleted: false };
      }
    },
  );
};

/** In the order in which they are done. */
function changesIn(body: Static<typeof UpdateBody>): GroupChange[] {
  const { name, topic, announcement, locked } = body;
  if (topic !== undefined && body.description !== undefined && topic !== body.description) {
    throw invalidField('description', 'is the same as `topic`: pass one of them');
  }
  const description = topic ?? body.description;
  const mode = addMode(body.member_add_mode);
  const changes: GroupChange[] = [];
  if (name !== undefined) changes.push({ name: 'subject', value: name });
  if (description !== undefined) changes.push({ name: 'description', value: description });
  if (announcement !== undefined) changes.push({ name: 'announce', value: announcement });
  if (locked !== undefined) changes.push({ name: 'locked', value: locked });
  if (body.join_approval !== undefined) changes.push({ name: 'joinApproval', value: body.join_approval });
  if (mode !== undefined) changes.push({ name: 'memberAddMode', value: mode });
  return changes;
}

function addMode(word: string | undefined): 'all' | 'admin' | undefined {
  if (word === undefined) return undefined;
  return word.startsWith('admin') ? 'admin' : 'all';
}
