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
}
