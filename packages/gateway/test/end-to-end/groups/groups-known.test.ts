/** What a gateway knows of an account's groups: filled when it connects, kept up by what phones do, asked for once. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Api, type Json, until, World } from '../harness.ts';

let world: World;
let token: string;
let api: Api;
let shop: Phone;
let ana: Phone;
let bia: Phone;
let device: string;
let group: { jid: string };

beforeAll(async () => {
  world = await World.create();
  const phone = (number: string, name: string) => world.sandbox.createPhone({ number, name });
  [shop, ana, bia] = [
    await phone('5511999993001', 'Shop'),
    await phone('5511999993002', 'Ana'),
    await phone('5511999993003', 'Bia'),
  ];
  const before = await ana.createGroup('Before', [shop, bia]);
  await ana.setGroupDescription(before, 'Made before the device was linked');
  token = await world.tenant('grouped');
  device = await world.linkByQr(token, shop);
  api = world.as(token);
  await until('the groups are known', async () => {
    const { db } = world.gateway.parts;
    return (await db.selectFrom('group_lists').select('as_of').execute()).length > 0;
  });
});
afterAll(() => world.destroy());

beforeEach(async () => {
  world.sandbox.faults.clear();
  group = await ana.createGroup('Team', [shop, bia]);
  await shows(() => true);
});

/** No question about groups is answered from now on: what is told comes from what is stored. */
function withoutTraffic(): void {
  world.sandbox.faults.refuseQuestions(503, { xmlns: 'w:g2' });
}

async function read(jid = group.jid, query = ''): Promise<Json> {
  return (await api.get(`/groups/${jid}${query}`)).body.group;
}

/** The group as it is stored, once it is so. */
function shows(holds: (group: Json) => boolean, jid = group.jid): Promise<Json> {
  withoutTraffic();
  return until('the group is so', async () => {
    const { status, body } = await api.get(`/groups/${jid}`);
    return status === 200 && holds(body.group) && body.group;
  });
}

const participant = (phone: Phone, more: Json = {}) => ({
  jid: phone.jid,
  lid: phone.lid,
  phone_number: phone.jid,
  is_admin: false,
  is_super_admin: false,
  ...more,
});
const founder = { is_admin: true, is_super_admin: true };

test('groups from before the device was linked are there when it has connected', async () => {
  withoutTraffic();
  const { groups, as_of, next_cursor } = (await api.get('/groups')).body;
  const told = groups.find(({ name }: Json) => name === 'Before');
  expect(told).toMatchObject({
    topic: 'Made before the device was linked',
    description: 'Made before the device was linked',
    owner: ana.jid,
    owner_lid: ana.lid,
    is_announce: false,
    is_locked: false,
    join_approval: false,
    member_add_mode: 'all',
    members_count: 3,
    membership: 'member',
    is_admin: false,
    left_at: null,
  });
  expect(told).not.toHaveProperty('participants');
  expect([Date.parse(as_of), Date.parse(told.created_at)]).toEqual([expect.any(Number), expect.any(Number)]);
  expect(next_cursor).toBeNull();
  expect((await read(told.jid)).participants).toEqual([
    participant(shop),
    participant(ana, founder),
    participant(bia),
  ]);
});

test('a new group, and each change of it, comes by itself', async () => {
  expect(await read()).toMatchObject({ name: 'Team', owner: ana.jid, members_count: 3 });
  const changes: [() => Promise<unknown>, Json][] = [
    [() => ana.setGroupSubject(group, 'Night team'), { name: 'Night team' }],
    [() => ana.setGroupDescription(group, 'Nights'), { topic: 'Nights', description: 'Nights' }],
    [() => ana.setGroupDescription(group, ''), { topic: null }],
    [() => ana.setGroupSetting(group, 'announcement'), { is_announce: true }],
    [() => ana.setGroupSetting(group, 'not_announcement'), { is_announce: false }],
    [() => ana.setGroupSetting(group, 'locked'), { is_locked: true }],
    [() => ana.setGroupSetting(group, 'unlocked'), { is_locked: false }],
    [() => ana.setGroupAddMode(group, 'admin_add'), { member_add_mode: 'admin' }],
    [() => ana.setGroupAddMode(group, 'all_member_add'), { member_add_mode: 'all' }],
    [() => ana.setGroupApproval(group, true), { join_approval: true }],
    [() => ana.setGroupApproval(group, false), { join_approval: false }],
    [() => ana.setGroupEphemeral(group, 86_400), { ephemeral_seconds: 86_400 }],
    [() => ana.setGroupEphemeral(group, 0), { ephemeral_seconds: 0 }],
    [() => ana.promote(group, shop), { is_admin: true }],
    [() => ana.demote(group, shop), { is_admin: false }],
  ];
  for (const [change, told] of changes) {
    await change();
    await shows((now) => Object.entries(told).every(([name, value]) => now[name] === value));
  }
});

test('members come, rise and go', async () => {
  const members = async (holds: (group: Json) => boolean) => (await shows(holds)).participants;
  const dani = await world.sandbox.createPhone({ number: '5511999993004', name: 'Dani' });
  await ana.addToGroup(group, dani);
  expect(await members((now) => now.members_count === 4)).toContainEqual(participant(dani));
  await ana.promote(group, dani);
  expect(await members((now) => now.participants[3].is_admin)).toEqual([
    participant(shop),
    participant(ana, founder),
    participant(bia),
    participant(dani, { is_admin: true }),
  ]);
  await dani.leaveGroup(group);
  await ana.removeFromGroup(group, bia);
  expect(await members((now) => now.members_count === 2)).toEqual([
    participant(shop),
    participant(ana, founder),
  ]);
});

test('a group that the account left, or was put out of, says so', async () => {
  const other = await ana.createGroup('Other', [shop]);
  await shows(() => true, other.jid);
  await shop.leaveGroup(group);
  await ana.removeFromGroup(other, shop);
  const left = await shows((now) => now.membership === 'left');
  const removed = await shows((now) => now.membership === 'removed', other.jid);
  for (const gone of [left, removed]) {
    expect(gone).toMatchObject({ is_admin: false, participants: [], left_at: expect.any(String) });
  }
  const jids = async (query: string) =>
    (await api.get(`/groups${query}`)).body.groups.map(({ jid }: Json) => jid);
  expect(await jids('')).not.toContain(group.jid);
  expect(await jids('?include_left=true')).toEqual(expect.arrayContaining([group.jid, other.jid]));
  // Whoever asks WhatsApp is not told more, and nothing is forgotten.
  world.sandbox.faults.clear();
  expect(await read(group.jid, '?refresh=true')).toMatchObject({ membership: 'left', left_at: left.left_at });
  await shop.joinGroup(await ana.groupInvite(group));
  expect(await shows((now) => now.membership === 'member')).toMatchObject({
    left_at: null,
    members_count: 3,
  });
});

test('what was missed is seen when WhatsApp is asked', async () => {
  const { db } = world.gateway.parts;
  await db.updateTable('groups').set({ subject: 'Missed' }).where('jid', '=', group.jid).execute();
  await db.deleteFrom('group_members').where('group_jid', '=', group.jid).execute();
  expect(await read()).toMatchObject({ name: 'Missed', participants: [] });
  world.sandbox.faults.clear();
  const before = (await api.get('/groups')).body.as_of;
  const fresh = await read(group.jid, '?refresh=true');
  expect([fresh.name, fresh.participants.length]).toEqual(['Team', 3]);
  await db.updateTable('groups').set({ subject: 'Missed again' }).where('jid', '=', group.jid).execute();
  const list = (await api.get('/groups?refresh=true')).body;
  expect(list.groups.find(({ jid }: Json) => jid === group.jid).name).toBe('Team');
  expect(Date.parse(list.as_of)).toBeGreaterThan(Date.parse(before));
});

test('one that was said to be of others is asked about again before it is refused', async () => {
  world.sandbox.faults.refuseQuestions(403, { xmlns: 'w:g2' });
  expect(await read(group.jid, '?refresh=true')).toMatchObject({ membership: 'outside', participants: [] });
  const refused = await api.get(`/groups/${group.jid}/invite`);
  expect([refused.status, refused.body.membership]).toEqual([404, 'outside']);
  world.sandbox.faults.clear();
  expect((await api.put(`/groups/${group.jid}/ephemeral`, { duration_seconds: 86_400 })).status).toBe(200);
  expect(await read()).toMatchObject({ membership: 'member', ephemeral_seconds: 86_400 });
});

test('one that nobody told of is asked for; of strangers’ groups nothing is told', async () => {
  const { db } = world.gateway.parts;
  await db.deleteFrom('groups').where('jid', '=', group.jid).execute();
  world.sandbox.faults.clear();
  expect(await read()).toMatchObject({ name: 'Team', members_count: 3 });
  const foreign = await ana.createGroup('Without us', [bia]);
  const answers = [await api.get(`/groups/${foreign.jid}`), await api.get('/groups/120363999999999999@g.us')];
  expect(answers.map(({ status, body }) => [status, body.error_code, body.error])).toEqual([
    [404, 'NOT_FOUND', 'the account knows no such group'],
    [404, 'NOT_FOUND', 'the account knows no such group'],
  ]);
});

test('its id alone names it too, and what is no group is refused', async () => {
  expect((await read(group.jid.replace('@g.us', ''))).jid).toBe(group.jid);
  for (const wrong of ['5511999993002@s.whatsapp.net', 'nobody', '1@g.us']) {
    const { status, body } = await api.get(`/groups/${wrong}`);
    expect([status, body.error_code, body.validation?.[0]?.field]).toEqual([400, 'VALIDATION_ERROR', 'jid']);
  }
});

test('the server is told that they were fetched, and a refusal of that ends nothing', async () => {
  const companion = world.sandbox.network.directory.resolveDevice(`${shop.number}:1@s.whatsapp.net`);
  expect(companion?.dirty.has('groups')).toBe(false);
  companion?.dirty.add('groups');
  const renamed = { subject: 'Missed' };
  const { db } = world.gateway.parts;
  await db.updateTable('groups').set(renamed).where('jid', '=', group.jid).execute();
  world.sandbox.faults.drop(`${shop.number}:1@s.whatsapp.net`);
  await world.sandbox.waitForOnline(`${shop.number}:1@s.whatsapp.net`);
  await world.untilConnected(token, device);
  expect(companion?.dirty.has('groups')).toBe(true);
  world.sandbox.faults.clear();
  world.sandbox.faults.drop(`${shop.number}:1@s.whatsapp.net`);
  await until('they were fetched', async () => companion?.dirty.has('groups') === false);
  expect((await read()).name).toBe('Team');
});

test('are fetched again when the server calls them dirty, which is no change of a group', async () => {
  const { db } = world.gateway.parts;
  await db.updateTable('groups').set({ subject: 'Missed' }).where('jid', '=', group.jid).execute();
  expect((await read()).name).toBe('Missed');
  world.sandbox.faults.clear();
  const named = { tag: 'group', attrs: { jid: group.jid } };
  world.sandbox.inject(`${shop.number}:1@s.whatsapp.net`, {
    tag: 'notification',
    attrs: { id: 'DIRTY1', type: 'w:gp2', from: '@s.whatsapp.net', t: '1790000000' },
    content: [{ tag: 'groups_dirty', attrs: {}, content: [named] }],
  });
  await until('they were fetched', async () => (await read()).name === 'Team');
  const { events } = (await api.get('/events?event=group.info&limit=1000')).body;
  expect(events.filter(({ data }: Json) => data.change === 'groups_dirty')).toEqual([]);
});

test('in pages', async () => {
  const all = (await api.get('/groups')).body.groups.map(({ jid }: Json) => jid);
  const paged: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const path: string = `/groups?limit=2${cursor && `&cursor=${cursor}`}`;
    const { groups, next_cursor } = (await api.get(path)).body;
    expect(groups.length).toBeLessThanOrEqual(2);
    paged.push(...groups.map(({ jid }: Json) => jid));
    cursor = next_cursor;
  }
  expect(paged).toEqual(all);
  expect((await api.get('/groups?cursor=bm90IG91cnM')).status).toBe(400);
});

test('a restart keeps what is known, and asks for nothing', async () => {
  const before = (await api.get('/groups')).body;
  withoutTraffic();
  await world.restartGateway();
  api = world.as(token);
  // While the device is away as well.
  const after = (await api.get('/groups')).body;
  expect(after).toEqual(before);
  await world.untilConnected(token, device);
  await ana.setGroupSubject(group, 'After the restart');
  await shows(({ name }) => name === 'After the restart');
  expect((await api.get('/groups')).body.as_of).toBe(before.as_of);
});

test('those that the server calls dirty are fetched after a restart, where the question had no answer', async () => {
  const { db } = world.gateway.parts;
  await db.updateTable('groups').set({ subject: 'Missed' }).where('jid', '=', group.jid).execute();
  world.sandbox.faults.refuseQuestions('silence', { xmlns: 'w:g2' });
  const companion = `${shop.number}:1@s.whatsapp.net`;
  world.sandbox.inject(companion, {
    tag: 'notification',
    attrs: { id: 'DIRTY2', type: 'w:gp2', from: '@s.whatsapp.net', t: '1790000000' },
    content: [{ tag: 'groups_dirty', attrs: {}, content: [{ tag: 'group', attrs: { jid: group.jid } }] }],
  });
  await until('it is acknowledged', async () => world.sandbox.pendingFor(companion) === 0);
  await until('it was asked', async () => world.sandbox.faults.questionsRefused.length > 0);
  await world.gateway.stop();
  world.sandbox.faults.clear();
  await world.restartGateway();
  api = world.as(token);
  await world.untilConnected(token, device);
  await until('they were fetched', async () => (await read()).name === 'Team');
});

test('a thousand groups are one answer, and no question', async () => {
  const { groups, directory } = world.sandbox.network;
  const account = (phone: Phone) => {
    const found = directory.byUser(phone.number);
    if (!found) throw new Error('nobody has the number');
    return found;
  };
  const many = await world.sandbox.createPhone({ number: '5511999993010', name: 'Many' });
  for (let n = 0; n < 1000; n += 1) {
    groups.create({ subject: `Group ${n}`, creator: account(ana), participants: [many, bia].map(account) });
  }
  const other = await world.tenant('many-groups');
  const linked = await world.linkByQr(other, many);
  const own = world.as(other);
  world.sandbox.faults.clear();
  const told = async () => (await own.get(`/groups?device_id=${linked}`)).body.groups;
  expect(await told()).toHaveLength(1000);
  withoutTraffic();
  const list = await told();
  expect(new Set(list.map(({ name }: Json) => name)).size).toBe(1000);
  expect(list.every(({ members_count }: Json) => members_count === 3)).toBe(true);
});

test('another account on the device sees nothing of them', async () => {
  expect((await api.post(`/logout?device_id=${device}`)).status).toBe(200);
  const qr = (await api.get(`/qr?device_id=${device}`)).body.data.qr_code;
  const other = await world.sandbox.createPhone({ number: '5511999993009', name: 'Other' });
  await other.scanQr(qr);
  await world.untilConnected(token, device);
  world.sandbox.faults.clear();
  expect((await api.get('/groups?include_left=true')).body.groups).toEqual([]);
  expect((await api.get(`/groups/${group.jid}`)).status).toBe(404);
});
