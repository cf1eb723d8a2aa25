import type { BinaryNode } from 'baileys';
import type { Group } from '../groups/group.ts';
import { newInviteCode, newVersion } from '../groups/groups.ts';
import { groupStanza } from '../groups/metadata.ts';
import { participantStanza } from '../groups/notifications.ts';
import type { Account } from '../state/directory.ts';
import { childNamed, childrenNamed, childrenOf, stanza, textOf } from '../wire/stanza.ts';
import {
  BAD_REQUEST,
  FORBIDDEN,
  type IqAnswer,
  type IqHandler,
  type IqRequest,
  NOT_FOUND,
  NOT_IMPLEMENTED,
  UNKNOWN_NUMBER,
} from './answer.ts';
import { linkedParticipants, linkGroups, subGroups, unlinkGroups } from './communities.ts';
import { createGroup } from './group-creation.ts';
import { byInvite, decideJoins, joinRequests } from './group-joining.ts';

/** `error` of a participant in an answer: who is in the group already. */
const ALREADY_MEMBER = '409';

/** `w:g2`: `to` is the group, or `@g.us` when there is none yet (whatsmeow group.go, Baileys groups.js). */
const groups: IqHandler = (request) => {
  const { network, sender, iq } = request;
  const command = childrenOf(iq)[0];
  if (!command) return { error: BAD_REQUEST };
  const target = iq.attrs.to ?? '';
  if (target === '@g.us' || target === 'g.us') return withoutGroup(request, command);
  const group = network.groups.get(target);
  if (!group) return { error: NOT_FOUND };
  const member = group.participants.get(sender.account.user);
  if (!member) return { error: FORBIDDEN };
  if (iq.attrs.type === 'get') return query(request, group, command);
  const restricted = ADMIN_ONLY.has(command.tag) || (group.locked && !OPEN_WHEN_LOCKED.has(command.tag));
  if (restricted && !member.role) return { error: FORBIDDEN };
  return change(request, group, command);
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
  'invite',
  'member_add_mode',
  'membership_approval_mode',
  'membership_requests_action',
  'links',
  'unlink',
]);
const OPEN_WHEN_LOCKED = new Set(['add', 'leave']);

function withoutGroup(request: IqRequest, command: BinaryNode): IqAnswer {
  const { network, sender } = request;
  switch (command.tag) {
    case 'create':
      return createGroup(request, command);
    case 'participating': {
      const list = [...network.groups.of(sender.account)].map(groupStanza);
      return { content: [stanza('groups', {}, list)] };
    }
    case 'leave': {
      const left = childrenNamed(command, 'group').flatMap(({ attrs }) => {
        const group = network.groups.get(attrs.id ?? '');
        return group?.participants.has(sender.account.user) ? [group] : [];
      });
      return {
        content: [
          stanza(
            'leave',
            {},
            left.map(({ jid }) => stanza('group', { id: jid })),
          ),
        ],
        after: () => {
          for (const group of left) network.groups.remove(group, sender.account, sender.account);
        },
      };
    }
    case 'invite':
      return byInvite(request, command);
    default:
      return { error: NOT_IMPLEMENTED };
  }
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
  const actor = sender.account;
  const announce = (after: () => void): IqAnswer => ({
    after: () => {
      after();
      group.announceVersion = newVersion();
      const attrs = { ...command.attrs, v_id: group.announceVersion };
      network.groups.notify(group, actor, { tag: command.tag, attrs });
    },
  });
  switch (command.tag) {
    case 'add':
    case 'remove':
    case 'promote':
    case 'demote':
      return changeParticipants(request, group, command);
    case 'subject': {
      const subject = textOf(command);
      if (!subject) return { error: BAD_REQUEST };
      return { after: () => network.groups.setSubject(group, subject, actor) };
    }
    case 'description':
      return describe(request, group, command);
    case 'announcement':
    case 'not_announcement':
      return announce(() => {
        group.announce = command.tag === 'announcement';
      });
    case 'locked':
    case 'unlocked':
      return announce(() => {
        group.locked = command.tag === 'locked';
      });
    case 'ephemeral':
    case 'not_ephemeral':
      return announce(() => {
        group.ephemeral = command.tag === 'ephemeral' ? Number(command.attrs.expiration ?? 0) : 0;
      });
    case 'member_add_mode':
    case 'membership_approval_mode':
      return {
        after: () => {
          if (command.tag === 'member_add_mode') {
            group.memberAddMode = textOf(command) === 'admin_add' ? 'admin_add' : 'all_member_add';
          } else {
            group.approveJoins = childNamed(command, 'group_join')?.attrs.state === 'on';
          }
          network.groups.notify(group, actor, command);
        },
      };
    case 'invite': {
      group.inviteCode = newInviteCode();
      const code = { code: group.inviteCode };
      return {
        content: [stanza('invite', code)],
        after: () => network.groups.notify(group, actor, { tag: 'invite', attrs: code }),
      };
    }
    case 'membership_requests_action':
      return decideJoins(request, group, command);
    case 'links':
      return linkGroups(request, group, command);
    case 'unlink':
      return unlinkGroups(request, group, command);
    default:
      return { error: NOT_IMPLEMENTED };
  }
}

/** Each participant is answered for itself, with an `error` where it did not work. */
function changeParticipants(request: IqRequest, group: Group, command: BinaryNode): IqAnswer {
  const { network, sender } = request;
  const actor = sender.account;
  const accepted: Account[] = [];
  const results = childrenNamed(command, 'participant').map(({ attrs }) => {
    const account = network.directory.resolve(attrs.jid);
    if (!account) return stanza('participant', { jid: attrs.jid, error: UNKNOWN_NUMBER });
    const isMember = group.participants.has(account.user);
    if (isMember === (command.tag === 'add')) {
      const error = isMember ? ALREADY_MEMBER : UNKNOWN_NUMBER;
      return stanza('participant', { jid: attrs.jid, error });
    }
    accepted.push(account);
    return participantStanza(group, account);
  });
  return {
    content: [stanza(command.tag, {}, results)],
    after: () => {
      for (const account of accepted) {
        if (command.tag === 'add') network.groups.add(group, account, actor);
        else if (command.tag === 'remove') network.groups.remove(group, account, actor);
        else network.groups.setRole(group, account, command.tag === 'promote' ? 'admin' : undefined, actor);
      }
    },
  };
}

function describe({ network, sender }: IqRequest, group: Group, command: BinaryNode): IqAnswer {
  const text = textOf(childNamed(command, 'body'));
  const id = command.attrs.id ?? network.delivery.nextId();
  const deleted = command.attrs.delete === 'true' || !text;
  return {
    after: () => {
      group.description = deleted
        ? undefined
        : { id, text, by: sender.account, at: Math.floor(Date.now() / 1000) };
      network.groups.notify(group, sender.account, {
        tag: 'description',
        attrs: { id },
        content: deleted ? [stanza('delete')] : [stanza('body', {}, Buffer.from(text, 'utf8'))],
      });
    },
  };
}
