import type { BinaryNode } from 'baileys';
import type { Group, NewGroup } from '../groups/group.ts';
import { groupStanza } from '../groups/metadata.ts';
import type { Account } from '../state/directory.ts';
import { childNamed, childrenNamed, childrenOf, stanza, textOf } from '../wire/stanza.ts';
import {
  BAD_REQUEST,
  FORBIDDEN,
  type IqAnswer,
  type IqRequest,
  NOT_FOUND,
  UNKNOWN_NUMBER,
} from './answer.ts';

/**
 * `<create>`: numbers that are not on WhatsApp are left out and named with an error. The answer carries the
 * metadata; the notification about it follows, to the creator's devices too. With `<parent>` it is a community,
 * whose group for announcements the server makes by itself (whatsmeow group.go CreateGroup, Baileys
 * communities.js communityCreate).
 */
export function createGroup({ network, sender }: IqRequest, command: BinaryNode): IqAnswer {
  const { subject, key } = command.attrs;
  if (!subject) return { error: BAD_REQUEST };
  const parent = parentOf(network.groups.get.bind(network.groups), command);
  if (parent === 'missing') return { error: NOT_FOUND };
  if (parent && !parent.participants.get(sender.account.user)?.role) return { error: FORBIDDEN };
  const accounts: Account[] = [];
  const refused: BinaryNode[] = [];
  for (const { attrs } of childrenNamed(command, 'participant')) {
    const account = network.directory.resolve(attrs.jid);
    if (account) accounts.push(account);
    else refused.push(stanza('participant', { jid: attrs.jid, error: UNKNOWN_NUMBER }));
  }
  const group = network.groups.create(
    {
      subject,
      creator: sender.account,
      participants: accounts,
      ...settingsIn(command),
      ...(parent ? { parent } : {}),
    },
    key,
  );
  if (group.community) {
    network.groups.create({
      subject,
      creator: sender.account,
      participants: accounts,
      announce: true,
      parent: group,
      defaultSubGroup: true,
    });
  }
  const node = groupStanza(group);
  return { content: [{ ...node, content: [...childrenOf(node), ...refused] }] };
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
  return {
    announce: childNamed(command, 'announcement') !== undefined,
    locked: childNamed(command, 'locked') !== undefined,
    ephemeral: Number(childNamed(command, 'ephemeral')?.attrs.expiration ?? 0),
    approveJoins: approval?.attrs.state === 'on',
    ...(description && text ? { description: { id: description.attrs.id ?? '', text } } : {}),
    ...(community
      ? {
          community: {
            defaultApprovalMode: community.attrs.default_membership_approval_mode ?? 'request_required',
          },
        }
      : {}),
  };
}
