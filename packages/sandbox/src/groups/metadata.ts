import type { BinaryNode } from 'baileys';
import { alternateJid, jidIn } from '../state/jid.ts';
import { stanza } from '../wire/stanza.ts';
import type { Group, GroupParticipant } from './group.ts';

/**
 * A group's metadata (whatsmeow group.go parseGroupNode; Baileys groups.js extractGroupMetadata). With LID
 * addressing members are LIDs with `phone_number` beside, otherwise phone numbers with `lid` beside.
 */
export function groupStanza(group: Group): BinaryNode {
  const { addressingMode: mode, creator, subjectBy } = group;
  const lid = mode === 'lid';
  const content = [...group.participants.values()].map((member) => memberStanza(group, member));
  const { description } = group;
  if (description) {
    content.push(
      stanza(
        'description',
        {
          id: description.id,
          t: String(description.at),
          participant: jidIn(mode, description.by),
          participant_pn: lid ? alternateJid(mode, description.by) : undefined,
        },
        [stanza('body', {}, Buffer.from(description.text, 'utf8'))],
      ),
    );
  }
  if (group.community) {
    const { defaultApprovalMode } = group.community;
    content.push(stanza('parent', { default_membership_approval_mode: defaultApprovalMode }));
    if (group.community.membersCreateGroups) content.push(stanza('allow_non_admin_sub_group_creation'));
  }
  if (group.parent) content.push(stanza('linked_parent', { jid: group.parent.jid }));
  if (group.defaultSubGroup) content.push(stanza('default_sub_group'));
  if (group.announce) content.push(stanza('announcement'));
  if (group.locked) content.push(stanza('locked'));
  if (group.ephemeral > 0) content.push(stanza('ephemeral', { expiration: String(group.ephemeral) }));
  content.push(stanza('member_add_mode', {}, Buffer.from(group.memberAddMode, 'utf8')));
  if (group.approveJoins) {
    content.push(stanza('membership_approval_mode', {}, [stanza('group_join', { state: 'on' })]));
  }
  return stanza(
    'group',
    {
      id: group.id,
      subject: group.subject,
      s_o: jidIn(mode, subjectBy),
      s_o_pn: lid ? alternateJid(mode, subjectBy) : undefined,
      s_t: String(group.subjectAt),
      creation: String(group.createdAt),
      creator: jidIn(mode, creator),
      creator_pn: lid ? alternateJid(mode, creator) : undefined,
      addressing_mode: mode,
      size: String(group.participants.size),
      a_v_id: group.announceVersion,
      p_v_id: group.participantVersion,
    },
    content,
  );
}

function memberStanza(group: Group, { account, role }: GroupParticipant): BinaryNode {
  const mode = group.addressingMode;
  const alternate = mode === 'lid' ? 'phone_number' : 'lid';
  return stanza('participant', {
    jid: jidIn(mode, account),
    [alternate]: alternateJid(mode, account),
    type: role,
  });
}
