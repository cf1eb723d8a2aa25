/** Groups and their members in answers. */
import { type Static, Type } from 'typebox';
import { rfc3339, rfc3339OrNull } from '../../../clock.ts';
import type { StoredGroup } from '../../../groups/group.ts';
import { canonicalJid } from '../../../identity/jid.ts';
import type { GroupMember } from '../../../whatsapp/port/groups.ts';
import { refusing } from '../../description/stated.ts';
import { Jid, Nullable, OneOf, Rfc3339 } from '../../schemas.ts';

export const GroupPath = Type.Object({
  jid: refusing(
    'what is no id of a group',
    Type.String({
      description: "The group's JID, or its id alone",
      examples: ['120363039000000000@g.us'],
    }),
  ),
});

export const AsOf = {
  ...Rfc3339,
  description: 'When WhatsApp told it; changes since have come by themselves while the device was connected',
};

export const ParticipantObject = Type.Object(
  {
    jid: Type.String({ description: '`…@s.whatsapp.net`, or `…@lid` while only that is known' }),
    lid: Nullable(Type.String({ description: '`…@lid`' })),
    phone_number: Nullable(
      Type.String({ description: 'As a JID, `…@s.whatsapp.net`; null while only the LID is known' }),
    ),
    is_admin: Type.Boolean(),
    is_super_admin: Type.Boolean({ description: 'Made the group' }),
  },
  { title: 'Participant' },
);

const MEMBERSHIPS = ['member', 'left', 'removed', 'deleted', 'outside'] as const;

const summary = {
  jid: Jid,
  name: Type.String(),
  topic: Nullable(Type.String({ description: 'Its description' })),
  description: Nullable(Type.String({ description: 'The same as `topic`' })),
  owner: Nullable({ ...Jid, description: 'Who made it; null when WhatsApp does not say' }),
  owner_lid: Nullable(Type.String()),
  created_at: Nullable(Rfc3339),
  is_announce: Type.Boolean({ description: 'Only admins may send' }),
  is_locked: Type.Boolean({ description: 'Only admins may change name, picture and description' }),
  join_approval: Type.Boolean({ description: 'Admins decide who joins by the link' }),
  member_add_mode: OneOf(['all', 'admin'] as const, { description: 'Who may add members' }),
  ephemeral_seconds: Type.Integer({ description: 'Messages disappear after it; 0: they stay' }),
  members_count: Type.Integer({ description: 'The account itself counts too' }),
  is_community: Type.Boolean({ description: 'Groups are linked to it; nobody writes in it' }),
  parent_jid: Nullable({ ...Jid, description: 'The community that it belongs to' }),
  is_community_announcements: Type.Boolean({
    description: 'The group in which the admins of its community write to everybody',
  }),
  is_suspended: Type.Boolean({ description: 'By WhatsApp' }),
  is_admin: Type.Boolean({ description: 'Whether the account is an admin of it' }),
  membership: OneOf(MEMBERSHIPS, {
    description:
      'Whether the account is in it: `left` by itself, `removed` by an admin, `deleted` for everybody, `outside` ' +
      'when WhatsApp says only that it is not',
  }),
  left_at: Nullable({
    ...Rfc3339,
    description: 'When that ended; null while it is in it, or when not known',
  }),
  as_of: AsOf,
};

export const GroupSummary = Type.Object(summary, { title: 'GroupSummary' });
export const GroupObject = Type.Object(
  {
    ...summary,
    participants: Type.Array(ParticipantObject, {
      description: 'Empty when the account is not in it any more',
    }),
  },
  { title: 'Group' },
);

export function groupObject(group: StoredGroup): Static<typeof GroupSummary> {
  return {
    jid: group.jid,
    name: group.subject,
    topic: group.description,
    description: group.description,
    owner: group.owner && canonicalJid(group.owner),
    owner_lid: group.owner?.lid ?? null,
    created_at: rfc3339OrNull(group.createdAt),
    is_announce: group.announce,
    is_locked: group.locked,
    join_approval: group.joinApproval,
    member_add_mode: group.memberAddMode,
    ephemeral_seconds: group.ephemeralSeconds,
    members_count: group.size,
    is_community: group.community,
    parent_jid: group.parent,
    is_community_announcements: group.communityAnnouncements,
    is_suspended: group.suspended,
    is_admin: group.isAdmin,
    membership: group.membership,
    left_at: rfc3339OrNull(group.leftAt),
    as_of: rfc3339(group.asOf),
  };
}

export function participantObject(member: GroupMember): Static<typeof ParticipantObject> {
  return {
    jid: canonicalJid(member) ?? '',
    lid: member.lid,
    phone_number: member.jid,
    is_admin: member.admin,
    is_super_admin: member.superAdmin,
  };
}
