/** Communities of a caller's device, and the groups that are linked to them. */
import { AppError, type ErrorCode } from '../errors.ts';
import type { Caller } from '../tenancy/caller.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type { LinkedGroup } from '../whatsapp/port/communities.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import type { StoredGroup } from './group.ts';
import { GROUP_FAILURES, type GroupDevices, type GroupName, type Groups } from './groups.ts';
import { type ReachedGroup, reachGroup } from './reaching.ts';

/** How asking for a community, or changing one, can end. */
export const COMMUNITY_FAILURES = [...GROUP_FAILURES] as const satisfies readonly ErrorCode[];

export interface CommunitiesParts {
  devices: GroupDevices;
  groups: Groups;
}

export interface Community {
  community: StoredGroup;
  /** In WhatsApp's order, that for its announcements too. */
  linked: LinkedGroup[];
}

export class Communities {
  readonly #parts: CommunitiesParts;

  constructor(parts: CommunitiesParts) {
    this.#parts = parts;
  }

  /** Its groups are asked for: of those that the account is not in, nothing is told by itself. */
  async get(caller: Caller, name: GroupName): Promise<Community> {
    const { session, group: community } = await this.#reach(caller, name);
    return { community, linked: await onSession(() => session.communities.linkedGroups(community.jid)) };
  }

  /** Links the group `child` to the community, or takes it out. The account has to be in both. */
  async link(
    caller: Caller,
    name: GroupName,
    { child, linked }: { child: string; linked: boolean },
  ): Promise<{ community: Jid; group: Jid }> {
    const { device, session, group: community } = await this.#reach(caller, name);
    const { group } = await reachGroup(this.#parts, caller, { deviceId: device.id, group: child });
    await onSession(
      () =>
        linked
          ? session.communities.linkGroup(community.jid, group.jid)
          : session.communities.unlinkGroup(community.jid, group.jid),
      { message: `WhatsApp refused to ${linked ? 'link' : 'unlink'} the group` },
    );
    return { community: community.jid, group: group.jid };
  }

  /** NOT_FOUND for a group that is no community. */
  async #reach(caller: Caller, name: GroupName): Promise<ReachedGroup> {
    const reached = await reachGroup(this.#parts, caller, name);
    if (reached.group.community) return reached;
    throw new AppError('NOT_FOUND', { message: 'the group is no community: see GET /groups/{jid}' });
  }
}
