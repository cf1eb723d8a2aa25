import type { BinaryNode } from 'baileys';
import type { Group } from '../groups/group.ts';
import { participantStanza } from '../groups/notifications.ts';
import type { Account } from '../state/directory.ts';
import { childNamed, childrenNamed, stanza } from '../wire/stanza.ts';
import { FORBIDDEN, type IqAnswer, type IqRequest, NOT_ACCEPTABLE, NOT_FOUND } from './answer.ts';

/** `link_type` and `unlink_type` of a group in a community (whatsmeow types/group.go GroupLinkChangeTypeSub). */
const SUB_GROUP = 'sub_group';

/** `<sub_groups/>`: the groups of a community. */
export function subGroups({ network }: IqRequest, community: Group): IqAnswer {
  return { content: [stanza('sub_groups', {}, network.groups.linkedTo(community).map(linkTarget))] };
}

/** `<linked_groups_participants/>`: everybody in any group of the community. */
export function linkedParticipants({ network }: IqRequest, community: Group): IqAnswer {
  const accounts = new Map<string, Account>();
  for (const group of [community, ...network.groups.linkedTo(community)]) {
    for (const { account } of group.participants.values()) accounts.set(account.user, account);
  }
  const members = [...accounts.values()].map((account) => participantStanza(community, account));
  return { content: [stanza('linked_groups_participants', {}, members)] };
}

/**
 * `<links><link link_type="sub_group"><group jid/></link></links>` to the community: its members join the
 * community, and both are told (whatsmeow group.go LinkGroup, parseGroupChange). A group that cannot be linked has
 * an `error` of its own (WhatsApp Web WAWebLinkSubgroupsAction reads `failedGroups`).
 */
export function linkGroups({ network, sender }: IqRequest, community: Group, command: BinaryNode): IqAnswer {
  const actor = sender.account;
  if (!community.community) return { error: NOT_FOUND };
  const groups: Group[] = [];
  const results = childrenNamed(childNamed(command, 'link'), 'group').map(({ attrs }) => {
    const group = network.groups.get(attrs.jid ?? '');
    const error = refusalToLink(group, actor);
    if (group && !error) groups.push(group);
    return stanza('group', { jid: group?.jid ?? attrs.jid, error: error && String(error.code) });
  });
  return {
    content: [stanza('links', {}, [stanza('link', { link_type: SUB_GROUP }, results)])],
    after: () => {
      for (const group of groups) {
        group.parent = community;
        for (const { account } of group.participants.values()) {
          for (const around of network.groups.around(group)) {
            network.groups.add(around, account, actor, 'linked_group_join');
          }
        }
        const attrs = { link_type: SUB_GROUP };
        network.groups.notify(community, actor, { tag: 'link', attrs, content: [linkTarget(group)] });
        network.groups.notify(group, actor, {
          tag: 'link',
          attrs: { link_type: 'parent_group' },
          content: [linkTarget(community)],
        });
      }
    },
  };
}

/** A community and a group of another community belong to none. */
function refusalToLink(group: Group | undefined, actor: Account): IqAnswer['error'] {
  if (!group) return NOT_FOUND;
  if (!group.participants.get(actor.user)?.role) return FORBIDDEN;
  return group.parent || group.community ? NOT_ACCEPTABLE : undefined;
}

/** `<unlink unlink_type="sub_group"><group jid/></unlink>` to the community; its members stay in it. */
export function unlinkGroups(request: IqRequest, community: Group, command: BinaryNode): IqAnswer {
  const { network, sender } = request;
  const named = childrenNamed(command, 'group');
  const groups = named.flatMap(({ attrs }) => network.groups.get(attrs.jid ?? '') ?? []);
  if (groups.length < named.length || groups.some(({ parent }) => parent !== community)) {
    return { error: NOT_FOUND };
  }
  if (groups.some(({ defaultSubGroup }) => defaultSubGroup)) return { error: NOT_ACCEPTABLE };
  const content = groups.map(({ jid }) => stanza('group', { jid }));
  return {
    content: [stanza('unlink', { unlink_type: SUB_GROUP }, content)],
    after: () => {
      for (const group of groups) {
        group.parent = undefined;
        const attrs = { unlink_type: SUB_GROUP, unlink_reason: 'unlink_group' };
        network.groups.notify(community, sender.account, {
          tag: 'unlink',
          attrs,
          content: [linkTarget(group)],
        });
        network.groups.notify(group, sender.account, {
          tag: 'unlink',
          attrs: { ...attrs, unlink_type: 'parent_group' },
          content: [linkTarget(community)],
        });
      }
    },
  };
}

/** As whatsmeow group.go parseGroupLinkTargetNode and Baileys communities.js communityFetchLinkedGroups read it. */
function linkTarget(group: Group): BinaryNode {
  const attrs = {
    id: group.id,
    subject: group.subject,
    s_t: String(group.subjectAt),
    creation: String(group.createdAt),
    size: String(group.participants.size),
  };
  return stanza('group', attrs, group.defaultSubGroup ? [stanza('default_sub_group')] : undefined);
}
