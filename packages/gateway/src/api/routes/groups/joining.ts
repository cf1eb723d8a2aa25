/** Tag `groups`: looking at an invite, and joining by it. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { rfc3339OrNull } from '../../../clock.ts';
import { invalidField } from '../../../errors.ts';
import type { InviteInput } from '../../../groups/invites.ts';
import { type GroupJoining, JOINING_FAILURES, type PreviewedGroup } from '../../../groups/joining.ts';
import { canonicalJid } from '../../../identity/jid.ts';
import { atLeastOne, notBoth, refusing, stated } from '../../description/stated.ts';
import { DeviceHeaders, DeviceId, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { Jid, Nullable, Rfc3339 } from '../../schemas.ts';

export interface JoiningParts {
  joining: GroupJoining;
}

/** How long what is pasted may be. */
const LONGEST_LINK = 300;
const LONGEST_JID = 100;

const link = (description: string, example: string) =>
  Type.Optional(
    refusing(
      'what is no invite link and no code',
      Type.String({ description, examples: [example], maxLength: LONGEST_LINK }),
    ),
  );
const jid = (what: string, description: string, example: string) =>
  Type.Optional(
    refusing(
      `what is no JID of ${what}; one without \`code\` and the other`,
      Type.String({ description, examples: [example], maxLength: LONGEST_JID }),
    ),
  );

const CODE = 'AbCdEfGhIjKlMnOpQrStUv';
const invite = {
  link: link('The whole invite link', `https://chat.whatsapp.com/${CODE}`),
  code: link(
    'The code of a link; with `group_jid` and `inviter_jid` that of an invitation to one person',
    CODE,
  ),
  invite_code: link('The same as `code`', CODE),
  group_jid: jid('a group', 'Of an invitation: the group', '120363039000000000@g.us'),
  inviter_jid: jid('a person', 'Of an invitation: who sent it', '5511988888888@s.whatsapp.net'),
  expiration: Type.Optional(
    refusing(
      'none, for an invitation whose message is not stored',
      Type.Integer({
        minimum: 1,
        maximum: 253_402_300_799,
        description:
          'Of an invitation: when it ends, in seconds since 1970, as its message says; default: what the stored ' +
          'message says',
      }),
    ),
  ),
};
/** A code under both of its names is one. */
const ONE_INVITE = {
  allOf: [atLeastOne('link', 'code', 'invite_code'), notBoth('link', 'code'), notBoth('link', 'invite_code')],
};

const InviteQuery = Type.Object({ ...invite, device_id: DeviceId });
const JoinBody = stated(
  refusing(
    'two codes that differ, and an invitation without all that it needs',
    Type.Object(
      { ...invite, device_id: DeviceId },
      { examples: [{ link: `https://chat.whatsapp.com/${CODE}` }] },
    ),
  ),
  ONE_INVITE,
);

const PreviewAnswer = Type.Object({
  success: Type.Literal(true),
  group: Type.Object(
    {
      jid: Jid,
      name: Type.String(),
      topic: Nullable(Type.String({ description: 'Its description' })),
      owner: Nullable({ ...Jid, description: 'Who made it; null when WhatsApp does not say' }),
      created_at: Nullable(Rfc3339),
      is_announce: Type.Boolean({ description: 'Only admins may send' }),
      is_locked: Type.Boolean({ description: 'Only admins may change name, picture and description' }),
      join_approval: Type.Boolean({ description: 'Admins decide who joins: it would be pending' }),
      members_count: Type.Integer(),
      is_community: Type.Boolean(),
      parent_jid: Nullable({ ...Jid, description: 'The community that it belongs to' }),
    },
    { title: 'GroupPreview' },
  ),
  already_member: Type.Boolean({ description: 'Whether the account is in it' }),
});

const JoinAnswer = Type.Object({
  success: Type.Literal(true),
  pending_approval: Type.Boolean({
    description: 'True: the admins decide; `group.joined` tells when they let it in',
  }),
  group_jid: Jid,
});

export const joiningRoutes: FastifyPluginAsyncTypebox<JoiningParts> = async (app, { joining }) => {
  const shared = { tags: ['groups'], headers: DeviceHeaders };

  app.get(
    '/groups/join',
    {
      schema: {
        ...shared,
        operationId: 'previewGroupInvite',
        summary: 'Look at what an invite leads to, without joining',
        querystring: InviteQuery,
        response: { 200: PreviewAnswer, ...failures(...JOINING_FAILURES) },
      },
    },
    async (request) => {
      const previewed = await joining.preview(
        request.caller,
        selectedDevice(request),
        inviteIn(request.query),
      );
      return previewAnswer(previewed);
    },
  );

  app.post(
    '/groups/join',
    {
      schema: {
        ...shared,
        operationId: 'joinGroup',
        summary: 'Join a group by its invite link, or by an invitation that was sent',
        description:
          'WhatsApp counts how many groups an account joins: too many at a time are 429, and may cost the account.',
        querystring: Type.Object({ device_id: DeviceId }),
        body: JoinBody,
        response: { 200: JoinAnswer, ...failures(...JOINING_FAILURES) },
      },
    },
    async (request) => {
      const outcome = await joining.join(request.caller, selectedDevice(request), inviteIn(request.body));
      return { success: true as const, pending_approval: outcome.pending, group_jid: outcome.group };
    },
  );
};

function inviteIn(input: Static<typeof InviteQuery>): InviteInput {
  const { link, code, invite_code: inviteCode, expiration } = input;
  if (code !== undefined && inviteCode !== undefined && code !== inviteCode) {
    throw invalidField('invite_code', 'is the same as `code`: pass one of them');
  }
  return {
    link,
    code: code ?? inviteCode,
    groupJid: input.group_jid,
    inviterJid: input.inviter_jid,
    expiration,
  };
}

function previewAnswer({ group, member }: PreviewedGroup): Static<typeof PreviewAnswer> {
  return {
    success: true,
    group: {
      jid: group.jid,
      name: group.subject,
      topic: group.description,
      owner: group.owner && canonicalJid(group.owner),
      created_at: rfc3339OrNull(group.createdAt),
      is_announce: group.announce,
      is_locked: group.locked,
      join_approval: group.joinApproval,
      members_count: group.size,
      is_community: group.community,
      parent_jid: group.parent,
    },
    already_member: member,
  };
}
