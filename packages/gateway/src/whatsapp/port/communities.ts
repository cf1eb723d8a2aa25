/** Communities: groups that others are linked to. They are groups in everything else. */
import type { Jid } from './identity.ts';

/** A group of a community, as the community tells of it. */
export interface LinkedGroup {
  jid: Jid;
  subject: string;
  /** Members; null when WhatsApp does not say. */
  size: number | null;
  /** The one in which the admins of the community write to everybody. */
  announcements: boolean;
}

/** A refusal of the server is a `RequestRefused`. */
export interface SessionCommunities {
  linkedGroups(community: Jid): Promise<LinkedGroup[]>;
  linkGroup(community: Jid, group: Jid): Promise<void>;
  unlinkGroup(community: Jid, group: Jid): Promise<void>;
}
