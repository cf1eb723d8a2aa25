import type { SessionGroups } from '../../port/groups.ts';
import type { Link } from '../connection/link.ts';
import type { GroupCache } from '../outbound/group-cache.ts';
import { identity } from '../parse/message-source.ts';

export function groups(link: Link, cache: GroupCache): SessionGroups {
  return {
    members: (group) =>
      link.ask(async (socket) => {
        const { participants } = await cache.fetched(socket, group);
        const names = socket.signalRepository.lidMapping;
        return Promise.all(
          participants.map(async (member) => ({
            ...(await identity(member.id, member.phoneNumber ?? member.lid, names)),
            // `admin` or `superadmin` (the one who made the group); absent for the others.
            admin: typeof member.admin === 'string',
          })),
        );
      }),
    timer: (group) => link.ask(async (socket) => (await cache.fetched(socket, group)).ephemeralDuration ?? 0),
  };
}
