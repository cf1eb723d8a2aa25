import { toJid } from './address-book.ts';
import type { Group, GroupClient, GroupInfo, GroupInvitation, JoinRequest, MemberResult } from './groups.ts';
import { type MessageParts, PhoneMessages, type Recipient } from './phone-messages.ts';
import type { PhoneIdentity } from './sending.ts';

interface GroupParts extends MessageParts {
  readonly groups: GroupClient;
}

/** A group by its JID, or as `createGroup` gave it. */
type GroupReference = Pick<Group, 'jid'>;

/** What a phone does with groups. Each method resolves at the network's answer, and rejects on a refusal. */
export class PhoneGroups extends PhoneMessages {
  readonly #self: PhoneIdentity;
  readonly #groups: GroupClient;

  constructor(self: PhoneIdentity, parts: GroupParts) {
    super(self, parts);
    this.#self = self;
    this.#groups = parts.groups;
  }

  async createGroup(subject: string, members: readonly Recipient[]): Promise<Group> {
    return this.#groups.create(subject, members.map(jidOf));
  }

  /** A group that the phone is in. */
  async groupInfo(group: GroupReference): Promise<GroupInfo> {
    return this.#groups.info(group.jid);
  }

  /** Each is answered for: who was not added has the network's code, and perhaps an invitation to send. */
  async addToGroup(group: GroupReference, ...members: Recipient[]): Promise<MemberResult[]> {
    return this.#groups.change(group.jid, 'add', members.map(jidOf));
  }

  async removeFromGroup(group: GroupReference, ...members: Recipient[]): Promise<MemberResult[]> {
    return this.#groups.change(group.jid, 'remove', members.map(jidOf));
  }

  async promote(group: GroupReference, ...members: Recipient[]): Promise<MemberResult[]> {
    return this.#groups.change(group.jid, 'promote', members.map(jidOf));
  }

  async demote(group: GroupReference, ...members: Recipient[]): Promise<MemberResult[]> {
    return this.#groups.change(group.jid, 'demote', members.map(jidOf));
  }

  async setGroupSubject(group: GroupReference, subject: string): Promise<void> {
    await this.#groups.setSubject(group.jid, subject);
  }

  /** An empty text deletes the description. */
  async setGroupDescription(group: GroupReference, text: string): Promise<void> {
    await this.#groups.setDescription(group.jid, text);
  }

  /** `announcement`: only admins may send; `locked`: only admins may change the group. */
  async setGroupSetting(
    group: GroupReference,
    setting: 'announcement' | 'not_announcement' | 'locked' | 'unlocked',
  ): Promise<void> {
    await this.#groups.command(group.jid, setting);
  }

  /** Seconds until messages disappear; 0 switches it off. */
  async setGroupEphemeral(group: GroupReference, seconds: number): Promise<void> {
    if (seconds > 0) await this.#groups.command(group.jid, 'ephemeral', { expiration: String(seconds) });
    else await this.#groups.command(group.jid, 'not_ephemeral');
  }

  async setGroupApproval(group: GroupReference, on: boolean): Promise<void> {
    const state = on ? 'on' : 'off';
    const content = [{ tag: 'group_join', attrs: { state } }];
    await this.#groups.command(group.jid, 'membership_approval_mode', {}, content);
  }

  async setGroupAddMode(group: GroupReference, mode: 'admin_add' | 'all_member_add'): Promise<void> {
    await this.#groups.command(group.jid, 'member_add_mode', {}, Buffer.from(mode));
  }

  /** The code of the group's invite link. */
  async groupInvite(group: GroupReference): Promise<string> {
    return this.#groups.inviteCode(group.jid, 'get');
  }

  /** Makes a new invite link and returns its code; the old one is void. */
  async resetGroupInvite(group: GroupReference): Promise<string> {
    return this.#groups.inviteCode(group.jid, 'set');
  }

  /** What the code of an invite link leads to. */
  async previewGroup(code: string): Promise<GroupInfo> {
    return this.#groups.preview(code);
  }

  /** Joins by the code of an invite link; `pending` when the admins have to decide first. */
  async joinGroup(code: string): Promise<{ pending: boolean }> {
    return this.#groups.join(code);
  }

  /** Joins by what a group-invite message says. */
  async acceptGroupInvitation(invitation: GroupInvitation): Promise<void> {
    await this.#groups.accept(invitation);
  }

  async revokeGroupInvitation(group: GroupReference, ...members: Recipient[]): Promise<MemberResult[]> {
    return this.#groups.takeBack(group.jid, 'revoke', members.map(jidOf));
  }

  /** Who waits to be let in. */
  async joinRequests(group: GroupReference): Promise<JoinRequest[]> {
    return this.#groups.requests(group.jid);
  }

  async approveJoins(group: GroupReference, ...members: Recipient[]): Promise<MemberResult[]> {
    return this.#groups.decide(group.jid, 'approve', members.map(jidOf));
  }

  async rejectJoins(group: GroupReference, ...members: Recipient[]): Promise<MemberResult[]> {
    return this.#groups.decide(group.jid, 'reject', members.map(jidOf));
  }

  /** Takes back what this phone asked for by `joinGroup`. */
  async cancelJoin(group: GroupReference): Promise<void> {
    await this.#groups.takeBack(group.jid, 'cancel_membership_requests', [this.#self.jid]);
  }

  /** A community: a group that others are linked to, with one for its announcements. */
  async createCommunity(subject: string, members: readonly Recipient[] = []): Promise<Group> {
    return this.#groups.create(subject, members.map(jidOf), [
      { tag: 'parent', attrs: { default_membership_approval_mode: 'request_required' } },
    ]);
  }

  /** A new group within a community. */
  async createGroupIn(
    community: GroupReference,
    subject: string,
    members: readonly Recipient[] = [],
  ): Promise<Group> {
    const parent = { tag: 'linked_parent', attrs: { jid: community.jid } };
    return this.#groups.create(subject, members.map(jidOf), [parent]);
  }

  /** Links groups to a community; the codes of those that were refused, by JID. */
  async linkGroups(community: GroupReference, ...groups: GroupReference[]): Promise<Map<string, number>> {
    return this.#groups.link(
      community.jid,
      groups.map(({ jid }) => jid),
    );
  }

  async unlinkGroup(community: GroupReference, group: GroupReference): Promise<void> {
    await this.#groups.unlink(community.jid, group.jid);
  }

  /** The JIDs of a community's groups, that of its announcements too. */
  async linkedGroups(community: GroupReference): Promise<string[]> {
    return this.#groups.linked(community.jid);
  }

  async leaveGroup(group: GroupReference): Promise<void> {
    await this.#groups.leave(group.jid);
  }
}

function jidOf(target: Recipient): string {
  return toJid(typeof target === 'string' ? target : target.jid);
}
