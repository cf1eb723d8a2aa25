import type { Identity, Jid } from './identity.ts';

export interface GroupMember extends Identity {
  /** May delete what others wrote, among other things. */
  admin: boolean;
}

export interface SessionGroups {
  /** The members of a group we are in, ourselves included. */
  members(group: Jid): Promise<GroupMember[]>;
  /** Seconds after which its messages disappear; 0: never. */
  timer(group: Jid): Promise<number>;
}
