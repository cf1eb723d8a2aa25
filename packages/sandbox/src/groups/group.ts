import type { Account, Picture } from '../state/directory.ts';
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

/** Somebody who opened the invite link of a group that asks its admins first. */
export interface JoinRequest {
  readonly account: Account;
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
  /** By phone number, oldest first. */
  readonly joinRequests: Map<string, JoinRequest>;
  inviteCode: string;
  /** Count the changes of the settings and of the members; clients tell by them what they have missed. */
  announceVersion: string;
  participantVersion: string;
  /** Set on a community: how groups that are linked to it take in new members. */
  readonly community: { readonly defaultApprovalMode: string } | undefined;
  /** The community that the group belongs to. */
  parent: Group | undefined;
  /** The group of a community in which its admins write to everybody. */
  readonly defaultSubGroup: boolean;
  picture: Picture | undefined;
}

export interface NewGroup {
  readonly subject: string;
  readonly creator: Account;
  readonly participants: readonly Account[];
  /** How members are named in stanzas; new groups of the real network use LIDs. */
  readonly addressingMode?: AddressingMode;
  readonly announce?: boolean;
  readonly locked?: boolean;
  readonly ephemeral?: number;
  readonly approveJoins?: boolean;
  readonly description?: { readonly id: string; readonly text: string };
  readonly community?: { readonly defaultApprovalMode: string };
  readonly parent?: Group;
  readonly defaultSubGroup?: boolean;
}
