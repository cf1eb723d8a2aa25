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

/** How somebody came to ask (whatsapp-rust wacore stanza/groups.rs MembershipRequestMethod). */
export type RequestMethod = 'invite_link' | 'non_admin_add';

/** Somebody who wants to be in a group that asks its admins first. */
export interface JoinRequest {
  readonly account: Account;
  readonly at: number;
  readonly method: RequestMethod;
}

/** What a person is invited by who may not be added: it is sent to them as a message. Times are in seconds. */
export interface Invitation {
  readonly code: string;
  readonly admin: Account;
  readonly expiration: number;
}

export interface CommunitySettings {
  readonly defaultApprovalMode: string;
  /** Whether members make groups in it, not admins alone. */
  readonly membersCreateGroups: boolean;
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
  /** Codes of links that were made anew since. */
  readonly retiredCodes: Set<string>;
  /** By phone number: who was refused to an admin that wanted to add them. */
  readonly invitations: Map<string, Invitation>;
  /** Phone numbers of those whom an admin put out: the link does not let them in again. */
  readonly removed: Set<string>;
  /** Phone numbers of those who left by themselves: they come back by themselves or not at all. */
  readonly left: Set<string>;
  /** Members at most. */
  memberLimit: number;
  /** Count the changes of the settings and of the members; clients tell by them what they have missed. */
  announceVersion: string;
  participantVersion: string;
  /** Set on a community: how groups that are linked to it take in new members. */
  readonly community: CommunitySettings | undefined;
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
  readonly memberAddMode?: Group['memberAddMode'];
  readonly description?: { readonly id: string; readonly text: string };
  readonly community?: CommunitySettings;
  readonly parent?: Group;
  readonly defaultSubGroup?: boolean;
}
