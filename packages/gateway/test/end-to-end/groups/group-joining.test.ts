/** Coming into groups and letting others in, with other phones as witnesses of what became of it. */
import type { Phone } from '@wuts/sandbox';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Json, until } from '../harness.ts';
import { jidsOf, membersOf, startTeam } from './team.ts';

const { world, api, shop, ana, bia, caio } = await startTeam();
/** Ana's. */
let group: { jid: string };
let made = 0;

afterAll(() => world.destroy());
beforeEach(async () => {
  made += 1;
  group = await ana.createGroup(`Group ${made}`, [bia]);
});
afterEach(() => {
  world.sandbox.faults.clear();
});

const linkOf = async (by: Phone, { jid }: { jid: string }) =>
  `https://chat.whatsapp.com/${await by.groupInvite({ jid })}`;
const join = (body: Json) => api.post('/groups/join', body);
const preview = (query: Record<string, string>) => api.get(`/groups/join?${new URLSearchParams(query)}`);
const end = async (answer: ReturnType<typeof join>) => {
  const { status, body } = await answer;
  return [status, body.error_code];
};
async function event(name: string, fits: (data: Json) => boolean): Promise<Json> {
  return until(`${name} is told`, async () => {
    const { body } = await api.get(`/events?event=${name}&limit=500`);
    return body.events.map(({ data }: Json) => data).find(fits);
  });
}

describe('by a link', () => {
  test('a group is looked at, then joined, and the others see who came', async () => {
    const link = await linkOf(ana, group);
    await ana.setGroupDescription(group, 'About bread');
    const seen = await preview({ link });
    expect(seen.body).toMatchObject({
      success: true,
      group: {
        jid: group.jid,
        name: `Group ${made}`,
        topic: 'About bread',
        owner: ana.jid,
        members_count: 2,
      },
      already_member: false,
    });
    expect(await membersOf(ana, group.jid)).toEqual(jidsOf(ana, bia));
    const { status, body } = await join({ link: `${link}?mode=ac_t` });
    expect([status, body]).toEqual([200, { success: true, pending_approval: false, group_jid: group.jid }]);
    expect(await membersOf(ana, group.jid)).toEqual(jidsOf(ana, bia, shop));
    expect((await preview({ link })).body).toMatchObject({ already_member: true });
    await event('group.joined', ({ group_jid }) => group_jid === group.jid);
  });

  test.each(['code', 'invite_code', 'inviteCode'])('its code is enough: %s', async (member) => {
    expect((await join({ [member]: await ana.groupInvite(group) })).body.group_jid).toBe(group.jid);
    expect(await membersOf(ana, group.jid)).toContain(shop.jid);
  });

  test('where admins decide, they see who asks, and the caller is told when they let it in', async () => {
    await ana.setGroupApproval(group, true);
    const { body } = await join({ link: await linkOf(ana, group) });
    expect(body).toEqual({ success: true, pending_approval: true, group_jid: group.jid });
    expect(await ana.joinRequests(group)).toEqual([{ jid: shop.jid, method: 'invite_link' }]);
    await ana.approveJoins(group, shop);
    await event('group.joined', ({ group_jid }) => group_jid === group.jid);
  });

  test('each refusal of WhatsApp has a code of its own', async () => {
    const old = await linkOf(ana, group);
    await ana.resetGroupInvite(group);
    const link = await linkOf(ana, group);
    expect(await end(join({ link: old }))).toEqual([410, 'INVITE_REVOKED']);
    expect(await end(preview({ link: old }))).toEqual([410, 'INVITE_REVOKED']);
    expect(await end(join({ code: 'AAAAAAAAAAAAAAAAAAAAAA' }))).toEqual([404, 'INVITE_INVALID']);
    world.sandbox.faults.limitMembers(group.jid, 2);
    expect(await end(join({ link }))).toEqual([409, 'GROUP_FULL']);
    world.sandbox.faults.limitMembers(group.jid, 9);
    await join({ link });
    expect(await end(join({ link }))).toEqual([409, 'ALREADY_MEMBER']);
    await ana.removeFromGroup(group, shop);
    expect(await end(join({ link }))).toEqual([403, 'JOIN_FORBIDDEN']);
    expect(await membersOf(ana, group.jid)).toEqual(jidsOf(ana, bia));
  });

  test.each([
    [400, 422, 'REJECTED_BY_WHATSAPP'],
    [403, 403, 'JOIN_FORBIDDEN'],
    [404, 404, 'GROUP_GONE'],
    [405, 403, 'JOIN_FORBIDDEN'],
    [412, 409, 'GROUP_FULL'],
    [426, 422, 'REJECTED_BY_WHATSAPP'],
    [429, 429, 'RATE_LIMITED'],
    [436, 409, 'INVITE_UNAVAILABLE'],
    [463, 429, 'ACCOUNT_LIMITED'],
    [503, 502, 'WHATSAPP_ERROR'],
  ])('WhatsApp says %i: %i %s', async (code, status, errorCode) => {
    world.sandbox.faults.refuseQuestions(code, { xmlns: 'w:g2' });
    const { status: answered, body } = await join({ code: 'AAAAAAAAAAAAAAAAAAAAAA' });
    expect([answered, body.error_code, body.whatsapp_code]).toEqual([status, errorCode, code]);
  });

  test.each([
    {},
    { link: 'https://example.com/AbCdEfGhIjKlMnOpQrStUv' },
    { link: 'https://chat.whatsapp.com/' },
    { link: 'https://chat.whatsapp.com/AbCdEfGhIjKl/more' },
    { code: 'not a code' },
    { link: 'https://chat.whatsapp.com/AbCdEfGhIjKlMnOpQrStUv', code: 'AbCdEfGhIjKlMnOpQrStUv' },
    { code: 'AbCdEfGhIjKl', invite_code: 'another-code' },
    { code: 'AbCdEfGhIjKl', group_jid: '120363039000000000@g.us' },
    { code: 'AbCdEfGhIjKl', inviter_jid: '5511988888888' },
    { code: 'AbCdEfGhIjKl', group_jid: 'x@g.us', inviter_jid: '5511988888888', expiration: 9 },
    { code: 'AbCdEfGhIjKl', group_jid: '120363039000000000@g.us', inviter_jid: '5511988888888' },
  ])('%j is no invite', async (body) => {
    expect(await end(join(body))).toEqual([400, 'VALIDATION_ERROR']);
  });

  test.each([
    'chat.whatsapp.com/%s',
    'https://chat.whatsapp.com/invite/%s',
    'whatsapp://chat?code=%s',
    ' %s ',
  ])('a link may be written %s', async (form) => {
    const link = form.replace('%s', await ana.groupInvite(group));
    expect((await preview({ link })).body.group).toMatchObject({ jid: group.jid });
  });
});

describe('by an invitation', () => {
  /** Ana could not add the shop, and sends what she got for it. */
  async function invited(): Promise<Json> {
    await shop.setPrivacy('groupadd', 'none');
    const [refused] = await ana.addToGroup(group, shop);
    await shop.setPrivacy('groupadd', 'all');
    const { code = '', expiration = 0 } = refused?.invitation ?? {};
    return { code, group_jid: group.jid, inviter_jid: ana.jid, expiration };
  }

  test('it is joined once, by what the message says', async () => {
    const { expiration, ...invite } = await invited();
    const { id } = await ana.sendRaw(shop, {
      groupInviteMessage: { groupJid: group.jid, inviteCode: invite.code, inviteExpiration: expiration },
    });
    const stored = await until('the invitation is stored', async () => {
      const { status, body } = await api.get(`/messages/${id}`);
      return status === 200 && body.message;
    });
    expect(stored.details).toMatchObject({ invite_code: invite.code, invite_expiration: expiration });
    expect((await preview(invite)).body.group).toMatchObject({ jid: group.jid, name: `Group ${made}` });
    const { status, body } = await join(invite);
    expect([status, body]).toEqual([200, { success: true, pending_approval: false, group_jid: group.jid }]);
    expect(await membersOf(ana, group.jid)).toContain(shop.jid);
    await ana.removeFromGroup(group, shop);
    expect(await end(join(invite))).toEqual([404, 'INVITE_INVALID']);
  });

  test('with the time that it ends no message is needed; a revoked one leads nowhere', async () => {
    const invite = await invited();
    expect(await end(join({ ...invite, expiration: invite.expiration + 1 }))).toEqual([
      404,
      'INVITE_INVALID',
    ]);
    await ana.revokeGroupInvitation(group, shop);
    expect(await end(join(invite))).toEqual([404, 'INVITE_INVALID']);
    expect((await join(await invited())).body.group_jid).toBe(group.jid);
  });
});

describe('those who ask', () => {
  beforeEach(async () => {
    await ana.addToGroup(group, shop);
    await ana.setGroupApproval(group, true);
    await ana.promote(group, shop);
  });

  test('are told of and listed, let in or refused, each answered for', async () => {
    const code = await ana.groupInvite(group);
    const guests = await Promise.all(
      [1, 2].map((n) => world.sandbox.createPhone({ number: `55119999${made}62${n}0`, name: `Guest ${n}` })),
    );
    const [dora, edu] = guests as [Phone, Phone];
    for (const phone of [caio, dora, edu]) await phone.joinGroup(code);
    const asked = await event('group.join_request', (data) => data.participants?.[0]?.jid === caio.jid);
    expect(asked).toMatchObject({ group_jid: group.jid, action: 'created', method: 'invite_link' });
    expect(asked.participants).toEqual([{ jid: caio.jid, lid: caio.lid, phone_number: caio.number }]);

    const listed = await api.get(`/groups/${group.jid}/join-requests`);
    expect(listed.body).toMatchObject({ success: true, group_jid: group.jid });
    expect(listed.body.requests.map(({ jid, lid, method }: Json) => [jid, lid, method])).toEqual(
      [caio, dora, edu].map(({ jid, lid }) => [jid, lid, 'invite_link']),
    );

    const let_in = await api.post(`/groups/${group.jid}/join-requests`, {
      action: 'approve',
      participants: [caio.number, ana.lid],
    });
    expect(let_in.body.participants).toMatchObject([
      { jid: caio.jid, phone_number: caio.jid, status: 200, error: null },
      { lid: ana.lid, status: 404, error: 'NOT_WAITING' },
    ]);
    expect(await membersOf(ana, group.jid)).toEqual(jidsOf(ana, bia, shop, caio));

    await dora.cancelJoin(group);
    await event('group.join_request', (data) => data.action === 'cancelled' && data.author?.jid === dora.jid);
    const rejected = await api.post(`/groups/${group.jid}/join-requests`, { action: 'reject', all: true });
    expect(rejected.body.participants).toMatchObject([{ jid: edu.jid, status: 200 }]);
    expect(await ana.joinRequests(group)).toEqual([]);
    expect(await membersOf(ana, group.jid)).toEqual(jidsOf(ana, bia, shop, caio));
    await event(
      'group.join_request',
      ({ action, participants, author }) =>
        action === 'rejected' && participants[0].jid === edu.jid && author.jid === shop.jid,
    );
  });

  test('are an admin’s to see, and one says whom the decision is about', async () => {
    await ana.demote(group, shop);
    expect(await end(api.get(`/groups/${group.jid}/join-requests`))).toEqual([422, 'REJECTED_BY_WHATSAPP']);
    for (const body of [
      { action: 'approve' },
      { action: 'approve', participants: [caio.number], all: true },
      { action: 'approve', participants: ['nobody'] },
      { action: 'postpone', all: true },
    ]) {
      const answer = api.post(`/groups/${group.jid}/join-requests`, body);
      expect(await end(answer)).toEqual([400, 'VALIDATION_ERROR']);
    }
  });
});
