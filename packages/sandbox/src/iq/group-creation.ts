import type { BinaryNode } from 'baileys';
import { invite, refusalToAdd, refusedStanza } from '../groups/admission.ts';
import type { Group, NewGroup } from '../groups/group.ts';
import { groupStanza } from '../groups/metadata.ts';
import type { Account } from '../state/directory.ts';
import { childNamed, childrenNamed, childrenOf, stanza, textOf } from '../wire/stanza.ts';
import {
  BAD_REQUEST,
  FORBIDDEN,
  type IqAnswer,
  type IqRequest,
  NOT_ACCEPTABLE,
  NOT_FOUND,
  UNKNOWN_NUMBER,
} from './answer.ts';
import { isSubject, timerOf } from './group-settings.ts';

/**
 * `<create>`: who cannot be added is left out and named with an error, as when members are added later. The answer
 * carries the metadata; the notification about it follows, to the creator's devices too. With `<parent>` it is a
 * community, whose group for announcements the server makes by itself, and one to talk in with
 * `<create_general_chat>` (whatsmeow group.go CreateGroup, Baileys communities.js communityCreate).
 */
export function createGroup({ network, sender }: IqRequest, command: BinaryNode): IqAnswer {
  const { subject, key } = command.attrs;
  if (!subject || timerIn(command) === undefined) return { error: BAD_REQUEST };
  if (!isSubject(subject)) return { error: NOT_ACCEPTABLE };
  const { groups } = network;
  const creator = sender.account;
  const parent = parentOf(groups.get.bind(groups), command);
  if (parent === 'missing') return { error: NOT_FOUND };
  if (parent && !mayMakeGroupIn(parent, creator)) return { error: FORBIDDEN };
  const made = { subject, creator, ...settingsIn(command), ...(parent ? { parent } : {}) };
  const unknown: BinaryNode[] = [];
  const named = childrenNamed(command, 'participant').flatMap(({ attrs }) => {
    const account = network.directory.resolve(attrs.jid);
    if (!account) unknown.push(stanza('participant', { jid: attrs.jid, error: UNKNOWN_NUMBER }));
    return account && account !== creator ? [account] : [];
  });
  // Nobody was refused by a group that is not there yet, so privacy and blocks are all that counts.
  const refusals = new Map(named.map((account) => [account, refusalToAdd(NOBODY_YET, account, creator)]));
  const participants = named.filter((account) => refusals.get(account) === undefined);
  const group = groups.create({ ...made, participants }, key);
  if (group.community) makeGroupsOf(groups, group, participants, command);
  const refused = named.flatMap((account) => {
    const refusal = refusals.get(account);
    if (refusal === undefined) return [];
    const invitation = refusal === 403 ? invite(group, account, creator) : undefined;
    return [refusedStanza(group, account, refusal, invitation)];
  });
  const node = groupStanza(group);
  return { content: [{ ...node, content: [...childrenOf(node), ...refused, ...unknown] }] };
}

const NOBODY_YET = {
  participants: new Map(),
  memberLimit: Number.POSITIVE_INFINITY,
  left: new Set<string>(),
};

function mayMakeGroupIn({ participants, community }: Group, account: Account): boolean {
  const member = participants.get(account.user);
  return member !== undefined && (member.role !== undefined || community?.membersCreateGroups === true);
}

function makeGroupsOf(
  groups: IqRequest['network']['groups'],
  parent: Group,
  participants: readonly Account[],
  command: BinaryNode,
): void {
  const { subject, creator } = parent;
  groups.create({ subject, creator, participants, announce: true, parent, defaultSubGroup: true });
  if (childNamed(command, 'create_general_chat')) {
    groups.create({ subject: 'General', creator, participants, parent });
  }
}

function timerIn(command: BinaryNode): number | undefined {
  return timerOf(childNamed(command, 'ephemeral')?.attrs.expiration);
}

function parentOf(
  find: (jid: string) => Group | undefined,
  command: BinaryNode,
): Group | 'missing' | undefined {
  const linked = childNamed(command, 'linked_parent');
  if (!linked) return undefined;
  const group = find(linked.attrs.jid ?? '');
  return group?.community ? group : 'missing';
}

/** The settings that come with a creation. */
function settingsIn(command: BinaryNode): Partial<NewGroup> {
  const description = childNamed(command, 'description');
  const text = textOf(childNamed(description, 'body'));
  const community = childNamed(command, 'parent');
  const approval = childNamed(childNamed(command, 'membership_approval_mode'), 'group_join');
  const addMode = textOf(childNamed(command, 'member_add_mode'));
  return {
    announce: childNamed(command, 'announcement') !== undefined,
    locked: childNamed(command, 'locked') !== undefined,
    ephemeral: timerIn(command) ?? 0,
    approveJoins: approval?.attrs.state === 'on',
    ...(addMode === 'admin_add' ? { memberAddMode: addMode } : {}),
    ...(description && text ? { description: { id: description.attrs.id ?? '', text } } : {}),
    ...(community
      ? {
          community: {
            defaultApprovalMode: community.attrs.default_membership_approval_mode ?? 'request_required',
            membersCreateGroups: childNamed(command, 'allow_non_admin_sub_group_creation') !== undefined,
          },
        }
      : {}),
  };
}
