import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Group } from '../../src/groups/group.ts';
import type { Phone } from '../../src/phones/phone.ts';
import { openTown, type Town } from './town.ts';

let town: Town;
let ana: Phone;
let bob: Phone;
let cleo: Phone;
let dora: Phone;

beforeEach(async () => {
  town = await openTown();
  ana = await town.phone('Ana');
  bob = await town.phone('Bob');
  cleo = await town.phone('Cleo');
  dora = await town.phone('Dora');
});
afterEach(async () => {
  const problems = [ana, bob, cleo, dora].flatMap((phone) => phone.problems);
  await town.stop();
  expect(problems).toEqual([]);
});

/** The code with which the network refuses. */
async function refused(what: Promise<unknown>): Promise<unknown> {
  return what.then(
    () => 'taken',
    (error: { code?: unknown }) => error.code,
  );
}

const stateOf = (group: { jid: string }): Group => {
  const found = town.network.groups.get(group.jid);
  if (!found) throw new Error(`no group ${group.jid}`);
  return found;
};
const members = async (by: Phone, group: { jid: string }) =>
  (await by.groupInfo(group)).members.map(({ jid }) => jid).sort();

describe('who is added', () => {
  test('a member already, somebody who left, and one too many are answered for themselves', async () => {
    const group = await ana.createGroup('Team', [bob, cleo]);
    await cleo.leaveGroup(group);
    expect(await ana.addToGroup(group, bob, cleo)).toEqual([
      { jid: bob.jid, error: 409 },
      { jid: cleo.jid, error: 408 },
    ]);
    stateOf(group).memberLimit = 2;
    expect(await ana.addToGroup(group, dora)).toEqual([{ jid: dora.jid, error: 419 }]);
    stateOf(group).memberLimit = 10;
    // Who comes back by the link has not left any more.
    await cleo.joinGroup(await ana.groupInvite(group));
    await ana.removeFromGroup(group, cleo);
    expect(await ana.addToGroup(group, cleo)).toEqual([{ jid: cleo.jid }]);
  });

  test('who blocked the other, and who lets nobody add them: that one can be invited', async () => {
    await bob.block(ana);
    await cleo.setPrivacy('groupadd', 'none');
    await dora.setPrivacy('groupadd', 'contacts');
    const group = await ana.createGroup('Team', []);
    const [blocked, hidden, stranger] = await ana.addToGroup(group, bob, cleo, dora);
    expect(blocked).toEqual({ jid: bob.jid, error: 401 });
    expect(hidden).toMatchObject({ jid: cleo.jid, error: 403 });
    expect(stranger).toMatchObject({ jid: dora.jid, error: 403 });
    const { code = '', expiration = 0 } = hidden?.invitation ?? {};
    const invitation = { group: group.jid, code, expiration, admin: ana.jid };
    expect(await refused(dora.acceptGroupInvitation(invitation))).toBe(406);
    expect(await refused(cleo.acceptGroupInvitation({ ...invitation, admin: bob.jid }))).toBe(406);
    await cleo.acceptGroupInvitation(invitation);
    expect(await members(ana, group)).toEqual([ana.jid, cleo.jid].sort());
    expect(await refused(cleo.acceptGroupInvitation(invitation))).toBe(409);
    expect(await ana.revokeGroupInvitation(group, dora, bob)).toEqual([
      { jid: dora.jid },
      { jid: bob.jid, error: 404 },
    ]);
    // A contact is somebody one has written with.
    await dora.sendText(ana, 'Add me');
    expect(await ana.addToGroup(group, dora)).toEqual([{ jid: dora.jid }]);
  });

  test('an invitation that is over leads nowhere', async () => {
    await cleo.setPrivacy('groupadd', 'none');
    const group = await ana.createGroup('Team', []);
    await ana.addToGroup(group, cleo);
    const invitation = stateOf(group).invitations.get(cleo.number);
    if (!invitation) throw new Error('nobody was invited');
    stateOf(group).invitations.set(cleo.number, { ...invitation, expiration: 1 });
    const { code } = invitation;
    const accepted = cleo.acceptGroupInvitation({ group: group.jid, code, expiration: 1, admin: ana.jid });
    expect(await refused(accepted)).toBe(410);
  });

  test('by a member: where all may add, and where the admins have to agree', async () => {
    const group = await ana.createGroup('Team', [bob]);
    expect(await bob.addToGroup(group, cleo)).toEqual([{ jid: cleo.jid }]);
    await ana.setGroupApproval(group, true);
    expect(await bob.addToGroup(group, dora)).toEqual([{ jid: dora.jid, error: 421 }]);
    expect(await ana.joinRequests(group)).toEqual([{ jid: dora.jid, method: 'non_admin_add' }]);
    await ana.setGroupAddMode(group, 'admin_add');
    expect(await refused(bob.addToGroup(group, dora))).toBe(403);
  });
});

describe('who joins', () => {
  test('is let in by the link, unless it is old or none, they are in, were put out, or it is full', async () => {
    const group = await ana.createGroup('Open', [bob]);
    const old = await ana.groupInvite(group);
    const code = await ana.resetGroupInvite(group);
    expect(await ana.groupInvite(group)).toBe(code);
    expect(await refused(cleo.previewGroup(old))).toBe(410);
    expect(await refused(cleo.joinGroup(old))).toBe(410);
    expect(await refused(cleo.joinGroup('AAAAAAAAAAAAAAAAAAAAAA'))).toBe(406);
    expect((await cleo.previewGroup(code)).subject).toBe('Open');
    expect(await refused(bob.joinGroup(code))).toBe(409);
    await ana.removeFromGroup(group, bob);
    expect(await refused(bob.joinGroup(code))).toBe(401);
    stateOf(group).memberLimit = 1;
    expect(await refused(cleo.joinGroup(code))).toBe(419);
    stateOf(group).memberLimit = 5;
    expect(await cleo.joinGroup(code)).toEqual({ pending: false });
    expect(await refused(cleo.groupInvite(group))).toBe(401);
    expect(await refused(cleo.resetGroupInvite(group))).toBe(401);
  });

  test('waits where admins approve, is let in or not, or thinks better of it', async () => {
    const group = await ana.createGroup('Careful', [bob]);
    await ana.setGroupApproval(group, true);
    const code = await ana.groupInvite(group);
    for (const phone of [cleo, dora]) expect(await phone.joinGroup(code)).toEqual({ pending: true });
    expect(await refused(bob.joinRequests(group))).toBe(403);
    expect(await ana.joinRequests(group)).toEqual([
      { jid: cleo.jid, method: 'invite_link' },
      { jid: dora.jid, method: 'invite_link' },
    ]);
    await dora.cancelJoin(group);
    expect(await ana.approveJoins(group, cleo, dora)).toEqual([
      { jid: cleo.jid },
      { jid: dora.jid, error: 404 },
    ]);
    await dora.joinGroup(code);
    expect(await ana.rejectJoins(group, dora)).toEqual([{ jid: dora.jid }]);
    expect(await ana.joinRequests(group)).toEqual([]);
    expect(await members(ana, group)).toEqual([ana.jid, bob.jid, cleo.jid].sort());
  });
});

describe('what a group is like', () => {
  test('is changed by those who may, to what can be', async () => {
    const group = await ana.createGroup('Team', [bob]);
    await bob.setGroupSubject(group, 'The team');
    expect(await refused(bob.setGroupSubject(group, 'x'.repeat(101)))).toBe(406);
    expect(await refused(bob.setGroupDescription(group, 'x'.repeat(2049)))).toBe(406);
    expect(await refused(bob.setGroupEphemeral(group, 5))).toBe(400);
    expect(await refused(bob.setGroupSetting(group, 'announcement'))).toBe(403);
    await ana.setGroupSetting(group, 'locked');
    expect(await refused(bob.setGroupSubject(group, 'Mine'))).toBe(403);
    expect(await refused(bob.setGroupEphemeral(group, 86_400))).toBe(403);
    await ana.promote(group, bob);
    await bob.setGroupSubject(group, 'Mine');
    // Nobody takes the rights of the one who made it.
    expect(await bob.demote(group, ana)).toEqual([{ jid: ana.jid, error: 406 }]);
    expect(await bob.removeFromGroup(group, ana)).toEqual([{ jid: ana.jid, error: 406 }]);
    expect(await ana.groupInfo(group)).toMatchObject({ subject: 'Mine', locked: true, announcement: false });
  });

  test('a description is changed by who has seen the one before', async () => {
    const group = await ana.createGroup('Team', [bob]);
    await ana.setGroupDescription(group, 'First');
    const prev = stateOf(group).description?.id;
    await ana.setGroupDescription(group, 'Second');
    town.tamperOnce((node) => {
      const [change] = Array.isArray(node.content) ? node.content : [];
      if (change?.tag !== 'description') return undefined;
      return { ...node, content: [{ ...change, attrs: { ...change.attrs, prev: prev ?? '' } }] };
    });
    expect(await refused(bob.setGroupDescription(group, 'Third'))).toBe(409);
    expect((await bob.groupInfo(group)).description).toBe('Second');
  });
});

describe('a community', () => {
  test('has its announcements, takes groups in with their members, and lets them go', async () => {
    const community = await ana.createCommunity('Street', [bob]);
    const [announcements = ''] = await ana.linkedGroups(community);
    expect(await ana.groupInfo({ jid: announcements })).toMatchObject({
      announcement: true,
      parent: community.jid,
    });
    const group = await ana.createGroup('House 1', [cleo]);
    expect(await refused(bob.linkGroups(community, group))).toBe(403);
    const ofDora = await dora.createGroup('House 2', [ana]);
    const refusedGroups = await ana.linkGroups(community, group, ofDora, community);
    expect(Object.fromEntries(refusedGroups)).toEqual({ [ofDora.jid]: 403, [community.jid]: 406 });
    expect((await ana.linkedGroups(community)).sort()).toEqual([announcements, group.jid].sort());
    expect(await members(ana, { jid: announcements })).toEqual([ana.jid, bob.jid, cleo.jid].sort());
    expect(await refused(ana.unlinkGroup(community, { jid: announcements }))).toBe(406);
    await ana.unlinkGroup(community, group);
    expect(await refused(ana.unlinkGroup(community, group))).toBe(404);
    expect((await ana.groupInfo(group)).parent).toBeUndefined();
  });

  test('its members are those of its groups, and who is put out of it is out of all', async () => {
    const community = await ana.createCommunity('Street', []);
    const group = await ana.createGroupIn(community, 'House 1', [bob]);
    const [announcements = ''] = await ana.linkedGroups(community);
    for (const each of [community.jid, announcements, group.jid]) {
      expect(await members(ana, { jid: each })).toContain(bob.jid);
    }
    expect(await refused(bob.createGroupIn(community, 'House 2'))).toBe(403);
    await ana.addToGroup(community, cleo);
    expect(await members(ana, { jid: announcements })).toContain(cleo.jid);
    await bob.leaveGroup(community);
    for (const each of [community.jid, announcements, group.jid]) {
      expect(await members(ana, { jid: each })).not.toContain(bob.jid);
    }
  });
});
