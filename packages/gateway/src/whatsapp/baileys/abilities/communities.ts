/** Communities: groups linked to them, and taken off. */
import type { SessionCommunities } from '../../port/communities.ts';
import { getBinaryNodeChild, getBinaryNodeChildren } from '../library.ts';
import { groupQuery } from '../outbound/group-query.ts';
import { groupJid } from '../parse/group-node.ts';
import { assertTaken, childOf, type GroupCallParts } from './group-joining.ts';

/** `link_type` and `unlink_type` of a group in a community (whatsmeow types/group.go GroupLinkChangeTypeSub). */
const SUB_GROUP = 'sub_group';

export function communities({ link }: Pick<GroupCallParts, 'link'>): SessionCommunities {
  return {
    linkedGroups: (community) =>
      link.ask(async (socket) => {
        const answer = await groupQuery(socket, community, 'get', { tag: 'sub_groups', attrs: {} });
        return getBinaryNodeChildren(childOf(answer, 'sub_groups'), 'group').map((node) => ({
          jid: groupJid(node.attrs.jid ?? node.attrs.id),
          subject: node.attrs.subject ?? '',
          size: node.attrs.size === undefined ? null : Number(node.attrs.size),
          announcements: getBinaryNodeChild(node, 'default_sub_group') !== undefined,
        }));
      }),

    // whatsmeow group.go LinkGroup. A group that cannot be linked has an error of its own in an answer that is none.
    linkGroup: (community, group) =>
      link.ask(async (socket) => {
        const content = [{ tag: 'group', attrs: { jid: group } }];
        const command = { tag: 'link', attrs: { link_type: SUB_GROUP }, content };
        const answer = await groupQuery(socket, community, 'set', {
          tag: 'links',
          attrs: {},
          content: [command],
        });
        assertTaken(childOf(childOf(childOf(answer, 'links'), 'link'), 'group'));
      }),

    unlinkGroup: (community, group) =>
      link.ask(async (socket) => {
        const content = [{ tag: 'group', attrs: { jid: group } }];
        const attrs = { unlink_type: SUB_GROUP };
        const answer = await groupQuery(socket, community, 'set', { tag: 'unlink', attrs, content });
        assertTaken(childOf(childOf(answer, 'unlink'), 'group'));
      }),
  };
}
