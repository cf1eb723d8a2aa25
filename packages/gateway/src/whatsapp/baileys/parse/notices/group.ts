import type { Identity } from '../../../port/identity.ts';
import type { SessionNotice } from '../../../port/notices.ts';
import {
  type BinaryNode,
  getAllBinaryNodeChildren,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  isJidGroup,
} from '../../library.ts';
import { groupInfo, groupJid, memberNames } from '../group-node.ts';
import { joinRequestMethod } from '../join-request.ts';
import type { LidDirectory } from '../message-source.ts';
import { stampOf } from '../stanza-time.ts';
import { countOf, participantOf, textIn } from './stanza-fields.ts';

type GroupInfo = Extract<SessionNotice, { name: 'group.info' }>;
type JoinRequested = Extract<SessionNotice, { name: 'group.join_request' }>;
type GroupJoined = Extract<SessionNotice, { name: 'group.joined' }>;
/** What every notice of a group says. */
type Told = Pick<GroupInfo, 'group' | 'author' | 'timestamp'>;
type Change = Pick<GroupInfo, 'change' | 'value' | 'linkType'>;

const MEMBER_CHANGES = new Set(['add', 'remove', 'promote', 'demote', 'leave']);
/** Children that switch a setting on, and those that switch it off again. */
const SWITCHES = new Map<string, Change>([
  ['announcement', { change: 'announcement', value: true }],
  ['not_announcement', { change: 'announcement', value: false }],
  ['locked', { change: 'locked', value: true }],
  ['unlocked', { change: 'locked', value: false }],
  ['not_ephemeral', { change: 'ephemeral', value: 0 }],
  ['suspended', { change: 'suspended', value: true }],
  ['unsuspended', { change: 'suspended', value: false }],
]);

/**
 * `<notification type="w:gp2">`: one notice per child (whatsmeow group.go parseGroupChange). `create` is how
 * the server tells of a group that we are in now: made, or joined, or added by someone (parseGroupCreate).
 */
export async function groupNotices(stanza: BinaryNode, directory: LidDirectory): Promise<SessionNotice[]> {
  const { from: group = '' } = stanza.attrs;
  // `groups_dirty` comes from the server and names groups to be fetched again: see `dirty-groups.ts`.
  if (!isJidGroup(group)) return [];
  const author = await participantOf(stanza, directory);
  const notices: SessionNotice[] = [];
  for (const child of getAllBinaryNodeChildren(stanza)) {
    const told = { group, author, timestamp: stampOf(stanza.attrs.t) };
    notices.push(
      (await joinedNotice(child, told, directory)) ??
        (await joinRequestNotice(child, told, directory)) ?? {
          name: 'group.info',
          ...told,
          ...(await changeIn(child, author, directory)),
        },
    );
  }
  return notices;
}

async function joinedNotice(
  child: BinaryNode,
  { group, author, timestamp }: Told,
  directory: LidDirectory,
): Promise<GroupJoined | null> {
  const node = child.tag === 'create' ? getBinaryNodeChild(child, 'group') : undefined;
  if (!node) return null;
  const told = await groupInfo(node, directory);
  const info = { ...told, jid: told.jid || group };
  const participants = info.members.map(({ jid, lid }) => ({ jid, lid }));
  const { jid, subject } = info;
  return { name: 'group.joined', group: jid, subject, author, participants, timestamp, info };
}

/**
 * People who ask are `<requested_user>`, and the author where nobody is named (Baileys messages-recv.js); requests
 * that are gone name participants, and were taken back when the author is one of them.
 */
async function joinRequestNotice(
  child: BinaryNode,
  told: Told,
  directory: LidDirectory,
): Promise<JoinRequested | null> {
  const name = 'group.join_request';
  if (child.tag === 'revoked_membership_requests') {
    const people = await members(child, directory);
    const own = people.some((each) => told.author !== null && same(each, told.author));
    return { name, ...told, action: own ? 'cancelled' : 'rejected', people, method: null };
  }
  if (child.tag !== 'created_membership_requests' && child.tag !== 'membership_approval_request') return null;
  const named = [
    ...(await members(child, directory, 'requested_user')),
    ...(await members(child, directory)),
  ];
  const people = named.length > 0 || !told.author ? named : [told.author];
  return { name, ...told, action: 'created', people, method: joinRequestMethod(child.attrs) };
}

async function changeIn(
  child: BinaryNode,
  author: Identity | null,
  directory: LidDirectory,
): Promise<Change & Pick<GroupInfo, 'participants'>> {
  if (!MEMBER_CHANGES.has(child.tag)) return { ...settingIn(child), participants: [] };
  const people = await members(child, directory);
  const [only] = people;
  // Who leaves is removed by themselves: there is no stanza of its own for it (Baileys handleGroupNotification).
  const left = child.tag === 'remove' && people.length === 1 && only && author && same(only, author);
  const change = (left ? 'leave' : child.tag) as GroupInfo['participants'][number]['change'];
  return {
    change: 'participants',
    // How they came: `invite` for a link, or nothing.
    value: child.attrs.reason ?? null,
    participants: people.map((id) => ({ id, change })),
  };
}

function settingIn(child: BinaryNode): Change {
  const switched = SWITCHES.get(child.tag);
  if (switched) return switched;
  const { tag, attrs } = child;
  switch (tag) {
    case 'subject':
      return { change: tag, value: attrs.subject ?? textIn(child) };
    case 'description':
      return {
        change: tag,
        value: getBinaryNodeChild(child, 'delete') ? null : textIn(getBinaryNodeChild(child, 'body')),
      };
    case 'ephemeral':
      return { change: tag, value: countOf(attrs.expiration) };
    case 'invite':
      return { change: tag, value: attrs.code ?? null };
    case 'member_add_mode':
      return { change: tag, value: textIn(child) };
    case 'membership_approval_mode':
      return { change: tag, value: getBinaryNodeChild(child, 'group_join')?.attrs.state === 'on' };
    case 'delete':
      return { change: tag, value: attrs.reason ?? null };
    case 'link':
    case 'unlink': {
      // `id` where there is no `jid` (whatsmeow group.go parseGroupLinkTargetNode).
      const { jid, id } = getBinaryNodeChild(child, 'group')?.attrs ?? {};
      return { change: tag, value: groupJid(jid ?? id) || null, linkType: attrs[`${tag}_type`] ?? null };
    }
    default:
      return { change: tag, value: null };
  }
}

function members(node: BinaryNode, directory: LidDirectory, tag = 'participant'): Promise<Identity[]> {
  const people = getBinaryNodeChildren(node, tag).filter(({ attrs }) => attrs.jid);
  return Promise.all(people.map(({ attrs }) => memberNames(attrs, directory)));
}

function same(a: Identity, b: Identity): boolean {
  return (a.jid !== null && a.jid === b.jid) || (a.lid !== null && a.lid === b.lid);
}
