/** Communities, and the groups that are linked to them, as the phones in them see it. */
import { afterAll, expect, test } from 'vitest';
import { type Answer, type Json, until } from '../harness.ts';
import { jidsOf, membersOf, startTeam } from './team.ts';

const { world, api, shop, ana, bia, caio } = await startTeam();

afterAll(() => world.destroy());

async function refusal(answer: Promise<Answer>): Promise<Json> {
  const { status, body } = await answer;
  return [status, body.error_code, body.whatsapp_code];
}

test('a community is made, with its announcements and those who can be added', async () => {
  await caio.setPrivacy('groupadd', 'none');
  const participants = [ana.number, bia.lid, caio.jid, '5511900000000'];
  const { status, body } = await api.post('/communities', { name: ' Our street ', participants });
  await caio.setPrivacy('groupadd', 'all');
  expect([status, body.success], JSON.stringify(body)).toEqual([201, true]);
  const { community: made, refused } = body;
  expect(made).toMatchObject({ name: 'Our street', owner: shop.jid, members_count: 3, is_community: true });
  expect(made.groups).toEqual([
    { jid: made.announcement_group_jid, name: 'Our street', members_count: 3, is_announcement_group: true },
  ]);
  expect(refused.map(({ jid, status: code, error }: Json) => [jid, code, error])).toEqual([
    [caio.jid, 403, 'NEEDS_INVITE'],
    ['5511900000000@s.whatsapp.net', 404, 'NOT_ON_WHATSAPP'],
  ]);
  expect(await ana.groupInfo({ jid: made.jid })).toMatchObject({ subject: 'Our street', community: true });
  expect(await membersOf(bia, made.announcement_group_jid)).toEqual(jidsOf(shop, ana, bia));
  expect(await refusal(api.post('/communities', { name: '  ' }))).toEqual([
    400,
    'VALIDATION_ERROR',
    undefined,
  ]);
});

test('a group is made within a community by its parent_jid', async () => {
  const { community: made } = (await api.post('/communities', { name: 'Our street' })).body;
  const options = { parent_jid: made.jid };
  const { body } = await api.post('/groups', { name: 'House', participants: [ana.number], options });
  expect(body.group, JSON.stringify(body)).toMatchObject({ name: 'House', parent_jid: made.jid });
  expect(await membersOf(ana, made.announcement_group_jid)).toEqual(jidsOf(shop, ana));
});

test('people are added, made admins, and removed from all of its groups', async () => {
  const { community: made } = (await api.post('/communities', { name: 'Our street' })).body;
  const at = `/communities/${made.jid}/participants`;
  const added = await api.post(at, { participants: [ana.number, bia.number] });
  expect(added.body, JSON.stringify(added.body)).toMatchObject({
    success: true,
    jid: made.jid,
    action: 'add',
  });
  expect(added.body.participants.map(({ jid, status }: Json) => [jid, status])).toEqual([
    [ana.jid, 200],
    [bia.jid, 200],
  ]);
  const again = await api.post(at, { participants: [ana.number] });
  expect(again.body.participants).toMatchObject([{ jid: ana.jid, status: 409, error: 'ALREADY_IN_GROUP' }]);
  const promoted = await api.post(at, { participants: [ana.number], action: 'promote' });
  expect(promoted.body).toMatchObject({ action: 'promote', participants: [{ status: 200 }] });
  const house = await ana.createGroupIn(made, 'House', [bia]);
  const removed = await api.call('DELETE', at, { participants: [bia.number] });
  expect(removed.body).toMatchObject({ action: 'remove', participants: [{ jid: bia.jid, status: 200 }] });
  for (const jid of [made.jid, made.announcement_group_jid, house.jid]) {
    expect(await membersOf(ana, jid)).not.toContain(bia.jid);
  }
  const group = await shop.createGroup('No community', [ana]);
  const other = api.post(`/communities/${group.jid}/participants`, { participants: [bia.number] });
  expect(await refusal(other)).toEqual([404, 'NOT_FOUND', undefined]);
});

test('a community tells of its groups, those of others too', async () => {
  const street = await shop.createCommunity('Our street', [ana, bia]);
  const house = await shop.createGroupIn(street, 'House 1', [ana]);
  const { body } = await api.get(`/communities/${street.jid}`);
  expect(body).toMatchObject({
    success: true,
    community: { jid: street.jid, name: 'Our street', is_community: true, members_count: 3 },
  });
  const { groups, announcement_group_jid: announcements } = body.community;
  expect(groups).toEqual([
    { jid: announcements, name: 'Our street', members_count: 3, is_announcement_group: true },
    { jid: house.jid, name: 'House 1', members_count: 2, is_announcement_group: false },
  ]);
  await shop.leaveGroup(house);
  const after = (await api.get(`/communities/${street.jid}`)).body.community;
  expect(after.groups.map(({ jid }: Json) => jid)).toContain(house.jid);
});

test.each([
  ['/communities/{}/groups', 'group_jid'],
  ['/communities/{}/groups', 'child_jid'],
  ['/groups/{}/link', 'jid'],
])('a group is linked by %s with %s, and taken out again', async (path, member) => {
  const street = await shop.createCommunity('Our street');
  const [announcements = ''] = await shop.linkedGroups(street);
  const group = await shop.createGroup('House', [ana]);
  const at = path.replace('{}', street.jid);
  const linked = await api.post(at, { [member]: group.jid });
  expect([linked.status, linked.body]).toEqual([
    200,
    { success: true, community_jid: street.jid, group_jid: group.jid, linked: true },
  ]);
  expect((await ana.groupInfo(group)).parent).toBe(street.jid);
  expect(await membersOf(ana, announcements)).toEqual(jidsOf(shop, ana));
  const parent = async () => (await api.get(`/groups/${group.jid}`)).body.group?.parent_jid;
  await until('the group knows its community', async () => (await parent()) === street.jid);
  const unlinked = await api.call('DELETE', at, { [member]: group.jid });
  expect(unlinked.body).toMatchObject({ success: true, linked: false });
  expect((await ana.groupInfo(group)).parent).toBeUndefined();
  await until('the group knows of none', async () => (await parent()) === null);
});

test('what cannot be linked is refused, and what the account is not in is not there', async () => {
  const street = await shop.createCommunity('Our street');
  const other = await shop.createCommunity('Another street');
  const ofAna = await ana.createGroup('Ana’s', [shop]);
  const foreign = await ana.createGroup('Not ours', [bia]);
  const at = `/communities/${street.jid}/groups`;
  expect(await refusal(api.post(at, { group_jid: ofAna.jid }))).toEqual([422, 'REJECTED_BY_WHATSAPP', 403]);
  expect(await refusal(api.post(at, { group_jid: other.jid }))).toEqual([422, 'REJECTED_BY_WHATSAPP', 406]);
  expect(await refusal(api.call('DELETE', at, { group_jid: ofAna.jid }))).toEqual([404, 'NOT_FOUND', 404]);
  for (const jid of [foreign.jid, '120363999999999999@g.us']) {
    expect(await refusal(api.post(at, { group_jid: jid }))).toEqual([404, 'NOT_FOUND', undefined]);
    expect(await refusal(api.get(`/communities/${jid}`))).toEqual([404, 'NOT_FOUND', undefined]);
  }
  expect(await refusal(api.get(`/communities/${ofAna.jid}`))).toEqual([404, 'NOT_FOUND', undefined]);
  for (const body of [{}, { group_jid: ana.jid }, { group_jid: ofAna.jid, jid: other.jid }]) {
    expect(await refusal(api.post(at, body))).toEqual([400, 'VALIDATION_ERROR', undefined]);
  }
});
