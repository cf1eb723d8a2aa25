import { expect, test } from 'vitest';
import type { Json } from '../packages/gateway/test/end-to-end/harness.ts';
import type { Tour } from './tour.ts';
import { answers } from './tour.ts';

/** The guide about groups. */
export function tourOfGroups(tour: Tour): void {
  test('groups.md: the groups, and one with its members', async () => {
    const [{ groups }, { group }] = answers(await tour.run('groups'));
    expect(groups.map(({ jid }: Json) => jid)).toEqual([tour.variables.GROUP]);
    expect(group.participants.map(({ jid }: Json) => jid)).toEqual([tour.shop.jid, tour.contact.jid]);
  });

  test('groups.md: an invite is looked at and joined', async () => {
    const { jid } = await tour.contact.createGroup('Of others', []);
    tour.variables.INVITE = `https://chat.whatsapp.com/${await tour.contact.groupInvite({ jid })}`;
    const [seen, joined] = answers(await tour.run('groups-join'));
    expect(seen).toMatchObject({ group: { jid, name: 'Of others' }, already_member: false });
    expect(joined).toEqual({ success: true, pending_approval: false, group_jid: jid });
  });

  test('groups.md: those who ask are let in', async () => {
    const group = { jid: tour.variables.GROUP };
    await tour.shop.setGroupApproval(group, true);
    await tour.contact.leaveGroup(group);
    await tour.contact.joinGroup(await tour.shop.groupInvite(group));
    const [{ requests }, { participants }] = answers(await tour.run('groups-requests'));
    expect(requests).toMatchObject([{ jid: tour.contact.jid, method: 'invite_link' }]);
    expect(participants).toMatchObject([{ jid: tour.contact.jid, status: 200, error: null }]);
  });

  test('groups.md: a community is made, a group linked to it and taken out again', async () => {
    const [{ community: made }] = answers(await tour.run('groups-community-made'));
    expect(made).toMatchObject({
      name: 'Our street',
      members_count: 2,
      groups: [{ is_announcement_group: true }],
    });
    tour.variables.COMMUNITY = made.jid;
    const [{ community }, linked, unlinked] = answers(await tour.run('groups-community'));
    expect(community).toMatchObject({ jid: tour.variables.COMMUNITY, name: 'Our street' });
    const names = { community_jid: tour.variables.COMMUNITY, group_jid: tour.variables.GROUP };
    expect([linked, unlinked]).toMatchObject([
      { ...names, linked: true },
      { ...names, linked: false },
    ]);
  });

  test('groups.md: a group is made and changed, and its members', async () => {
    const [{ group }] = answers(await tour.run('group-make'));
    expect(await tour.contact.groupInfo(group)).toMatchObject({ subject: 'Deliveries', announcement: true });
    expect(await tour.run('group-list')).toContain(`\r\n${tour.contact.number},${tour.contact.jid},`);
    await tour.run('group-change');
    const place = { jid: tour.variables.GROUP };
    expect(await tour.contact.groupInfo(place)).toMatchObject({
      description: 'Who drives when',
      locked: true,
      ephemeral: 604_800,
    });
    const [{ participants }] = answers(await tour.run('group-members'));
    expect(participants).toMatchObject([{ jid: tour.contact.jid, is_admin: true, status: 200, error: null }]);
    await tour.shop.demote(place, tour.contact);
  });
}
