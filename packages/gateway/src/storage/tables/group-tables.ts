/** The tables of groups: what each device's account knows of them. */
import type { DeviceId, TenantId } from '../../ids.ts';

/** One group of one account. Times are milliseconds. */
export interface GroupsTable {
  tenant_id: TenantId;
  device_id: DeviceId;
  /** The device's account, whose group it is. */
  account: string;
  jid: string;
  subject: string;
  description: string | null;
  owner_jid: string | null;
  owner_lid: string | null;
  created_at: number | null;
  announce: number;
  locked: number;
  join_approval: number;
  /** Who may add members. */
  member_add_mode: 'all' | 'admin';
  ephemeral_seconds: number;
  community: number;
  /** The community that it belongs to. */
  parent: string | null;
  community_announcements: number;
  suspended: number;
  /** As WhatsApp counts, which does not name all members of every group. */
  size: number;
  /** Whether the account is in it, else how it came to be outside. */
  membership: 'member' | 'left' | 'removed' | 'deleted' | 'outside';
  /** What the account may do in it: 0 member, 1 admin, 2 made it. */
  own_role: number;
  /** When it ended for the account; null while it is in it, or when that is not known. */
  left_at: number | null;
  /** When WhatsApp told of it last. */
  as_of: number;
}

/** The members of the groups that the account is in. */
export interface GroupMembersTable {
  tenant_id: TenantId;
  device_id: DeviceId;
  account: string;
  group_jid: string;
  /** The phone-number JID when known, else the LID. */
  member: string;
  lid: string | null;
  /** 0 member, 1 admin, 2 made the group. */
  role: number;
}

/** Who was in a group and is not any more, as far as the account saw them go. */
export interface GroupPastMembersTable {
  tenant_id: TenantId;
  device_id: DeviceId;
  account: string;
  group_jid: string;
  /** The phone-number JID when known, else the LID. */
  member: string;
  lid: string | null;
  /** 1: by an admin; 0: by themselves. */
  removed: number;
  /** The admin who removed them, where that is known. */
  author: string | null;
  author_lid: string | null;
  left_at: number;
}

/** When WhatsApp told all groups of an account. */
export interface GroupListsTable {
  tenant_id: TenantId;
  device_id: DeviceId;
  account: string;
  as_of: number;
}
