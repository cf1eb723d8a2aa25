/** Making groups and changing what they are. Each change is told by WhatsApp, and what is kept follows at once. */
import type { Clock } from '../clock.ts';
import { invalidField } from '../errors.ts';
import { sameIdentity } from '../identity/jid.ts';
import { type CreationAttempt, madeOnce } from '../sending/creations.ts';
import type { Caller } from '../tenancy/caller.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type {
  GroupChange,
  GroupInfo,
  MemberAddMode,
  MemberOutcome,
  NewGroup,
} from '../whatsapp/port/groups.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import type { GroupDevice, GroupWithMembers, StoredGroup } from './group.ts';
import { onGroup } from './group-answers.ts';
import type { GroupRefresh } from './group-refresh.ts';
import type { GroupStore } from './group-store.ts';
import { type GroupDevices, type GroupName, type Groups, groupJid } from './groups.ts';
import type { MemberResult } from './member-results.ts';
import { type MembersChanging, participantAddresses, resultOf } from './members-changing.ts';
import { reachGroup } from './reaching.ts';

/** Characters. Longer ones are refused by the server (406), which counts otherwise for emojis. */
const LONGEST_NAME = 100;
const LONGEST_DESCRIPTION = 2048;

export interface CreateGroup {
  deviceId: string | undefined;
  name: string;
  participants: readonly string[];
  announce?: boolean | undefined;
  locked?: boolean | undefined;
  joinApproval?: boolean | undefined;
  memberAddMode?: MemberAddMode | undefined;
  ephemeralSeconds?: number | undefined;
  /** A community. */
  community?: boolean | undefined;
  /** The community that it shall belong to. */
  parent?: string | undefined;
  sendInvite?: boolean | undefined;
  /** Of a request with an `Idempotency-Key`. */
  attempt?: CreationAttempt | undefined;
}

/** A group that was made, and those whom WhatsApp did not take in. */
export interface CreatedGroup extends GroupWithMembers {
  refused: MemberResult[];
}

export interface GroupChangingParts {
  devices: GroupDevices;
  refresh: GroupRefresh;
  groups: Groups;
  members: MembersChanging;
  store: Pick<GroupStore, 'list'>;
  clock: Clock;
}

export class GroupChanging {
  readonly #parts: GroupChangingParts;

  constructor(parts: GroupChangingParts) {
    this.#parts = parts;
  }

  async create(caller: Caller, request: CreateGroup): Promise<CreatedGroup> {
    const { devices, groups, members, refresh } = this.#parts;
    const device = await devices.resolve(caller, request.deviceId ?? request.attempt?.creation?.deviceId);
    const subject = checkedName(request.name);
    const addresses = participantAddresses(request.participants);
    const parent = request.parent === undefined ? null : groupJid(request.parent, 'options.parent_jid');
    const session = devices.session(device);
    const named = await members.people(session, device, addresses);
    const others = named.flatMap(({ who }) => (who && !sameIdentity(who, device) ? [who] : []));
    const asked = newGroup(request, subject, parent, others);
    const made = await onSession(() =>
      refresh.making(device, () => this.#madeOnce(request.attempt, device, session, asked)),
    );
    const { group, members: now } = await groups.get(caller, {
      deviceId: device.id,
      group: made.info.jid,
    });
    const refused = named
      .map((each) => resultOf('add', each, [...made.refused, ...taken(made.info.members)], now))
      .filter(({ refusal }) => refusal !== null);
    const told = request.sendInvite ? await members.invited(caller, { device, group }, refused) : refused;
    return { group, members: now, refused: told };
  }

  async #madeOnce(
    attempt: CreationAttempt | undefined,
    device: GroupDevice,
    session: WhatsAppSession,
    asked: NewGroup,
  ): Promise<{ info: GroupInfo; refused: MemberOutcome[] }> {
    const { store, clock } = this.#parts;
    const found = (info: GroupInfo) => ({ info, refused: [] });
    return madeOnce(attempt, device, {
      now: clock.now(),
      besides: async () => {
        const { groups } = await store.list(device, { includeLeft: true });
        return groups.filter((group) => group.subject === asked.subject).map(({ jid }) => jid);
      },
      make: () => session.groups.create(asked),
      find: async (jid) => found(await session.groups.info(jid)),
      alike: async () => (await session.groups.joined()).filter(looksLike(asked, device)).map(found),
      nameOf: ({ info }) => info.jid,
      createdAt: ({ info }) => info.createdAt,
    });
  }

  /** All of the changes, one after the other; what was done before one is refused stands, and the error tells it. */
  async change(caller: Caller, name: GroupName, changes: readonly GroupChange[]): Promise<StoredGroup> {
    const { groups, refresh } = this.#parts;
    const { device, session, group } = await reachGroup(this.#parts, caller, name);
    if (changes.length === 0) throw invalidField('body', 'names nothing that is to be changed');
    const checked = changes.map(checkedChange);
    const { jid } = group;
    let done = 0;
    try {
      for (const change of checked) {
        await onGroup(group, `to change ${change.name}`, () => session.groups.change(jid, change));
        done += 1;
      }
    } finally {
      if (done > 0) await refresh.afterChange(device, session, jid);
    }
    return (await groups.get(caller, { deviceId: device.id, group: jid })).group;
  }

  /** The invite link's code; `anew` makes the old link void. */
  async inviteCode(
    caller: Caller,
    name: GroupName,
    options: { anew: boolean },
  ): Promise<{ group: Jid; code: string }> {
    const { session, group } = await reachGroup(this.#parts, caller, name);
    const asked = (): Promise<string> => session.groups.inviteCode(group.jid, options);
    return { group: group.jid, code: await onGroup(group, 'the invite link', asked) };
  }

  /** Resolves with the JID of the group. */
  async leave(caller: Caller, name: GroupName): Promise<Jid> {
    const { device, session, group } = await reachGroup(this.#parts, caller, name);
    await onGroup(group, 'to let the account leave', () => session.groups.leave(group.jid));
    await this.#parts.refresh.left(device, group.jid);
    return group.jid;
  }
}

function newGroup(
  { announce, locked, joinApproval, memberAddMode, ephemeralSeconds, community }: CreateGroup,
  subject: string,
  parent: Jid | null,
  members: NewGroup['members'],
): NewGroup {
  return {
    subject,
    members,
    parent,
    announce: announce ?? false,
    locked: locked ?? false,
    joinApproval: joinApproval ?? false,
    memberAddMode: memberAddMode ?? 'all',
    ephemeralSeconds: ephemeralSeconds ?? 0,
    community: community ?? false,
  };
}

/** Made by the account, as it was asked for. */
function looksLike(
  { subject, community, parent }: NewGroup,
  account: Identity,
): (group: GroupInfo) => boolean {
  return (group) =>
    group.subject === subject &&
    group.community === community &&
    group.parent === parent &&
    group.owner !== null &&
    sameIdentity(group.owner, account);
}

function taken(members: NewGroup['members']) {
  return members.map(({ jid, lid }) => ({ jid, lid, code: 200, invite: null }));
}

function checkedChange(change: GroupChange): GroupChange {
  if (change.name === 'subject') return { ...change, value: checkedName(change.value) };
  if (change.name !== 'description' || change.value === null) return change;
  if (length(change.value) > LONGEST_DESCRIPTION) {
    throw invalidField('description', `must be at most ${LONGEST_DESCRIPTION} characters`);
  }
  return change.value.trim() === '' ? { ...change, value: null } : change;
}

function checkedName(name: string): string {
  const written = name.trim();
  if (written !== '' && length(written) <= LONGEST_NAME) return written;
  throw invalidField('name', `must be 1 to ${LONGEST_NAME} characters`);
}

function length(text: string): number {
  return [...text].length;
}
