/** Groups, asked of the server and kept for sends. */
import { AnswerUnreadable } from '../../port/errors.ts';
import type { SessionGroups } from '../../port/groups.ts';
import type { Jid } from '../../port/identity.ts';
import type { DirtyGroups } from '../account/dirty-groups.ts';
import type { Link } from '../connection/link.ts';
import { type BinaryNode, getBinaryNodeChild, getBinaryNodeChildren, type Socket } from '../library.ts';
import type { GroupCache } from '../outbound/group-cache.ts';
import { GROUPS, groupQuery } from '../outbound/group-query.ts';
import { groupInfo } from '../parse/group-node.ts';
import { identity, type LidDirectory } from '../parse/message-source.ts';

export interface GroupsParts {
  link: Link;
  /** The member lists that sends go by. */
  cache: GroupCache;
  dirty: DirtyGroups;
  /** Who is who, by what is stored: the list of all groups names thousands. */
  names: LidDirectory;
}

type Known = Pick<SessionGroups, 'members' | 'timer' | 'info' | 'joined' | 'joinedStored'>;

/** What a session knows of groups; what it does to them is in `group-changes.ts`. */
export function knownGroups({ link, cache, dirty, names }: GroupsParts): Known {
  return {
    members: (group) =>
      link.ask(async (socket) => {
        const { participants } = await cache.fetched(socket, group);
        const directory = socket.signalRepository.lidMapping;
        return Promise.all(
          participants.map(async (member) => ({
            ...(await identity(member.id, member.phoneNumber ?? member.lid, directory)),
            // `admin` or `superadmin` (the one who made the group); absent for the others.
            admin: typeof member.admin === 'string',
            superAdmin: member.admin === 'superadmin',
          })),
        );
      }),
    timer: (group) => link.ask(async (socket) => (await cache.fetched(socket, group)).ephemeralDuration ?? 0),

    info: (group) =>
      link.ask(async (socket) => {
        // What is told here and what sends go by must not differ.
        cache.forget(group);
        return groupInfo(await queriedGroup(socket, group), names);
      }),

    joined: () =>
      link.ask(async (socket) => {
        const nodes = await joinedNodes(socket);
        for (const { attrs } of nodes) cache.forget(`${attrs.id}@g.us`);
        return Promise.all(nodes.map((node) => groupInfo(node, names)));
      }),
    joinedStored: () => link.ask((socket) => dirty.clean(socket)),
  };
}

/** whatsmeow group.go GetJoinedGroups. */
async function joinedNodes(socket: Socket): Promise<BinaryNode[]> {
  const content = [
    { tag: 'participants', attrs: {} },
    { tag: 'description', attrs: {} },
  ];
  const answer = await groupQuery(socket, GROUPS, 'get', { tag: 'participating', attrs: {}, content });
  return getBinaryNodeChildren(getBinaryNodeChild(answer, 'groups'), 'group').filter(({ attrs }) => attrs.id);
}

/** `<group>` as the server has it. */
export async function queriedGroup(socket: Socket, group: Jid): Promise<BinaryNode> {
  const command = { tag: 'query', attrs: { request: 'interactive' } };
  return answeredGroup(await groupQuery(socket, group, 'get', command));
}

export function answeredGroup(answer: BinaryNode): BinaryNode {
  const group = getBinaryNodeChild(answer, 'group');
  if (!group?.attrs.id) throw new AnswerUnreadable('the group');
  return group;
}
