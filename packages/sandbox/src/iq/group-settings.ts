import type { BinaryNode } from 'baileys';
import type { Group } from '../groups/group.ts';
import { newVersion } from '../groups/groups.ts';
import { childNamed, stanza, textOf } from '../wire/stanza.ts';
import { BAD_REQUEST, CONFLICT, type IqAnswer, type IqRequest, NOT_ACCEPTABLE } from './answer.ts';

/** Characters that the apps let people write; a longer subject is 406 (whatsmeow group.go ReqCreateGroup). */
const LONGEST_SUBJECT = 100;
const LONGEST_DESCRIPTION = 2048;
/** Seconds that the apps offer: a day, a week, 90 days (whatsmeow send.go DisappearingTimer24Hours and on). */
const TIMERS = new Set([0, 86_400, 604_800, 7_776_000]);

/** Whether a group may be called so. */
export function isSubject(subject: string): boolean {
  return [...subject].length <= LONGEST_SUBJECT;
}

/** A timer of a group in seconds; undefined for one that nobody can choose. */
export function timerOf(expiration: string | undefined): number | undefined {
  const seconds = Number(expiration ?? 0);
  return TIMERS.has(seconds) ? seconds : undefined;
}

/** The settings that are switched by an element of their own. */
const SWITCHES: ReadonlyMap<string, Partial<Pick<Group, 'announce' | 'locked' | 'ephemeral'>>> = new Map([
  ['announcement', { announce: true }],
  ['not_announcement', { announce: false }],
  ['locked', { locked: true }],
  ['unlocked', { locked: false }],
  ['not_ephemeral', { ephemeral: 0 }],
]);

/** What changes the group itself; undefined for a command that is none of these. */
export function changeSetting(request: IqRequest, group: Group, command: BinaryNode): IqAnswer | undefined {
  const { network, sender } = request;
  const actor = sender.account;
  const switched = SWITCHES.get(command.tag);
  if (switched) return announced(request, group, command, switched);
  switch (command.tag) {
    case 'subject': {
      const subject = textOf(command);
      if (!subject) return { error: BAD_REQUEST };
      if (!isSubject(subject)) return { error: NOT_ACCEPTABLE };
      return { after: () => network.groups.setSubject(group, subject, actor) };
    }
    case 'description':
      return describe(request, group, command);
    case 'ephemeral': {
      const seconds = timerOf(command.attrs.expiration);
      if (seconds === undefined) return { error: BAD_REQUEST };
      return announced(request, group, command, { ephemeral: seconds });
    }
    case 'member_add_mode': {
      const mode = textOf(command);
      if (mode !== 'admin_add' && mode !== 'all_member_add') return { error: BAD_REQUEST };
      return {
        after: () => {
          group.memberAddMode = mode;
          network.groups.notify(group, actor, command);
        },
      };
    }
    case 'membership_approval_mode': {
      const state = childNamed(command, 'group_join')?.attrs.state;
      if (state !== 'on' && state !== 'off') return { error: BAD_REQUEST };
      return {
        after: () => {
          group.approveJoins = state === 'on';
          network.groups.notify(group, actor, command);
        },
      };
    }
    default:
      return undefined;
  }
}

function announced(
  { network, sender }: IqRequest,
  group: Group,
  command: BinaryNode,
  change: Partial<Group>,
): IqAnswer {
  return {
    after: () => {
      Object.assign(group, change);
      group.announceVersion = newVersion();
      const attrs = { ...command.attrs, v_id: group.announceVersion };
      network.groups.notify(group, sender.account, { tag: command.tag, attrs });
    },
  };
}

/**
 * `prev` is the description that the change is made to: another one by now is a conflict (whatsmeow group.go
 * SetGroupTopic and Baileys groups.js fetch it first). whatsmeow's SetGroupDescription leaves it out.
 */
function describe({ network, sender }: IqRequest, group: Group, command: BinaryNode): IqAnswer {
  const text = textOf(childNamed(command, 'body'));
  const { id = network.delivery.nextId(), prev } = command.attrs;
  const deleted = command.attrs.delete === 'true' || !text;
  if (prev !== undefined && prev !== group.description?.id) return { error: CONFLICT };
  if (text && [...text].length > LONGEST_DESCRIPTION) return { error: NOT_ACCEPTABLE };
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
