/** Members of groups, as the API lets them in, puts them out and changes them. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { type Json, until } from '../harness.ts';
import { makeGroup, memberOf, recorded, startTeam, storedGroup } from './team.ts';

const team = await startTeam();
const { world, api, shop, ana, bia, caio } = team;
/** Made by the shop. */
let group: string;

afterAll(() => world.destroy());

beforeEach(async () => {
  group = await makeGroup(team);
});

const seenBy = (phone: Phone, jid = group) => phone.groupInfo({ jid });
const stored = (jid = group) => storedGroup(team, jid);
const event = (name: string, fits: (data: Json) => boolean) => recorded(team, name, fits);

describe('members', () => {
  const change = (method: string, body: Json) => api.call(method, `/groups/${group}/participants`, body);

  test('are added, promoted, demoted and removed', async () => {
    const added = await change('POST', { participants: [caio.number] });
    expect(added.body.participants).toEqual([
      {
        ...memberOf(caio),
        input: caio.number,
        status: 200,
        error: null,
        invite: null,
        invite_message_id: null,
        invite_error: null,
      },
    ]);
    expect((await seenBy(caio)).subject).toBe('Team');
    expect((await stored()).members_count).toBe(4);
    const roles: [string, string, boolean][] = [
      ['POST', 'promote', true],
      ['DELETE', 'demote', false],
    ];
    for (const [method, action, admin] of roles) {
      const { body } = await change(method, { participants: [caio.lid, ana.jid], action });
      expect(body.participants).toMatchObject([
        memberOf(caio, { is_admin: admin }),
        memberOf(ana, { is_admin: admin }),
      ]);
      const member = (await seenBy(ana)).members.find(({ jid }) => jid === caio.jid);
      expect(member?.role).toBe(admin ? 'admin' : undefined);
    }
    const removed = await change('DELETE', { participants: [caio.number, bia.number] });
    expect(removed.body.participants.map(({ status }: Json) => status)).toEqual([200, 200]);
    expect((await stored()).participants.map(({ jid }: Json) => jid)).toEqual([shop.jid, ana.jid]);
    await expect(seenBy(bia)).rejects.toThrow();
    await event(
      'group.info',
      (data) => data.group_jid === group && data.participants[0]?.change === 'remove',
    );
  });

  test('who is added reads what is sent next, and who is removed does not', async () => {
    const write = async (text: string): Promise<string> => {
      const { status, body } = await api.post('/send/text', { number: group, text });
      expect(status, JSON.stringify(body)).toBe(200);
      return body.message_id;
    };
    const readBy = (phone: Phone, message: string) => phone.waitForMessage(({ id }) => id === message);
    await readBy(bia, await write('to three'));
    await change('POST', { participants: [caio.number] });
    await readBy(caio, await write('to four'));
    await change('DELETE', { participants: [bia.number] });
    const last = await write('without Bia');
    await readBy(caio, last);
    await readBy(ana, last);
    // What is sent to her alone comes after it.
    const alone = await api.post('/send/text', { number: bia.number, text: 'goodbye' });
    await readBy(bia, alone.body.message_id);
    expect(bia.inbox.some(({ id }) => id === last)).toBe(false);
  });

  test('each refusal is told for the one whom it is about', async () => {
    const number = (end: string) => `55119999929${end}`;
    const phone = (end: string) => world.sandbox.createPhone({ number: number(end), name: `P${end}` });
    const [left, hidden, blocked, free] = [
      await phone('01'),
      await phone('02'),
      await phone('03'),
      await phone('04'),
    ];
    await change('POST', { participants: [left.number] });
    await left.leaveGroup({ jid: group });
    await hidden.setPrivacy('groupadd', 'none');
    await blocked.block(shop);
    const { status, body } = await change('POST', {
      participants: [ana, left, hidden, blocked, free].map((each) => each.number).concat(number('99')),
    });
    expect(status).toBe(200);
    expect(body.participants.map(({ input, status, error }: Json) => [input, status, error])).toEqual([
      [ana.number, 409, 'ALREADY_IN_GROUP'],
      [left.number, 408, 'LEFT_RECENTLY'],
      [hidden.number, 403, 'NEEDS_INVITE'],
      [blocked.number, 401, 'BLOCKED'],
      [free.number, 200, null],
      [number('99'), 404, 'NOT_ON_WHATSAPP'],
    ]);
    expect(body.participants[2].invite).toMatchObject({
      code: expect.any(String),
      expires_at: expect.any(String),
    });
    const limited = world.sandbox.network.groups.get(group);
    if (limited) limited.memberLimit = limited.participants.size;
    const full = await change('POST', { participants: [caio.number] });
    expect(full.body.participants).toMatchObject([{ status: 419, error: 'GROUP_FULL' }]);
    const strangers = await change('DELETE', { participants: [caio.number, shop.number] });
    expect(strangers.body.participants).toMatchObject([
      { status: 404, error: 'NOT_A_MEMBER' },
      { status: 406, error: 'IS_CREATOR', is_super_admin: true },
    ]);
  });

  test('who is no admin is told so, and may be let add by the group', async () => {
    const other = (await ana.createGroup('Of Ana', [shop])).jid;
    await until('it is known', async () => (await api.get(`/groups/${other}`)).status === 200);
    for (const [method, path, body] of [
      ['PATCH', '', { announcement: true }],
      ['DELETE', '/participants', { participants: [ana.number] }],
      ['GET', '/invite', undefined],
    ] as const) {
      const answer = await api.call(method, `/groups/${other}${path}`, body);
      expect([answer.status, answer.body.error_code]).toEqual([422, 'REJECTED_BY_WHATSAPP']);
      expect(answer.body.error).toContain('no admin');
    }
    await ana.setGroupApproval({ jid: other }, true);
    const asked = await api.post(`/groups/${other}/participants`, { participants: [bia.number] });
    expect(asked.body.participants).toMatchObject([{ status: 421, error: 'WAITS_FOR_APPROVAL' }]);
    await ana.setGroupAddMode({ jid: other }, 'admin_add');
    const refused = await api.post(`/groups/${other}/participants`, { participants: [bia.number] });
    expect(refused.status).toBe(422);
  });

  test('more than WhatsApp takes at once go in portions; what is refused later is told beside what is done', async () => {
    const members = await Promise.all(
      Array.from({ length: 55 }, (_, n) =>
        world.sandbox.createPhone({ number: `5511999980${String(n).padStart(3, '0')}`, name: `M${n}` }),
      ),
    );
    const numbers = members.map((each) => each.number);
    world.sandbox.faults.refuseQuestions(429, { xmlns: 'w:g2', after: 1 });
    const { status, body } = await change('POST', { participants: numbers });
    world.sandbox.faults.clear();
    expect(status).toBe(200);
    const told = body.participants.map(({ input, error }: Json) => [input, error]);
    expect(told).toEqual(numbers.map((each, n) => [each, n < 50 ? null : 'RATE_LIMITED']));
    await change('POST', { participants: numbers.slice(50) });
    expect((await stored()).members_count).toBe(58);
    expect((await seenBy(members[54] ?? ana)).members).toHaveLength(58);
  });

  test('are listed, in pages and as a table', async () => {
    const path = `/groups/${group}/participants`;
    const all = [memberOf(shop, { is_admin: true, is_super_admin: true }), memberOf(ana), memberOf(bia)];
    expect((await api.get(path)).body).toEqual({ success: true, participants: all, next_cursor: null });
    const first = (await api.get(`${path}?limit=2`)).body;
    expect(first.participants).toEqual(all.slice(0, 2));
    const second = (await api.get(`${path}?limit=2&cursor=${first.next_cursor}`)).body;
    expect(second).toMatchObject({ participants: all.slice(2), next_cursor: null });
    const table = [
      'number,jid,lid,is_admin,is_super_admin',
      `${shop.number},${shop.jid},${shop.lid},true,true`,
      `${ana.number},${ana.jid},${ana.lid},false,false`,
      `${bia.number},${bia.jid},${bia.lid},false,false`,
    ];
    for (const answer of [await api.get(`${path}?format=csv`), await api.get(path, { accept: 'text/csv' })]) {
      expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
      expect(answer.bytes.toString()).toBe(table.map((line) => `${line}\r\n`).join(''));
    }
    expect((await api.get(`${path}?format=json`, { accept: 'text/csv' })).body.participants).toEqual(all);
  });

  test('nobody, and nobody that could be', async () => {
    for (const participants of [[], undefined, ['hello'], [group]]) {
      expect((await change('POST', { participants })).status, JSON.stringify(participants)).toBe(400);
    }
    expect((await change('POST', { participants: [ana.number], action: 'ban' })).status).toBe(400);
  });
});
