import type { BinaryNode } from 'baileys';
import { namesIn } from '../groups/admission.ts';
import type { Group, RequestMethod } from '../groups/group.ts';
import { groupStanza } from '../groups/metadata.ts';
import { participantStanza } from '../groups/notifications.ts';
import type { Account } from '../state/directory.ts';
import { childNamed, childrenNamed, childrenOf, stanza } from '../wire/stanza.ts';
import {
  BAD_REQUEST,
  CONFLICT,
  GONE,
  type IqAnswer,
  type IqRequest,
  NOT_ACCEPTABLE,
  NOT_AUTHORIZED,
  NOT_FOUND,
  RESOURCE_LIMIT,
} from './answer.ts';

/**
 * `<invite code>` to `@g.us`: what the link leads to, or joining by it. Where admins approve who joins, the
 * answer is `<membership_approval_request>` and they decide (whatsmeow group.go JoinGroupWithLink). A link that
 * was made anew is 410, one that never was 406 (whatsmeow GetGroupInfoFromLink); who was put out gets 401, a
 * member 409, and 419 comes of a full group (WhatsApp Web getGroupInviteAcceptErrorStr).
 */
export function byInvite(request: IqRequest, command: BinaryNode): IqAnswer {
  const { network, sender, iq } = request;
  const group = network.groups.byInviteCode(command.attrs.code ?? '');
  if (group === 'retired') return { error: GONE };
  if (!group) return { error: NOT_ACCEPTABLE };
  if (iq.attrs.type === 'get') return { content: [groupStanza(group)] };
  const { account } = sender;
  const error = refusalToJoin(group, account);
  if (error) return { error };
  if (!group.approveJoins) {
    return {
      content: [stanza('group', { jid: group.jid })],
      after: () => network.groups.add(group, account, account, 'invite'),
    };
  }
  const isNew = askToJoin(group, account, 'invite_link');
  return {
    content: [stanza('membership_approval_request', { jid: group.jid, state: 'created' })],
    after: () => tellOfRequests(request, group, isNew ? [account] : [], 'invite_link'),
  };
}

function refusalToJoin(group: Group, account: Account): IqAnswer['error'] {
  if (group.participants.has(account.user)) return CONFLICT;
  if (group.removed.has(account.user)) return NOT_AUTHORIZED;
  return group.participants.size >= group.memberLimit ? RESOURCE_LIMIT : undefined;
}

/**
 * `<accept code expiration admin>` to the group: joining by an invitation that was sent as a message (whatsmeow
 * group.go JoinGroupWithInvite; Baileys groups.js groupAcceptInviteV4). It is for one person, and used once.
 */
export function acceptInvitation(
  { network, sender }: IqRequest,
  group: Group,
  command: BinaryNode,
): IqAnswer {
  const { account } = sender;
  if (group.participants.has(account.user)) return { error: CONFLICT };
  const error = refusalOfInvitation({ network, sender }, group, command);
  if (error) return { error };
  if (group.participants.size >= group.memberLimit) return { error: RESOURCE_LIMIT };
  const admin = group.invitations.get(account.user)?.admin ?? account;
  return { after: () => network.groups.add(group, account, admin, 'invite') };
}

/** `<query><add_request code expiration admin/></query>`: what an invitation leads to (GetGroupInfoFromInvite). */
export function lookAtInvitation(request: IqRequest, group: Group, command: BinaryNode): IqAnswer {
  const asked = childNamed(command, 'add_request');
  const error = asked ? refusalOfInvitation(request, group, asked) : BAD_REQUEST;
  return error ? { error } : { content: [groupStanza(group)] };
}

function refusalOfInvitation(
  { network, sender }: Pick<IqRequest, 'network' | 'sender'>,
  group: Group,
  { attrs }: BinaryNode,
): IqAnswer['error'] {
  const invitation = group.invitations.get(sender.account.user);
  if (!invitation || invitation.code !== attrs.code) return NOT_ACCEPTABLE;
  if (network.directory.resolve(attrs.admin) !== invitation.admin) return NOT_ACCEPTABLE;
  if (String(invitation.expiration) !== attrs.expiration) return NOT_ACCEPTABLE;
  return invitation.expiration * 1000 <= Date.now() ? GONE : undefined;
}

/** `<revoke><participant jid/></revoke>`: takes an invitation back (Baileys groups.js groupRevokeInviteV4). */
export function revokeInvitations({ network }: IqRequest, group: Group, command: BinaryNode): IqAnswer {
  const results = childrenNamed(command, 'participant').map(({ attrs }) => {
    const account = network.directory.resolve(attrs.jid);
    const known = account !== undefined && group.invitations.delete(account.user);
    return stanza('participant', { jid: attrs.jid, error: known ? undefined : String(NOT_FOUND.code) });
  });
  return { content: [stanza('revoke', {}, results)] };
}

/** Notes that somebody wants to be in the group; false when that is known. */
export function askToJoin(group: Group, account: Account, method: RequestMethod): boolean {
  if (group.joinRequests.has(account.user)) return false;
  group.joinRequests.set(account.user, { account, at: Math.floor(Date.now() / 1000), method });
  return true;
}

/**
 * Tells the admins of those who ask. They are `<requested_user>` and no participants (whatsapp-rust wacore
 * stanza/groups.rs); clients that look for a participant find the one who acted (Baileys messages-recv.js).
 */
export function tellOfRequests(
  { network, sender }: IqRequest,
  group: Group,
  accounts: readonly Account[],
  method: RequestMethod,
): void {
  if (accounts.length === 0) return;
  network.groups.notifyAdmins(group, sender.account, {
    tag: 'created_membership_requests',
    attrs: { request_method: method },
    content: accounts.map((account) => stanza('requested_user', namesIn(group, account))),
  });
}

/** `<membership_approval_requests/>`: who waits to be let in. */
export function joinRequests(group: Group): IqAnswer {
  const waiting = [...group.joinRequests.values()].map(({ account, at, method }) =>
    stanza('membership_approval_request', {
      ...namesIn(group, account),
      request_time: String(at),
      request_method: method,
    }),
  );
  return { content: [stanza('membership_approval_requests', {}, waiting)] };
}

/** `<membership_requests_action><approve|reject><participant jid/>…`: each is answered for itself. */
export function decideJoins(request: IqRequest, group: Group, command: BinaryNode): IqAnswer {
  const { network, sender } = request;
  const decision = childrenOf(command)[0];
  if (decision?.tag !== 'approve' && decision?.tag !== 'reject') return { error: BAD_REQUEST };
  const decided: Account[] = [];
  const results = childrenNamed(decision, 'participant').map(({ attrs }) => {
    const account = network.directory.resolve(attrs.jid);
    if (!account || !group.joinRequests.has(account.user)) {
      return stanza('participant', { jid: attrs.jid, error: String(NOT_FOUND.code) });
    }
    const full = group.participants.size + decided.length >= group.memberLimit;
    if (decision.tag === 'approve' && full) {
      return stanza('participant', { ...namesIn(group, account), error: String(RESOURCE_LIMIT.code) });
    }
    group.joinRequests.delete(account.user);
    decided.push(account);
    return participantStanza(group, account);
  });
  return {
    content: [stanza('membership_requests_action', {}, [stanza(decision.tag, {}, results)])],
    after: () => {
      if (decision.tag === 'reject') tellOfRevoked(request, group, decided);
      else for (const account of decided) network.groups.add(group, account, sender.account, 'invite');
    },
  };
}

/** `<cancel_membership_requests><participant jid/>`: somebody does not want to any more (WhatsApp Web's request of that name). */
export function cancelJoins(request: IqRequest, group: Group, command: BinaryNode): IqAnswer {
  const { network, sender } = request;
  const cancelled: Account[] = [];
  const results = childrenNamed(command, 'participant').map(({ attrs }) => {
    const account = network.directory.resolve(attrs.jid);
    const own = account === sender.account;
    if (!account || (own && !group.joinRequests.delete(account.user))) {
      return stanza('participant', { jid: attrs.jid, error: String(NOT_FOUND.code) });
    }
    if (!own) return stanza('participant', { jid: attrs.jid, error: String(NOT_AUTHORIZED.code) });
    cancelled.push(account);
    return stanza('participant', namesIn(group, account));
  });
  return {
    content: [stanza('cancel_membership_requests', {}, results)],
    after: () => tellOfRevoked(request, group, cancelled),
  };
}

/** By the one who asked it was taken back, by another one refused (Baileys messages-recv.js). */
function tellOfRevoked({ network, sender }: IqRequest, group: Group, accounts: readonly Account[]): void {
  if (accounts.length === 0) return;
  network.groups.notifyAdmins(group, sender.account, {
    tag: 'revoked_membership_requests',
    content: accounts.map((account) => stanza('participant', namesIn(group, account))),
  });
}
