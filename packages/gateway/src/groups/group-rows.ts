/** Rows of groups and members, as WhatsApp's word and as ours. */
import type { Insertable, Selectable } from 'kysely';
import { type Holder, holderOf } from '../identity/holder.ts';
import { canonicalJid, sameIdentity, storedIdentity } from '../identity/jid.ts';
import type { GroupMembersTable, GroupsTable } from '../storage/tables/group-tables.ts';
import type { GroupInfo, GroupMember } from '../whatsapp/port/groups.ts';
import type { Identity } from '../whatsapp/port/identity.ts';
import type { GroupDevice, StoredGroup } from './group.ts';

export function roleOf({ admin, superAdmin }: Pick<GroupMember, 'admin' | 'superAdmin'>): number {
  if (superAdmin) return 2;
  return admin ? 1 : 0;
}

/** The row of a group that the account is in. */
export function groupRow(device: GroupDevice, info: GroupInfo, at: number): Insertable<GroupsTable> {
  const own = info.members.find((member) => sameIdentity(member, device));
  return {
    ...holderOf(device),
    jid: info.jid,
    subject: info.subject,
    description: info.description,
    owner_jid: info.owner?.jid ?? null,
    owner_lid: info.owner?.lid ?? null,
    created_at: info.createdAt,
    announce: Number(info.announce),
    locked: Number(info.locked),
    join_approval: Number(info.joinApproval),
    member_add_mode: info.memberAddMode,
    ephemeral_seconds: info.ephemeralSeconds,
    community: Number(info.community),
    parent: info.parent,
    community_announcements: Number(info.communityAnnouncements),
    suspended: Number(info.suspended),
    size: info.size,
    membership: 'member',
    own_role: own ? roleOf(own) : 0,
    left_at: null,
    as_of: at,
  };
}

export function groupFromRow(row: Selectable<GroupsTable>): StoredGroup {
  const { owner_jid: jid, owner_lid: lid } = row;
  return {
    jid: row.jid,
    subject: row.subject,
    description: row.description,
    owner: jid === null && lid === null ? null : { jid, lid },
    createdAt: row.created_at,
    announce: row.announce === 1,
    locked: row.locked === 1,
    joinApproval: row.join_approval === 1,
    memberAddMode: row.member_add_mode,
    ephemeralSeconds: row.ephemeral_seconds,
    community: row.community === 1,
    parent: row.parent,
    communityAnnouncements: row.community_announcements === 1,
    suspended: row.suspended === 1,
    size: row.size,
    membership: row.membership,
    isAdmin: row.own_role > 0,
    isSuperAdmin: row.own_role === 2,
    leftAt: row.left_at,
    asOf: row.as_of,
  };
}

export function memberRow(
  holder: Holder,
  group: string,
  who: Identity,
  role: number,
): Insertable<GroupMembersTable> {
  return { ...holder, group_jid: group, member: canonicalJid(who) ?? '', lid: who.lid, role };
}

export function memberFromRow({
  member,
  lid,
  role,
}: Pick<Selectable<GroupMembersTable>, 'member' | 'lid' | 'role'>): GroupMember {
  return { ...storedIdentity(member, lid), admin: role > 0, superAdmin: role === 2 };
}
