import type { BinaryNode } from 'baileys';
import { invite, refusalToAdd, refusedStanza } from '../groups/admission.ts';
import type { Group } from '../groups/group.ts';
import { participantStanza } from '../groups/notifications.ts';
import type { Account } from '../state/directory.ts';
import { childrenNamed, stanza } from '../wire/stanza.ts';
import { type IqAnswer, type IqRequest, UNKNOWN_NUMBER } from './answer.ts';
import { askToJoin, tellOfRequests } from './group-joining.ts';

/** `error` for the one who made the group: nobody puts them out or takes their rights. */
const IS_CREATOR = 406;
/** `error` where admins have to let in whom a member wants to add; with `<membership_approval_request/>`. */
const WAITS_FOR_ADMINS = 421;

type MemberChange = 'add' | 'remove' | 'promote' | 'demote';

/**
 * `<add|remove|promote|demote><participant jid/>…`: each is answered for itself, with an `error` where it did not
 * work (whatsmeow group.go UpdateGroupParticipants, parseParticipant).
 */
export function changeParticipants(request: IqRequest, group: Group, command: BinaryNode): IqAnswer {
  const tag = command.tag as MemberChange;
  const accepted: Account[] = [];
  const asked: Account[] = [];
  const results = childrenNamed(command, 'participant').map(({ attrs }) => {
    const account = request.network.directory.resolve(attrs.jid);
    if (!account) return stanza('participant', { jid: attrs.jid, error: UNKNOWN_NUMBER });
    return tag === 'add'
      ? added(request, group, account, { accepted, asked })
      : changed(group, account, tag, accepted);
  });
  return {
    content: [stanza(tag, {}, results)],
    after: () => {
      for (const account of accepted) apply(request, group, command, account);
      tellOfRequests(request, group, asked, 'non_admin_add');
    },
  };
}

function added(
  { sender }: IqRequest,
  group: Group,
  account: Account,
  { accepted, asked }: { accepted: Account[]; asked: Account[] },
): BinaryNode {
  const actor = sender.account;
  const isAdmin = group.participants.get(actor.user)?.role !== undefined;
  const full = group.participants.size + accepted.length >= group.memberLimit;
  const refusal = refusalToAdd(group, account, actor) ?? (full ? 419 : undefined);
  if (refusal !== undefined) {
    // An invitation is an admin's to give.
    const invitation = refusal === 403 && isAdmin ? invite(group, account, actor) : undefined;
    return refusedStanza(group, account, refusal, invitation);
  }
  if (!isAdmin && group.approveJoins) {
    if (askToJoin(group, account, 'non_admin_add')) asked.push(account);
    const waiting = refusedStanza(group, account, WAITS_FOR_ADMINS, undefined);
    return { ...waiting, content: [stanza('membership_approval_request')] };
  }
  accepted.push(account);
  return participantStanza(group, account);
}

function changed(group: Group, account: Account, tag: MemberChange, accepted: Account[]): BinaryNode {
  const member = group.participants.get(account.user);
  if (!member) return refusedStanza(group, account, Number(UNKNOWN_NUMBER), undefined);
  if (tag !== 'promote' && member.role === 'superadmin') {
    return refusedStanza(group, account, IS_CREATOR, undefined);
  }
  accepted.push(account);
  return participantStanza(group, account);
}

function apply({ network, sender }: IqRequest, group: Group, { tag, attrs }: BinaryNode, account: Account) {
  const actor = sender.account;
  if (tag === 'add') network.groups.add(group, account, actor);
  else if (tag === 'remove') {
    removeFrom(network.groups, group, { account, actor, everywhere: attrs.linked_groups === 'true' });
  } else if (tag === 'promote') {
    if (!group.participants.get(account.user)?.role) network.groups.setRole(group, account, 'admin', actor);
  } else network.groups.setRole(group, account, undefined, actor);
}

/** `linked_groups="true"` puts somebody out of all groups of the community (Baileys communities.js). */
function removeFrom(
  groups: IqRequest['network']['groups'],
  group: Group,
  { account, actor, everywhere }: { account: Account; actor: Account; everywhere: boolean },
): void {
  groups.remove(group, account, actor);
  if (!group.community) return;
  for (const linked of groups.linkedTo(group)) {
    if (linked.defaultSubGroup || everywhere) groups.remove(linked, account, actor);
  }
}
