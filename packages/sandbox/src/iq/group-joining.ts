import type { BinaryNode } from 'baileys';
import type { Group } from '../groups/group.ts';
import { groupStanza } from '../groups/metadata.ts';
import { participantStanza } from '../groups/notifications.ts';
import type { Account } from '../state/directory.ts';
import { jidIn } from '../state/jid.ts';
import { childrenNamed, childrenOf, stanza } from '../wire/stanza.ts';
import { BAD_REQUEST, CONFLICT, type IqAnswer, type IqRequest, NOT_FOUND } from './answer.ts';

/**
 * `<invite code>` to `@g.us`: what the link leads to, or joining by it. Where admins approve who joins, the
 * answer is `<membership_approval_request>` and they decide (whatsmeow group.go JoinGroupWithLink).
 */
export function byInvite({ network, sender, iq }: IqRequest, command: BinaryNode): IqAnswer {
  const group = network.groups.byInviteCode(command.attrs.code ?? '');
  if (!group) return { error: { code: 406, text: 'not-acceptable' } };
  if (iq.attrs.type === 'get') return { content: [groupStanza(group)] };
  const { account } = sender;
  if (group.participants.has(account.user)) return { error: CONFLICT };
  if (!group.approveJoins) {
    return {
      content: [stanza('group', { jid: group.jid })],
      after: () => network.groups.add(group, account, account, 'invite'),
    };
  }
  const asked = group.joinRequests.has(account.user);
  group.joinRequests.set(account.user, { account, at: Math.floor(Date.now() / 1000) });
  return {
    content: [stanza('membership_approval_request', { jid: group.jid, state: 'created' })],
    after: () => {
      if (asked) return;
      network.groups.notifyAdmins(group, account, {
        tag: 'created_membership_requests',
        attrs: { request_method: 'invite_link' },
        content: [participantStanza(group, account)],
      });
    },
  };
}

/** `<membership_approval_requests/>`: who waits to be let in. */
export function joinRequests(group: Group): IqAnswer {
  const waiting = [...group.joinRequests.values()].map(({ account, at }) =>
    stanza('membership_approval_request', {
      jid: jidIn(group.addressingMode, account),
      request_time: String(at),
      request_method: 'invite_link',
    }),
  );
  return { content: [stanza('membership_approval_requests', {}, waiting)] };
}

/** `<membership_requests_action><approve|reject><participant jid/>…`: each is answered for itself. */
export function decideJoins({ network, sender }: IqRequest, group: Group, command: BinaryNode): IqAnswer {
  const decision = childrenOf(command)[0];
  if (decision?.tag !== 'approve' && decision?.tag !== 'reject') return { error: BAD_REQUEST };
  const decided: Account[] = [];
  const results = childrenNamed(decision, 'participant').map(({ attrs }) => {
    const account = network.directory.resolve(attrs.jid);
    if (!account || !group.joinRequests.delete(account.user)) {
      return stanza('participant', { jid: attrs.jid, error: String(NOT_FOUND.code) });
    }
    decided.push(account);
    return participantStanza(group, account);
  });
  return {
    content: [stanza('membership_requests_action', {}, [stanza(decision.tag, {}, results)])],
    after: () => {
      for (const account of decided) {
        if (decision.tag === 'approve') network.groups.add(group, account, sender.account, 'invite');
        else {
          network.groups.notifyAdmins(group, sender.account, {
            tag: 'revoked_membership_requests',
            content: [participantStanza(group, account)],
          });
        }
      }
    },
  };
}
