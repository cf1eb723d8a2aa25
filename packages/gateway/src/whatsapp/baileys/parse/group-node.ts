import type { GroupInfo, GroupMember, MemberAddMode } from '../../port/groups.ts';
import type { Identity, Jid } from '../../port/identity.ts';
import { type BinaryNode, getAllBinaryNodeChildren, getBinaryNodeChild } from '../library.ts';
import { identity, type LidDirectory } from './message-source.ts';
import { countOf, textIn } from './notices/stanza-fields.ts';
import { stampedTime } from './stamped-time.ts';

/**
 * `<group>`, as answers and the notification of a new group have it (whatsmeow group.go parseGroupNode). A setting
 * that is off has no child. The library's own reading of it leaves out `suspended` and what went wrong with a member.
 */
export async function groupInfo(node: BinaryNode, directory: LidDirectory): Promise<GroupInfo> {
  const { attrs } = node;
  const children = getAllBinaryNodeChildren(node);
  const child = (tag: string): BinaryNode | undefined => children.find((each) => each.tag === tag);
  const members = await membersIn(children, directory);
  const approval = child('membership_approval_mode');
  const { creator, creator_pn } = attrs;
  return {
    jid: groupJid(attrs.id ?? attrs.jid),
    subject: attrs.subject ?? '',
    description: textIn(getBinaryNodeChild(child('description'), 'body')),
    owner: creator ? await identity(creator, creator_pn, directory) : null,
    createdAt: stampedTime(attrs.creation),
    announce: child('announcement') !== undefined,
    locked: child('locked') !== undefined,
    joinApproval: approval !== undefined && getBinaryNodeChild(approval, 'group_join')?.attrs.state !== 'off',
    memberAddMode: memberAddMode(textIn(child('member_add_mode'))),
    ephemeralSeconds: countOf(child('ephemeral')?.attrs.expiration),
    community: child('parent') !== undefined,
    parent: groupJid(child('linked_parent')?.attrs.jid) || null,
    communityAnnouncements: child('default_sub_group') !== undefined,
    suspended: child('suspended') !== undefined,
    size: countOf(attrs.size) || members.length,
    members,
  };
}

/** A group that says nothing is one in which admins alone add (Baileys groups.js extractGroupMetadata). */
export function memberAddMode(word: string | boolean | number | null): MemberAddMode {
  return word === 'all_member_add' ? 'all' : 'admin';
}

/** The JID of a group that is named by its id alone; empty without one. */
export function groupJid(id: string | undefined): Jid {
  if (!id) return '';
  return id.includes('@') ? id : `${id}@g.us`;
}

/** A member with both names: `phone_number` stands beside a LID, `lid` beside a phone number. */
async function groupMember({ attrs }: BinaryNode, directory: LidDirectory): Promise<GroupMember> {
  const { type } = attrs;
  return {
    ...(await memberNames(attrs, directory)),
    admin: type === 'admin' || type === 'superadmin',
    superAdmin: type === 'superadmin',
  };
}

/** The names in a `<participant>`. */
export function memberNames(attrs: BinaryNode['attrs'], directory: LidDirectory): Promise<Identity> {
  return identity(attrs.jid ?? '', attrs.phone_number ?? attrs.lid, directory);
}

function membersIn(children: readonly BinaryNode[], directory: LidDirectory): Promise<GroupMember[]> {
  const named = children.filter(({ tag, attrs }) => tag === 'participant' && attrs.jid && !attrs.error);
  return Promise.all(named.map((each) => groupMember(each, directory)));
}
