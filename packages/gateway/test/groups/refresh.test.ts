/** Answers of WhatsApp and changes that it tells of, however they cross: what is kept is what is true last. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../src/clock.ts';
import type { NoticedDevice } from '../../src/events/notice-events.ts';
import { NoticeEvents } from '../../src/events/notice-events.ts';
import { noEvents } from '../../src/events/recorder.ts';
import { keepGroupNotice } from '../../src/groups/group-keeper.ts';
import { GroupRefresh } from '../../src/groups/group-refresh.ts';
import { GroupStore } from '../../src/groups/group-store.ts';
import { GroupsOnConnect } from '../../src/groups/groups-on-connect.ts';
import { createLog } from '../../src/observability/log.ts';
import { RequestRefused, SessionNotOpen } from '../../src/whatsapp/port/errors.ts';
import type { GroupInfo, SessionGroups } from '../../src/whatsapp/port/groups.ts';
import type { SessionNotice } from '../../src/whatsapp/port/notices.ts';
import { idleGroups, idleSession } from '../whatsapp/idle-session.ts';
import { addDevice, addTenant, addUser, openTestDatabase, type TestDatabase } from '../worlds/database.ts';
import { until } from '../worlds/until.ts';

const NOW = Date.UTC(2026, 5, 15, 12);
const SHOP = { jid: '5511999990001@s.whatsapp.net', lid: '111111111111111@lid' };
const ANA = { jid: '5511999990002@s.whatsapp.net', lid: '222222222222222@lid' };
const ROLES = { admin: false, superAdmin: false };

let store: TestDatabase;
let groups: GroupStore;
let refresh: GroupRefresh;
let notices: NoticeEvents;
let device: NoticedDevice;
let group: string;
const clock = new ManualClock(NOW);

beforeAll(async () => {
  store = await openTestDatabase({ sync: 'normal' });
});
afterAll(() => store.close());

beforeEach(async () => {
  const { db } = store;
  const caller = await addUser(db, NOW, { tenantId: await addTenant(db, NOW) });
  device = { id: await addDevice(db, NOW, caller, SHOP), ...caller, ...SHOP };
  groups = new GroupStore(db);
  refresh = new GroupRefresh({ db, clock });
  notices = new NoticeEvents({ db, events: noEvents });
  notices.keep(async (trx, by, notice) => {
    if (notice.name !== 'group.info' && notice.name !== 'group.joined') return;
    refresh.changed(by.id, notice.group);
    await keepGroupNotice(trx, by, notice, clock.now());
  });
  group = `120363${randomBytes(6).readUIntBE(0, 5)}@g.us`;
});

function info(more: Partial<GroupInfo> = {}): GroupInfo {
  return {
    jid: group,
    subject: 'Team',
    description: null,
    owner: SHOP,
    createdAt: NOW,
    announce: false,
    locked: false,
    joinApproval: false,
    memberAddMode: 'all',
    ephemeralSeconds: 0,
    community: false,
    parent: null,
    communityAnnouncements: false,
    suspended: false,
    size: 1,
    members: [{ ...SHOP, admin: true, superAdmin: true }],
    ...more,
  };
}

function renamed(value: string): SessionNotice {
  return {
    name: 'group.info',
    group,
    author: null,
    change: 'subject',
    participants: [],
    value,
    timestamp: NOW,
  };
}

function members(change: 'add' | 'remove' | 'promote' | 'leave', id = ANA): SessionNotice {
  const participants = [{ id, change }];
  return {
    name: 'group.info',
    group,
    author: null,
    change: 'participants',
    participants,
    value: null,
    timestamp: NOW,
  };
}

const session = (parts: Partial<SessionGroups>) => ({ groups: { ...idleGroups, ...parts } });

test('a change that comes while the group is asked for is not undone by the older answer', async () => {
  await refresh.one(device, session({ info: async () => info() }), group);
  const answers = [info(), info({ subject: 'Renamed' })];
  const asked: string[] = [];
  await refresh.one(
    device,
    session({
      info: async (jid) => {
        asked.push(jid);
        if (asked.length === 1) await notices.record(device, renamed('Renamed'));
        return answers[asked.length - 1] ?? info();
      },
    }),
    group,
  );
  expect(asked).toEqual([group, group]);
  expect((await groups.find(device, group))?.subject).toBe('Renamed');
});

test('nor by the older list, in which it may not even stand', async () => {
  const named = info({ subject: 'New' });
  const joined: SessionNotice = {
    name: 'group.joined',
    group,
    subject: 'New',
    author: null,
    participants: [SHOP],
    timestamp: NOW,
    info: named,
  };
  await refresh.all(
    device,
    session({
      joined: async () => {
        await notices.record(device, joined);
        return [];
      },
      info: async () => named,
    }),
  );
  expect(await groups.find(device, group)).toMatchObject({ subject: 'New', membership: 'member' });
});

test('a group that changes each time it is asked for is as its last change says', async () => {
  await refresh.one(device, session({ info: async () => info() }), group);
  let changes = 0;
  await refresh.one(
    device,
    session({
      info: async () => {
        changes += 1;
        await notices.record(device, renamed(`Name ${changes}`));
        return info();
      },
    }),
    group,
  );
  expect((await groups.find(device, group))?.subject).toBe(`Name ${changes}`);
});

test('what is not in the list any more is left, and what a change ended stays as it was told', async () => {
  await refresh.one(device, session({ info: async () => info() }), group);
  await refresh.all(device, session({ joined: async () => [] }));
  expect(await groups.find(device, group)).toMatchObject({ membership: 'outside', leftAt: null });
  await refresh.one(device, session({ info: async () => info() }), group);
  await notices.record(device, members('leave', SHOP));
  const refuse = () => Promise.reject(new RequestRefused(403, 'forbidden'));
  expect(await refresh.one(device, session({ info: refuse }), group)).toBe(false);
  expect(await groups.find(device, group)).toMatchObject({ membership: 'left', leftAt: NOW });
});

test('changes that were in the answer already change nothing', async () => {
  const ana = { ...ANA, admin: true, superAdmin: false };
  const now = info({ size: 2, members: [...info().members, ana] });
  await refresh.one(device, session({ info: async () => now }), group);
  for (const change of ['add', 'promote'] as const) await notices.record(device, members(change));
  expect((await groups.members(device, group)).members).toContainEqual(ana);
  expect((await groups.find(device, group))?.size).toBe(2);
});

test('somebody who was known by the LID alone is one member when the number comes', async () => {
  const unnamed = { jid: null, lid: ANA.lid };
  const now = info({ size: 2, members: [...info().members, { ...unnamed, ...ROLES }] });
  await refresh.one(device, session({ info: async () => now }), group);
  await notices.record(device, members('promote'));
  const told = await groups.members(device, group);
  expect(told.members.slice(1)).toEqual([{ ...ANA, admin: true, superAdmin: false }]);
  await notices.record(device, members('remove', { ...unnamed, jid: ANA.jid }));
  expect((await groups.members(device, group)).members).toHaveLength(1);
  expect((await groups.find(device, group))?.size).toBe(1);
});

test('a stop ends the storing of a long list, and the list counts as not told', async () => {
  const asked = refresh.all(
    device,
    session({
      joined: async () => {
        refresh.stop();
        return [info()];
      },
    }),
  );
  await expect(asked).rejects.toThrow(SessionNotOpen);
  expect([await groups.listedAt(device), await groups.find(device, group)]).toEqual([null, null]);
});

test('questions for the list at the same time are one', async () => {
  let asked = 0;
  const joined = async () => {
    asked += 1;
    return [info()];
  };
  await Promise.all([1, 2, 3].map(() => refresh.all(device, session({ joined }))));
  expect(asked).toBe(1);
  expect((await groups.list(device, { includeLeft: false })).groups).toHaveLength(1);
});

test('groups that the server calls dirty while it is asked for them are asked for once more', async () => {
  const answers: ((groups: GroupInfo[]) => void)[] = [];
  const joined = (): Promise<GroupInfo[]> => new Promise((resolve) => answers.push(resolve));
  const session = idleSession({ groups: { ...idleGroups, joined } });
  const log = createLog({ level: 'silent', format: 'json' });
  const parts = { clock, log, store: groups, refresh, devices: { openSession: () => session } };
  const following = new GroupsOnConnect(parts);
  following.connected(device);
  await until('it is asked', () => answers.length === 1);
  await following.changed(device);
  answers[0]?.([info({ subject: 'Before' })]);
  await until('it is asked again', () => answers.length === 2);
  answers[1]?.([info({ subject: 'After' })]);
  await until('the answer is stored', async () => (await groups.find(device, group))?.subject === 'After');
  await following.stop();
});
