/** How people come into a group that they are not in: by its link, by an invitation, and by asking its admins. */
import type { GroupInfo } from './groups.ts';
import type { Identity, Jid } from './identity.ts';

/** What a group-invite message gives: it is for one person, for some days. */
export interface GroupInvitation {
  group: Jid;
  code: string;
  /** Who sent it. */
  inviter: Jid;
  /** Seconds since the epoch, as it stands in the message: the server compares it. */
  expiration: number;
}

export interface JoinOutcome {
  group: Jid;
  /** The admins decide first. */
  pending: boolean;
}

/** How somebody came to ask: by the link, because a member wants to add them, or from another group of the community. */
export type JoinRequestMethod = 'invite_link' | 'non_admin_add' | 'linked_group_join' | 'unknown';

/** Somebody who waits for an admin. */
export interface JoinRequest {
  who: Identity;
  /** The one of the two names by which the group goes. */
  name: Jid;
  method: JoinRequestMethod;
  /** Milliseconds; null when WhatsApp does not say. */
  requestedAt: number | null;
}

/** What became of one request of several that were decided. */
export interface DecidedJoin extends Identity {
  /** 200, or the code that WhatsApp refuses this one with. */
  code: number;
}

/** A refusal of the server is a `RequestRefused`. */
export interface SessionGroupJoining {
  /** What the code of a link leads to. Members are those that the server shows to strangers. */
  preview(code: string): Promise<GroupInfo>;
  previewInvitation(invitation: GroupInvitation): Promise<GroupInfo>;
  join(code: string): Promise<JoinOutcome>;
  accept(invitation: GroupInvitation): Promise<JoinOutcome>;
  /** Of a group that we are an admin of. */
  joinRequests(group: Jid): Promise<JoinRequest[]>;
  decideJoins(group: Jid, decision: 'approve' | 'reject', people: readonly Jid[]): Promise<DecidedJoin[]>;
}
