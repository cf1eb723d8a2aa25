import { AnswerUnreadable, RequestRefused } from '../../port/errors.ts';
import type { MemberOutcome, SessionGroups } from '../../port/groups.ts';
import type { Identity, Jid } from '../../port/identity.ts';
import { assertAnswered } from '../connection/unanswered.ts';
import {
  type BinaryNode,
  generateMessageIDV2,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  type Socket,
} from '../library.ts';
import {
  creation,
  descriptionCommand,
  membersCommand,
  settingCommand,
  type Tokens,
  wireName,
} from '../outbound/group-commands.ts';
import { GROUPS, groupQuery } from '../outbound/group-query.ts';
import { groupInfo, memberNames } from '../parse/group-node.ts';
import type { LidDirectory } from '../parse/message-source.ts';
import { stampedTime } from '../parse/stamped-time.ts';
import { answeredGroup, type GroupsParts, queriedGroup } from './known-groups.ts';

type Changes = Pick<
  SessionGroups,
  'create' | 'changeMembers' | 'change' | 'inviteCode' | 'leave' | 'setPicture'
>;

/** What a session does to groups. Sends must not go by what was kept of the group before. */
export function groupChanges({ link, cache, names }: GroupsParts): Changes {
  const changed = async <T>(group: Jid, call: (socket: Socket) => Promise<T>): Promise<T> =>
    link.ask(async (socket) => {
      try {
        return await call(socket);
      } finally {
        cache.forget(group);
      }
    });
  return {
    create: (group) =>
      link.ask(async (socket) => {
        const tokens = await tokensOf(socket, group.members);
        const command = creation(group, generateMessageIDV2(link.creds.me?.id), tokens);
        const node = answeredGroup(await groupQuery(socket, GROUPS, 'set', command));
        const refused = getBinaryNodeChildren(node, 'participant').filter(({ attrs }) => attrs.error);
        return {
          info: await groupInfo(node, names),
          refused: await Promise.all(refused.map((each) => outcome(each, names))),
        };
      }),

    changeMembers: (group, change, people, { linkedGroups } = {}) =>
      changed(group, async (socket) => {
        const tokens = change === 'add' ? await tokensOf(socket, people) : new Map();
        const command = membersCommand(change, people, { tokens, linkedGroups });
        const answer = await groupQuery(socket, group, 'set', command);
        const told = getBinaryNodeChildren(getBinaryNodeChild(answer, change), 'participant');
        return Promise.all(told.map((each) => outcome(each, names)));
      }),

    change: (group, change) =>
      changed(group, async (socket) => {
        if (change.name !== 'description') {
          await groupQuery(socket, group, 'set', settingCommand(change));
          return;
        }
        const before = getBinaryNodeChild(await queriedGroup(socket, group), 'description')?.attrs.id;
        if (!before && !change.value) return;
        const id = generateMessageIDV2(link.creds.me?.id);
        await groupQuery(socket, group, 'set', descriptionCommand(change.value, id, before));
      }),

    inviteCode: (group, { anew }) =>
      link.ask(async (socket) => {
        const answer = await groupQuery(socket, group, anew ? 'set' : 'get', { tag: 'invite', attrs: {} });
        const code = getBinaryNodeChild(answer, 'invite')?.attrs.code;
        if (!code) throw new AnswerUnreadable('the code of the link');
        return code;
      }),

    leave: (group) =>
      changed(group, async (socket) => {
        const content = [{ tag: 'group', attrs: { id: group } }];
        const answer = await groupQuery(socket, GROUPS, 'set', { tag: 'leave', attrs: {}, content });
        const [told] = getBinaryNodeChildren(getBinaryNodeChild(answer, 'leave'), 'group');
        const code = Number(told?.attrs.error ?? 0);
        // A group that the account is not in is left out of the answer, or stands there with an error.
        if (!told || code > 0) throw new RequestRefused(code || 404, 'the account is not in the group');
      }),

    setPicture: (group, jpeg) =>
      link.ask(async (socket) => {
        const answer = await socket.query({
          tag: 'iq',
          attrs: { to: 's.whatsapp.net', type: 'set', xmlns: 'w:profile:picture', target: group },
          ...(jpeg ? { content: [{ tag: 'picture', attrs: { type: 'image' }, content: jpeg }] } : {}),
        });
        assertAnswered();
        return jpeg ? (getBinaryNodeChild(answer, 'picture')?.attrs.id ?? null) : null;
      }),
  };
}

/**
 * `<participant error>`: this one was refused. With `<add_request code expiration>` they can join by themselves, once
 * somebody sends them that in a message (whatsmeow group.go parseParticipant).
 */
async function outcome(node: BinaryNode, directory: LidDirectory): Promise<MemberOutcome> {
  const { attrs } = node;
  const request = getBinaryNodeChild(node, 'add_request')?.attrs;
  return {
    ...(await memberNames(attrs, directory)),
    code: Number(attrs.error ?? 200) || 500,
    invite: request?.code ? { code: request.code, expiresAt: stampedTime(request.expiration) ?? 0 } : null,
  };
}

/** The tokens that people have given us, by LID as the library keeps them (tc-token-utils.js). */
async function tokensOf(socket: Socket, people: readonly Identity[]): Promise<Tokens> {
  const ids = people.map(wireName);
  const stored = await socket.authState.keys.get('tctoken', ids);
  const tokens = new Map<Jid, Uint8Array>();
  for (const id of ids) {
    const token = stored[id]?.token;
    if (token?.length) tokens.set(id, token);
  }
  return tokens;
}
