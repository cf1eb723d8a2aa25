import type { BinaryNode } from 'baileys';
import type { Group, GroupParticipant } from '../groups/group.ts';
import { groupStanza } from '../groups/metadata.ts';
import { childNamed, childrenNamed, childrenOf, stanza } from '../wire/stanza.ts';
import {
  BAD_REQUEST,
  FORBIDDEN,
  type IqAnswer,
  type IqHandler,
  type IqRequest,
  NOT_AUTHORIZED,
  NOT_FOUND,
  NOT_IMPLEMENTED,
} from './answer.ts';
import { linkedParticipants, linkGroups, subGroups, unlinkGroups } from './communities.ts';
import { createGroup } from './group-creation.ts';
import {
  acceptInvitation,
  byInvite,
  cancelJoins,
  decideJoins,
  joinRequests,
  lookAtInvitation,
  revokeInvitations,
} from './group-joining.ts';
import { changeParticipants } from './group-participants.ts';
import { changeSetting } from './group-settings.ts';

/** `w:g2`: `to` is the group, or `@g.us` when there is none yet (whatsmeow group.go, Baileys groups.js). */
const groups: IqHandler = (request) => {
  const { network, sender, iq } = request;
  const command = childrenOf(iq)[0];
  if (!command) return { error: BAD_REQUEST };
  const target = iq.attrs.to ?? '';
  if (target === '@g.us' || target === 'g.us') return withoutGroup(request, command);
  const group = network.groups.get(target);
  if (!group) return { error: NOT_FOUND };
  const isQuery = iq.attrs.type === 'get';
  const member = group.participants.get(sender.account.user);
  if (!member)
    return isQuery ? seenFromOutside(request, group, command) : ofOutsider(request, group, command);
  const refusal = refusalOf(group, member, command, isQuery);
  if (refusal) return { error: refusal };
  return isQuery ? query(request, group, command) : change(request, group, command);
};

export const groupHandlers: ReadonlyArray<readonly [string, IqHandler]> = [['w:g2', groups]];

const ADMIN_ONLY = new Set([
  'remove',
  'promote',
  'demote',
  'announcement',
  'not_announcement',
  'locked',
  'unlocked',
  'member_add_mode',
  'membership_approval_mode',
  'membership_approval_requests',
  'membership_requests_action',
  'revoke',
  'links',
  'unlink',
]);
/** What members do in a group that only admins edit: adding has a setting of its own. */
const OPEN_WHEN_LOCKED = new Set(['add', 'accept', 'cancel_membership_requests']);

/** What keeps a member from it; the link of a group has a code of its own (whatsmeow group.go GetGroupInviteLink). */
function refusalOf(
  group: Group,
  { role }: GroupParticipant,
  { tag }: BinaryNode,
  isQuery: boolean,
): IqAnswer['error'] {
  if (role) return undefined;
  if (tag === 'invite') return NOT_AUTHORIZED;
  if (ADMIN_ONLY.has(tag)) return FORBIDDEN;
  if (isQuery) return undefined;
  if (tag === 'add') return group.memberAddMode === 'admin_add' ? FORBIDDEN : undefined;
  return group.locked && !OPEN_WHEN_LOCKED.has(tag) ? FORBIDDEN : undefined;
}

function withoutGroup(request: IqRequest, command: BinaryNode): IqAnswer {
  const { network, sender } = request;
  switch (command.tag) {
    case 'create':
      return createGroup(request, command);
    case 'participating': {
      const list = [...network.groups.of(sender.account)].map(groupStanza);
      return { content: [stanza('groups', {}, list)] };
    }
    case 'leave':
      return leave(request, command);
    case 'invite':
      return byInvite(request, command);
    default:
      return { error: NOT_IMPLEMENTED };
  }
}

/** Who leaves a community leaves its groups as well, as the apps say before it. */
function leave({ network, sender }: IqRequest, command: BinaryNode): IqAnswer {
  const { account } = sender;
  const left: Group[] = [];
  const results = childrenNamed(command, 'group').map(({ attrs }) => {
    const group = network.groups.get(attrs.id ?? '');
    if (!group?.participants.has(account.user)) {
      return stanza('group', { id: attrs.id, error: String(NOT_FOUND.code) });
    }
    left.push(group, ...(group.community ? network.groups.linkedTo(group) : []));
    return stanza('group', { id: group.jid });
  });
  return {
    content: [stanza('leave', {}, results)],
    after: () => {
      for (const group of left) network.groups.remove(group, account, account);
    },
  };
}

function seenFromOutside(request: IqRequest, group: Group, command: BinaryNode): IqAnswer {
  const invited = command.tag === 'query' && childNamed(command, 'add_request');
  return invited ? lookAtInvitation(request, group, command) : { error: FORBIDDEN };
}

function ofOutsider(request: IqRequest, group: Group, command: BinaryNode): IqAnswer {
  if (command.tag === 'accept') return acceptInvitation(request, group, command);
  if (command.tag === 'cancel_membership_requests') return cancelJoins(request, group, command);
  return { error: FORBIDDEN };
}

function query(request: IqRequest, group: Group, command: BinaryNode): IqAnswer {
  switch (command.tag) {
    case 'query':
      return { content: [groupStanza(group)] };
    case 'invite':
      return { content: [stanza('invite', { code: group.inviteCode })] };
    case 'membership_approval_requests':
      return joinRequests(group);
    case 'sub_groups':
      return subGroups(request, group);
    case 'linked_groups_participants':
      return linkedParticipants(request, group);
    default:
      return { error: NOT_IMPLEMENTED };
  }
}

function change(request: IqRequest, group: Group, command: BinaryNode): IqAnswer {
  const { network, sender } = request;
  const setting = changeSetting(request, group, command);
  if (setting) return setting;
  switch (command.tag) {
    case 'add':
    case 'remove':
    case 'promote':
    case 'demote':
      return changeParticipants(request, group, command);
    case 'invite': {
      const code = { code: network.groups.resetInviteCode(group) };
      return {
        content: [stanza('invite', code)],
        after: () => network.groups.notify(group, sender.account, { tag: 'invite', attrs: code }),
      };
    }
    case 'accept':
      return acceptInvitation(request, group, command);
    case 'revoke':
      return revokeInvitations(request, group, command);
    case 'membership_requests_action':
      return decideJoins(request, group, command);
    case 'cancel_membership_requests':
      return cancelJoins(request, group, command);
    case 'links':
      return linkGroups(request, group, command);
    case 'unlink':
      return unlinkGroups(request, group, command);
    default:
      return { error: NOT_IMPLEMENTED };
  }
}
