import type { Identity, Jid } from './identity.ts';

export interface GroupMember extends Identity {
  /** May delete what others wrote, among other things; those who made the group are admins too. */
  admin: boolean;
  /** Made the group: cannot be removed or demoted. */
  superAdmin: boolean;
}

/** Who may add members. */
export type MemberAddMode = 'all' | 'admin';

/** A group, or a community, as WhatsApp tells of it. Times are milliseconds since the epoch. */
export interface GroupInfo {
  jid: Jid;
  subject: string;
  description: string | null;
  /** Who made it; null when WhatsApp does not say. */
  owner: Identity | null;
  createdAt: number | null;
  /** Only admins may send. */
  announce: boolean;
  /** Only admins may change its subject, picture and description. */
  locked: boolean;
  /** Admins decide who joins by the link. */
  joinApproval: boolean;
  memberAddMode: MemberAddMode;
  /** 0: messages stay. */
  ephemeralSeconds: number;
  /** A community: groups are linked to it, nobody writes in it. */
  community: boolean;
  /** The community that it belongs to. */
  parent: Jid | null;
  /** The group in which the admins of its community write to everybody. */
  communityAnnouncements: boolean;
  /** WhatsApp has suspended it. */
  suspended: boolean;
  /** As WhatsApp counts; it does not name all members of every group. */
  size: number;
  members: GroupMember[];
}

/** A group that is to be made. The account itself is in it as well. */
export interface NewGroup
  extends Pick<
    GroupInfo,
    | 'subject'
    | 'announce'
    | 'locked'
    | 'joinApproval'
    | 'memberAddMode'
    | 'ephemeralSeconds'
    | 'community'
    | 'parent'
  > {
  members: readonly Identity[];
}

/** One thing that is changed about a group. */
export type GroupChange =
  | { name: 'subject'; value: string }
  /** Null deletes it. */
  | { name: 'description'; value: string | null }
  | { name: 'announce' | 'locked' | 'joinApproval'; value: boolean }
  | { name: 'memberAddMode'; value: MemberAddMode }
  /** Seconds; 0: messages stay. */
  | { name: 'ephemeral'; value: number };

export type MembersChange = 'add' | 'remove' | 'promote' | 'demote';

/** What became of one person whom a change of members names. */
export interface MemberOutcome extends Identity {
  /** 200, or the code that WhatsApp refuses this one person with. */
  code: number;
  /** They let strangers not add them: with this they can join by themselves, once they have got it. */
  invite: { code: string; expiresAt: number } | null;
}

export interface SessionGroups {
  /** The members of a group we are in, ourselves included. */
  members(group: Jid): Promise<GroupMember[]>;
  /** Seconds after which its messages disappear; 0: never. */
  timer(group: Jid): Promise<number>;
  /** What the server knows of a group we are in. */
  info(group: Jid): Promise<GroupInfo>;
  /** Every group we are in, with members, as the server knows them. */
  joined(): Promise<GroupInfo[]>;
  /** What `joined` told last is stored: until then the session says at each start that the groups have changed. */
  joinedStored(): Promise<void>;
  /** Makes a group. Whom it could not take in is told apart. */
  create(group: NewGroup): Promise<{ info: GroupInfo; refused: MemberOutcome[] }>;
  /**
   * Each is told for itself, in the order of the answer. `linkedGroups`: who is removed from a community is removed
   * from all of its groups.
   */
  changeMembers(
    group: Jid,
    change: MembersChange,
    people: readonly Identity[],
    options?: { linkedGroups?: boolean },
  ): Promise<MemberOutcome[]>;
  change(group: Jid, change: GroupChange): Promise<void>;
  /** The code of the invite link; `anew` makes another and the old one void. */
  inviteCode(group: Jid, options: { anew: boolean }): Promise<string>;
  leave(group: Jid): Promise<void>;
  /** A JPEG, or null to take it off. The new picture's id. */
  setPicture(group: Jid, jpeg: Uint8Array | null): Promise<string | null>;
}
