import type { Account } from '../state/directory.ts';
import type { AddressingMode } from '../state/jid.ts';

export type GroupRole = 'superadmin' | 'admin' | undefined;

export interface GroupParticipant {
  readonly account: Account;
  role: GroupRole;
}

export interface GroupDescription {
  readonly id: string;
  readonly text: string;
  readonly by: Account;
  readonly at: number;
}

/** A group as the server keeps it. Times are seconds since the epoch. */
export interface Group {
  /** The part of the JID before `@g.us`. */
  readonly id: string;
  readonly jid: string;
  readonly creator: Account;
  readonly createdAt: number;
  readonly addressingMode: AddressingMode;
  /** By phone number, in order of joining. */
  readonly participants: Map<string, GroupParticipant>;
  subject: string;
  subjectBy: Account;
  subjectAt: number;
  description: GroupDescription | undefined;
  /** Only admins may send. */
  announce: boolean;
  /** Only admins may change the group's settings. */
  locked: boolean;
  /** Seconds until messages disappear, 0 for never. */
  ephemeral: number;
  memberAddMode: 'all_member_add' | 'admin_add';
  approveJoins: boolean;
  inviteCode: string;
}

export interface NewGroup {
  readonly subject: string;
  readonly creator: Account;
  readonly participants: readonly Account[];
  /** How members are named in stanzas; new groups of the real network use LIDs. */
  readonly addressingMode?: AddressingMode;
}
