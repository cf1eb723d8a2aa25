import { toJid } from './address-book.ts';
import type { Group, GroupClient } from './groups.ts';
import { type MessageParts, PhoneMessages, type Recipient } from './phone-messages.ts';
import type { PhoneIdentity } from './sending.ts';

interface GroupParts extends MessageParts {
  readonly groups: GroupClient;
}

/** A group by its JID, or as `createGroup` gave it. */
type GroupReference = Pick<Group, 'jid'>;

/** What a phone does with groups. Each method resolves at the network's answer, and rejects on a refusal. */
export class PhoneGroups extends PhoneMessages {
  readonly #groups: GroupClient;

  constructor(self: PhoneIdentity, parts: GroupParts) {
    super(self, parts);
    this.#groups = parts.groups;
  }

  async createGroup(subject: string, members: readonly Recipient[]): Promise<Group> {
    return this.#groups.create(subject, members.map(jidOf));
  }

  async addToGroup(group: GroupReference, ...members: Recipient[]): Promise<void> {
    await this.#groups.change(group.jid, 'add', members.map(jidOf));
  }

  async removeFromGroup(group: GroupReference, ...members: Recipient[]): Promise<void> {
    await this.#groups.change(group.jid, 'remove', members.map(jidOf));
  }

  async promote(group: GroupReference, ...members: Recipient[]): Promise<void> {
    await this.#groups.change(group.jid, 'promote', members.map(jidOf));
  }

  async demote(group: GroupReference, ...members: Recipient[]): Promise<void> {
    await this.#groups.change(group.jid, 'demote', members.map(jidOf));
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

  /** Makes a new invite link and returns its code; the old one is void. */
  async resetGroupInvite(group: GroupReference): Promise<string> {
    return this.#groups.resetInvite(group.jid);
  }

  /** Joins by the code of an invite link. */
  async joinGroup(code: string): Promise<void> {
    await this.#groups.join(code);
  }

  async leaveGroup(group: GroupReference): Promise<void> {
    await this.#groups.leave(group.jid);
  }
}

function jidOf(target: Recipient): string {
  return toJid(typeof target === 'string' ? target : target.jid);
}
