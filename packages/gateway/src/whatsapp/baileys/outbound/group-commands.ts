/** Changes of groups as the stanzas that ask for them (whatsmeow group.go, Baileys groups.js). */
import type { GroupChange, MembersChange, NewGroup } from '../../port/groups.ts';
import type { Identity, Jid } from '../../port/identity.ts';
import type { BinaryNode } from '../library.ts';

/** Contact tokens by the name that a stanza gives the person: who wrote to us lets us add them. */
export type Tokens = ReadonlyMap<Jid, Uint8Array>;

/** `<create>` with everybody in it; `key` comes back in the notification of it. */
export function creation(group: NewGroup, key: string, tokens: Tokens): BinaryNode {
  const { ephemeralSeconds } = group;
  const content = [
    ...group.members.map((each) => participant(each, 'add', tokens)),
    addMode(group.memberAddMode),
    ...(group.community
      ? [{ tag: 'parent', attrs: { default_membership_approval_mode: 'request_required' } }]
      : []),
    ...(group.parent ? [{ tag: 'linked_parent', attrs: { jid: group.parent } }] : []),
    ...(group.locked ? [{ tag: 'locked', attrs: {} }] : []),
    ...(group.announce ? [{ tag: 'announcement', attrs: {} }] : []),
    { tag: 'ephemeral', attrs: { expiration: String(ephemeralSeconds) } },
    approvalMode(group.joinApproval),
  ];
  return { tag: 'create', attrs: { subject: group.subject, key }, content };
}

/** `linkedGroups`: in a community (Baileys communities.js communityParticipantsUpdate). */
export function membersCommand(
  change: MembersChange,
  people: readonly Identity[],
  { tokens, linkedGroups = false }: { tokens: Tokens; linkedGroups?: boolean | undefined },
): BinaryNode {
  const attrs: Record<string, string> = change === 'remove' && linkedGroups ? { linked_groups: 'true' } : {};
  return { tag: change, attrs, content: people.map((each) => participant(each, change, tokens)) };
}

/** How a stanza names a person: by LID where it is known, as current clients do. */
export function wireName({ jid, lid }: Identity): Jid {
  return lid ?? jid ?? '';
}

function participant(who: Identity, change: MembersChange, tokens: Tokens): BinaryNode {
  const jid = wireName(who);
  if (change !== 'add') return { tag: 'participant', attrs: { jid } };
  const token = tokens.get(jid);
  return {
    tag: 'participant',
    attrs: { jid, ...(who.lid && who.jid ? { phone_number: who.jid } : {}) },
    ...(token ? { content: [{ tag: 'privacy', attrs: {}, content: token }] } : {}),
  };
}

function addMode(mode: NewGroup['memberAddMode']): BinaryNode {
  const word = mode === 'admin' ? 'admin_add' : 'all_member_add';
  return { tag: 'member_add_mode', attrs: {}, content: Buffer.from(word) };
}

function approvalMode(on: boolean): BinaryNode {
  const content = [{ tag: 'group_join', attrs: { state: on ? 'on' : 'off' } }];
  return { tag: 'membership_approval_mode', attrs: {}, content };
}

/** All but the description, which has to name the one before it. */
export function settingCommand(change: Exclude<GroupChange, { name: 'description' }>): BinaryNode {
  switch (change.name) {
    case 'subject':
      return { tag: 'subject', attrs: {}, content: Buffer.from(change.value, 'utf8') };
    case 'announce':
      return { tag: change.value ? 'announcement' : 'not_announcement', attrs: {} };
    case 'locked':
      return { tag: change.value ? 'locked' : 'unlocked', attrs: {} };
    case 'joinApproval':
      return approvalMode(change.value);
    case 'memberAddMode':
      return addMode(change.value);
    case 'ephemeral':
      return change.value > 0
        ? { tag: 'ephemeral', attrs: { expiration: String(change.value) } }
        : { tag: 'not_ephemeral', attrs: {} };
  }
}

/** `prev` is the id of the description that it follows: the server refuses one that follows another (409). */
export function descriptionCommand(text: string | null, id: string, prev: string | undefined): BinaryNode {
  const attrs = { id, ...(prev ? { prev } : {}), ...(text ? {} : { delete: 'true' }) };
  if (!text) return { tag: 'description', attrs };
  return {
    tag: 'description',
    attrs,
    content: [{ tag: 'body', attrs: {}, content: Buffer.from(text, 'utf8') }],
  };
}
