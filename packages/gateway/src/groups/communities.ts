/** Communities of a caller's device, and the groups that are linked to them. */
import { AppError, type ErrorCode } from '../errors.ts';
import type { CreationAttempt } from '../sending/creations.ts';
import type { Caller } from '../tenancy/caller.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type { LinkedGroup } from '../whatsapp/port/communities.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import type { StoredGroup } from './group.ts';
import type { GroupChanging } from './group-changing.ts';
import { GROUP_FAILURES, type GroupDevices, type GroupName, type Groups } from './groups.ts';
import type { MemberResult } from './member-results.ts';
import type { MembersChangeRequest, MembersChanging } from './members-changing.ts';
import { type ReachedGroup, reachGroup } from './reaching.ts';

/** How asking for a community, or changing one, can end. */
export const COMMUNITY_FAILURES = [...GROUP_FAILURES] as const satisfies readonly ErrorCode[];

export interface CommunitiesParts {
  devices: GroupDevices;
  groups: Groups;
  changing: GroupChanging;
  members: MembersChanging;
}

export interface Community {
  community: StoredGroup;
  /** In WhatsApp's order, that for its announcements too. */
  linked: LinkedGroup[];
}

export interface MadeCommunity extends Community {
  /** Whom WhatsApp did not take in. */
  refused: MemberResult[];
}

export interface CreateCommunity {
  deviceId: string | undefined;
  name: string;
  participants: readonly string[];
  sendInvite?: boolean | undefined;
  /** Of a request with an `Idempotency-Key`. */
  attempt?: CreationAttempt | undefined;
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

  /** With the group for its announcements, which WhatsApp makes. */
  async create(caller: Caller, request: CreateCommunity): Promise<MadeCommunity> {
    const made = await this.#parts.changing.create(caller, { ...request, community: true });
    const { deviceId = request.attempt?.creation?.deviceId } = request;
    const told = await this.get(caller, { deviceId, group: made.group.jid });
    return { ...told, refused: made.refused };
  }

  /** Each person is told for itself. */
  async change(
    caller: Caller,
    request: MembersChangeRequest,
  ): Promise<{ community: Jid; results: MemberResult[] }> {
    const { group } = await this.#reach(caller, request);
    return { community: group.jid, results: await this.#parts.members.change(caller, request) };
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
