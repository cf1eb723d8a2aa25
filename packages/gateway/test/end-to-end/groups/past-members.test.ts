/** Who left a group, as the account saw it. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, expect, test } from 'vitest';
import { type Json, until } from '../harness.ts';
import { startTeam } from './team.ts';

const team = await startTeam();
const { world, token, shop, ana, bia, caio } = team;
let { api } = team;

afterAll(() => world.destroy());

test('of a group that the account was never in nothing is known', async () => {
  const foreign = await ana.createGroup('Not ours', [bia]);
  for (const jid of [foreign.jid, '120363999999999999@g.us']) {
    expect((await api.get(`/groups/${jid}/past-participants`)).body.error_code).toBe('NOT_FOUND');
  }
});

test('who had gone before the device was linked is told by the phone, once and by nothing else', async () => {
  const [owner, dora, eva] = (await Promise.all(
    ['Owner', 'Dora', 'Eva'].map((name, index) =>
      world.sandbox.createPhone({ number: `551199999651${index}`, name }),
    ),
  )) as [Phone, Phone, Phone];
  const group = await owner.createGroup('Old team', [eva]);
  await owner.past.left(group, [
    { person: dora, at: 1_700_000_000 },
    { person: bia, removed: true },
    // Came back since, as who is in the group shows.
    { person: eva, at: 1_600_000_000, known: false },
    { person: owner, at: 1_500_000_000 },
  ]);
  const other = await world.tenant('past-of-others');
  await world.linkByQr(other, owner);
  const theirs = world.as(other);
  const { participants } = await until('they are there', async () => {
    const { body } = await theirs.get(`/groups/${group.jid}/past-participants`);
    return body.participants?.length === 2 && body;
  });
  expect(participants).toEqual([
    {
      jid: bia.jid,
      lid: bia.lid,
      phone_number: bia.jid,
      reason: 'removed',
      removed_by: null,
      left_at: null,
    },
    {
      jid: dora.jid,
      lid: dora.lid,
      phone_number: dora.jid,
      reason: 'left',
      removed_by: null,
      left_at: '2023-11-14T22:13:20.000Z',
    },
  ]);
  // What the account sees itself goes before what history said.
  await owner.addToGroup(group, dora);
  await until('she is back', async () => {
    const { body } = await theirs.get(`/groups/${group.jid}/past-participants`);
    return body.participants.length === 1;
  });
  const { events } = (await theirs.get('/events?limit=100')).body;
  expect(JSON.stringify(events)).not.toContain('2023-11-14');
  expect((await api.get(`/groups/${group.jid}/past-participants`)).body.error_code).toBe('NOT_FOUND');
});

test('who left and who was put out is kept over a restart, and forgotten when they come back', async () => {
  const group = await ana.createGroup('Team', [shop, bia, caio]);
  await bia.leaveGroup(group);
  await ana.removeFromGroup(group, caio);
  const list = async (query = ''): Promise<Json> =>
    (await api.get(`/groups/${group.jid}/past-participants${query}`)).body;
  const gone = (count: number) =>
    until(`${count} are gone`, async () => {
      const answer = await list();
      return answer.participants?.length === count && answer;
    });
  const { participants, ...rest } = await gone(2);
  expect(rest).toEqual({ success: true, group_jid: group.jid, next_cursor: null });
  expect(participants).toEqual([
    {
      jid: bia.jid,
      lid: bia.lid,
      phone_number: bia.jid,
      reason: 'left',
      removed_by: null,
      left_at: expect.any(String),
    },
    {
      jid: caio.jid,
      lid: caio.lid,
      phone_number: caio.jid,
      reason: 'removed',
      removed_by: ana.jid,
      left_at: expect.any(String),
    },
  ]);
  const first = await list('?limit=1');
  expect(first.participants).toHaveLength(1);
  const second = await list(`?limit=1&cursor=${first.next_cursor}`);
  expect([second.participants[0].jid, second.next_cursor]).toEqual([caio.jid, null]);
  await world.restartGateway();
  api = world.as(token);
  await gone(2);
  await ana.addToGroup(group, caio);
  const { participants: left } = await gone(1);
  expect(left[0].jid).toBe(bia.jid);
});
