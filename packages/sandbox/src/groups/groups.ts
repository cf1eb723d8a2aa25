import { randomBytes, randomInt } from 'node:crypto';
import type { Delivery } from '../delivery/delivery.ts';
import type { Account } from '../state/directory.ts';
import { parseJid } from '../state/jid.ts';
import type { Group, GroupRole, NewGroup } from './group.ts';
import { groupStanza } from './metadata.ts';
import { type GroupChange, notifyCreated, notifyGroup, participantStanza } from './notifications.ts';

/** What the apps allow since 2022, as their help says. */
const MEMBER_LIMIT = 1024;

/** The groups of the network. Every change notifies the members. */
export class Groups {
  readonly #delivery: Delivery;
  readonly #byId = new Map<string, Group>();
  readonly #byUser = new Map<string, Set<Group>>();

  constructor(delivery: Delivery) {
    this.#delivery = delivery;
  }

  /** Makes a group with its creator as super admin and tells all members' devices. */
  create(input: NewGroup, key?: string): Group {
    const now = Math.floor(Date.now() / 1000);
    // New group ids are 18 digits starting with 120363.
    const id = `120363${String(randomInt(0, 1_000_000_000_000)).padStart(12, '0')}`;
    const group: Group = {
      id,
      jid: `${id}@g.us`,
      creator: input.creator,
      createdAt: now,
      addressingMode: input.addressingMode ?? 'lid',
      participants: new Map(),
      subject: input.subject,
      subjectBy: input.creator,
      subjectAt: now,
      description: input.description && { ...input.description, by: input.creator, at: now },
      announce: input.announce ?? false,
      locked: input.locked ?? false,
      ephemeral: input.ephemeral ?? 0,
      memberAddMode: input.memberAddMode ?? 'all_member_add',
      approveJoins: input.approveJoins ?? false,
      joinRequests: new Map(),
      inviteCode: newInviteCode(),
      retiredCodes: new Set(),
      invitations: new Map(),
      removed: new Set(),
      left: new Set(),
      memberLimit: MEMBER_LIMIT,
      announceVersion: newVersion(),
      participantVersion: newVersion(),
      community: input.community,
      parent: input.parent,
      defaultSubGroup: input.defaultSubGroup ?? false,
      picture: undefined,
    };
    this.#byId.set(id, group);
    this.#join(group, input.creator, 'superadmin');
    for (const account of input.participants) this.#join(group, account, undefined);
    const members = [...group.participants.values()].map(({ account }) => account);
    notifyCreated(this.#delivery, group, {
      actor: input.creator,
      audience: members,
      attrs: { type: 'new', key },
    });
    for (const around of this.around(group)) {
      for (const account of members) this.add(around, account, input.creator, 'linked_group_join');
    }
    return group;
  }

  kept(): readonly Group[] {
    return [...this.#byId.values()];
  }

  /** Takes the groups of a network that has ended; nobody is told. */
  restore(groups: readonly Group[]): void {
    for (const group of groups) {
      this.#byId.set(group.id, group);
      for (const { account } of group.participants.values()) this.#belongs(group, account);
    }
  }

  /** By id (`120363…`) or JID. */
  get(idOrJid: string): Group | undefined {
    return this.#byId.get(parseJid(idOrJid)?.user ?? idOrJid);
  }

  /** The group whose link has the code; `retired` when it was made anew since. */
  byInviteCode(code: string): Group | 'retired' | undefined {
    for (const group of this.#byId.values()) {
      if (group.inviteCode === code) return group;
      if (group.retiredCodes.has(code)) return 'retired';
    }
    return undefined;
  }

  /** Makes the group's link anew. */
  resetInviteCode(group: Group): string {
    group.retiredCodes.add(group.inviteCode);
    group.inviteCode = newInviteCode();
    return group.inviteCode;
  }

  /** The groups an account is a member of. */
  of(account: Account): Iterable<Group> {
    return this.#byUser.get(account.user) ?? [];
  }

  /** Adds a member; false when it is one already. The newcomer is told of the group, the others of it. */
  add(group: Group, account: Account, actor: Account, reason?: string): boolean {
    if (group.participants.has(account.user)) return false;
    const before = [...group.participants.values()].map((member) => member.account);
    this.#join(group, account, undefined);
    for (const waiting of [group.joinRequests, group.invitations, group.removed, group.left]) {
      waiting.delete(account.user);
    }
    const change = {
      tag: 'add',
      attrs: { reason, ...newParticipantVersion(group) },
      content: [participantStanza(group, account)],
    };
    notifyGroup(this.#delivery, group, { actor, audience: before, change });
    const attrs = { reason: reason ?? 'invite' };
    notifyCreated(this.#delivery, group, { actor, audience: [account], attrs });
    for (const around of this.around(group)) this.add(around, account, actor, 'linked_group_join');
    return true;
  }

  /** Removes a member (or lets it leave, when it is the actor); false when it is none. */
  remove(group: Group, account: Account, actor: Account): boolean {
    if (!group.participants.has(account.user)) return false;
    const before = [...group.participants.values()].map((member) => member.account);
    group.participants.delete(account.user);
    (account === actor ? group.left : group.removed).add(account.user);
    this.#byUser.get(account.user)?.delete(group);
    const change = {
      tag: 'remove',
      attrs: newParticipantVersion(group),
      content: [participantStanza(group, account)],
    };
    notifyGroup(this.#delivery, group, { actor, audience: before, change });
    return true;
  }

  /** Gives or takes admin rights; false when the account is not a member. */
  setRole(group: Group, account: Account, role: GroupRole, actor: Account): boolean {
    const member = group.participants.get(account.user);
    if (!member) return false;
    member.role = role;
    this.notify(group, actor, {
      tag: role ? 'promote' : 'demote',
      attrs: newParticipantVersion(group),
      content: [participantStanza(group, account)],
    });
    return true;
  }

  /** A community and its announcements: who is in one of its groups, or in either of them, is in both. */
  around(group: Group): Group[] {
    const community = group.community ? group : group.parent;
    if (!community) return [];
    const both = [community, ...this.linkedTo(community).filter(({ defaultSubGroup }) => defaultSubGroup)];
    return both.filter((each) => each !== group);
  }

  /** The groups of a community. */
  linkedTo(community: Group): Group[] {
    return [...this.#byId.values()].filter(({ parent }) => parent === community);
  }

  setSubject(group: Group, subject: string, actor: Account): void {
    group.subject = subject;
    group.subjectBy = actor;
    group.subjectAt = Math.floor(Date.now() / 1000);
    const { s_t, s_o, s_o_pn } = groupStanza(group).attrs;
    this.notify(group, actor, { tag: 'subject', attrs: { subject, s_t, s_o, s_o_pn } });
  }

  /** Tells all members of a change. */
  notify(group: Group, actor: Account, change: GroupChange): void {
    const audience = [...group.participants.values()].map(({ account }) => account);
    notifyGroup(this.#delivery, group, { actor, audience, change });
  }

  /** Tells the admins alone. */
  notifyAdmins(group: Group, actor: Account, change: GroupChange): void {
    const admins = [...group.participants.values()].filter(({ role }) => role !== undefined);
    const audience = admins.map(({ account }) => account);
    notifyGroup(this.#delivery, group, { actor, audience, change });
  }

  #join(group: Group, account: Account, role: GroupRole): void {
    if (group.participants.has(account.user)) return;
    group.participants.set(account.user, { account, role });
    this.#belongs(group, account);
  }

  #belongs(group: Group, account: Account): void {
    const groups = this.#byUser.get(account.user);
    if (groups) groups.add(group);
    else this.#byUser.set(account.user, new Set([group]));
  }
}

/** The attributes of a change of members: the version before it and the one after. */
function newParticipantVersion(group: Group): { prev_v_id: string; v_id: string } {
  const before = group.participantVersion;
  group.participantVersion = newVersion();
  return { prev_v_id: before, v_id: group.participantVersion };
}

let versions = 0;

/** Microseconds on the real network; here they also never repeat. */
export function newVersion(): string {
  versions = Math.max(versions + 1, Date.now() * 1000);
  return String(versions);
}

/** A fresh code for an invite link. */
function newInviteCode(): string {
  return randomBytes(16).toString('base64url');
}
