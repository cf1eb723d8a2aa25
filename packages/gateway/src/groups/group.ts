/** A group as it is stored: what WhatsApp told one account of it. */
import type { MessageDevice } from '../messages/stored-message.ts';
import type { GroupInfo, GroupMember } from '../whatsapp/port/groups.ts';

/** The device whose account is in the groups. */
export type GroupDevice = Pick<MessageDevice, 'id' | 'tenantId' | 'jid' | 'lid'>;

/**
 * Whether the account is in the group: `left` by itself, `removed` by an admin, `deleted` for everybody;
 * `outside` is what WhatsApp says without a reason.
 */
export type Membership = 'member' | 'left' | 'removed' | 'deleted' | 'outside';

export interface StoredGroup extends Omit<GroupInfo, 'members'> {
  membership: Membership;
  /** What the account may do in it. */
  isAdmin: boolean;
  isSuperAdmin: boolean;
  /** Milliseconds; null while the account is in it, or when that is not known. */
  leftAt: number | null;
  /** When WhatsApp told of it last, milliseconds. */
  asOf: number;
}

/** A group with its members: none when the account is not in it any more. */
export interface GroupWithMembers {
  group: StoredGroup;
  members: GroupMember[];
}

export interface GroupList {
  groups: StoredGroup[];
  /** When WhatsApp told of all of them; changes since have come by themselves while the device was connected. */
  asOf: number | null;
  nextCursor: string | null;
}
