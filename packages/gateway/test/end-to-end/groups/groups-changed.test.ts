/** What the API does to groups, as other phones see it; and what WhatsApp refuses. */
import type { Phone } from '@wuts/sandbox';
import sharp from 'sharp';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { type Json, until } from '../harness.ts';
import { jpeg, webp } from '../samples.ts';
import { makeGroup, memberOf, recorded, startTeam, storedGroup } from './team.ts';

const team = await startTeam();
const { world, token, api, shop, ana, bia, caio } = team;
/** Made by the shop. */
let group: string;

afterAll(() => world.destroy());

beforeEach(async () => {
  group = await makeGroup(team);
});

const seenBy = (phone: Phone, jid = group) => phone.groupInfo({ jid });
const stored = (jid = group) => storedGroup(team, jid);
const event = (name: string, fits: (data: Json) => boolean) => recorded(team, name, fits);

describe('making a group', () => {
  test('everybody in it sees it, and the account is its first admin', async () => {
    expect(await seenBy(ana)).toMatchObject({ subject: 'Team', announcement: false, community: false });
    const told = await stored();
    expect(told).toMatchObject({ name: 'Team', owner: shop.jid, members_count: 3, is_admin: true });
    expect(told.participants).toEqual([
      memberOf(shop, { is_admin: true, is_super_admin: true }),
      memberOf(ana),
      memberOf(bia),
    ]);
    expect((await event('group.joined', ({ group_jid }) => group_jid === group)).subject).toBe('Team');
    const sent = await api.post('/send/text', { number: group, text: 'welcome' });
    expect(sent.status).toBe(200);
    expect((await bia.waitForMessage(({ id }) => id === sent.body.message_id)).text).toBe('welcome');
  });

  // Each is a JID, or a word of its own, to the library's encoder.
  test.each([
    ['Loja @centro'],
    ['call me @'],
    ['@'],
    ['a_1:2@x'],
    ['constructor'],
    ['Ana & Bia @ 8:30'],
  ])('called %s, it is called so to everybody', async (name) => {
    const { status, body } = await api.post('/groups', { name, participants: [ana.number] });
    expect(status, JSON.stringify(body)).toBe(201);
    expect(body.group.name).toBe(name);
    expect((await seenBy(ana, body.group.jid)).subject).toBe(name);
  });

  test('with every option', async () => {
    const { status, body } = await api.post('/groups', {
      name: 'Notices',
      participants: [ana.lid],
      options: {
        announcement: true,
        locked: true,
        join_approval: true,
        member_add_mode: 'admin',
        ephemeral_seconds: 604_800,
      },
    });
    expect(status, JSON.stringify(body)).toBe(201);
    expect(body.group).toMatchObject({
      is_announce: true,
      is_locked: true,
      join_approval: true,
      member_add_mode: 'admin',
      ephemeral_seconds: 604_800,
    });
    expect(await seenBy(ana, body.group.jid)).toMatchObject({
      announcement: true,
      locked: true,
      approval: true,
      addMode: 'admin_add',
      ephemeral: 604_800,
    });
  });

  test('whom WhatsApp does not take in is told, and invited when that is asked for', async () => {
    await caio.setPrivacy('groupadd', 'none');
    const body = { name: 'Almost all', participants: [ana.number, caio.number, '5511999992999'] };
    const made = await api.post('/groups', { ...body, send_invite: true });
    expect(made.status).toBe(201);
    expect(made.body.group.members_count).toBe(2);
    const [hidden, nobody, ...more] = made.body.refused;
    expect(more).toEqual([]);
    expect(hidden).toMatchObject({
      input: caio.number,
      jid: caio.jid,
      lid: caio.lid,
      status: 403,
      error: 'NEEDS_INVITE',
    });
    expect(nobody).toMatchObject({ input: '5511999992999', status: 404, error: 'NOT_ON_WHATSAPP' });
    const { message } = await caio.waitForMessage(({ id }) => id === hidden.invite_message_id);
    expect(message?.groupInviteMessage).toMatchObject({
      groupJid: made.body.group.jid,
      groupName: 'Almost all',
      inviteCode: hidden.invite.code,
    });
    const { inviteCode: code = '', inviteExpiration } = message?.groupInviteMessage ?? {};
    await caio.acceptGroupInvitation({
      group: made.body.group.jid,
      code: code ?? '',
      expiration: Number(inviteExpiration),
      admin: shop.jid,
    });
    await until('the account sees them', async () => (await stored(made.body.group.jid)).members_count === 3);
    await caio.setPrivacy('groupadd', 'all');
  });

  test('a repeated request with its key makes one group', async () => {
    const key = { 'idempotency-key': crypto.randomUUID() };
    const body = { name: 'Once', participants: [] };
    const [first, second] = [await api.post('/groups', body, key), await api.post('/groups', body, key)];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body.group.jid).toBe(first.body.group.jid);
  });

  test('a name and people that cannot be are refused before anything is made', async () => {
    const before = (await api.get('/groups')).body.groups.length;
    for (const [body, code, field] of [
      [{ name: ' ', participants: [] }, 'VALIDATION_ERROR', 'name'],
      [{ name: 'é'.repeat(101), participants: [] }, 'VALIDATION_ERROR', 'name'],
      [{ name: 'x', participants: ['12'] }, 'INVALID_RECIPIENT', 'participants.0'],
      [{ name: 'x', participants: [ana.number, group] }, 'INVALID_RECIPIENT', 'participants.1'],
      [{ name: 'x', participants: [], options: { ephemeral_seconds: 60 } }, 'VALIDATION_ERROR', undefined],
    ] as const) {
      const answer = await api.post('/groups', body);
      expect([answer.status, answer.body.error_code], JSON.stringify(answer.body)).toEqual([400, code]);
      if (field) expect(answer.body.validation[0].field).toBe(field);
    }
    expect((await api.get('/groups')).body.groups).toHaveLength(before);
    expect((await api.post('/groups', { name: '🎉'.repeat(100), participants: [] })).status).toBe(201);
  });
});

describe('changing a group', () => {
  test('name, description and settings, all at once', async () => {
    const { status, body } = await api.call('PATCH', `/groups/${group}`, {
      name: 'Night team',
      topic: 'Nights only',
      announcement: true,
      locked: true,
      join_approval: true,
      member_add_mode: 'admin',
    });
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.group).toMatchObject({
      name: 'Night team',
      topic: 'Nights only',
      description: 'Nights only',
      is_announce: true,
      is_locked: true,
      join_approval: true,
      member_add_mode: 'admin',
    });
    expect(body.group).not.toHaveProperty('participants');
    expect(await seenBy(ana)).toMatchObject({
      subject: 'Night team',
      description: 'Nights only',
      announcement: true,
      locked: true,
      approval: true,
      addMode: 'admin_add',
    });
    for (const change of ['subject', 'description', 'announcement', 'locked']) {
      expect(
        await event('group.info', (data) => data.group_jid === group && data.change === change),
      ).toMatchObject({ author: { jid: shop.jid } });
    }
    const back = { description: 'By day too', announcement: false, locked: false };
    expect((await api.call('PATCH', `/groups/${group}`, back)).body.group).toMatchObject({
      topic: 'By day too',
      is_announce: false,
      is_locked: false,
    });
    expect((await api.call('PATCH', `/groups/${group}`, { topic: '' })).body.group.topic).toBeNull();
    expect((await seenBy(bia)).description).toBeUndefined();
    const words = { member_add_mode: 'all_member_add', join_approval: false };
    expect((await api.call('PATCH', `/groups/${group}`, words)).body.group).toMatchObject({
      member_add_mode: 'all',
      join_approval: false,
    });
  });

  test('a body that changes nothing, or asks for what cannot be', async () => {
    for (const body of [
      {},
      { name: '' },
      { name: 'x'.repeat(101) },
      { topic: 'x'.repeat(2049) },
      { topic: 'By day', description: 'By night' },
      { member_add_mode: 'some' },
    ]) {
      const answer = await api.call('PATCH', `/groups/${group}`, body);
      expect([answer.status, answer.body.error_code], JSON.stringify(body)).toEqual([
        400,
        'VALIDATION_ERROR',
      ]);
    }
  });

  test('its timer', async () => {
    for (const seconds of [86_400, 604_800, 7_776_000, 0]) {
      const { status, body } = await api.put(`/groups/${group}/ephemeral`, { duration_seconds: seconds });
      expect([status, body]).toEqual([200, { success: true, duration_seconds: seconds }]);
      expect((await seenBy(ana)).ephemeral).toBe(seconds);
      expect((await stored()).ephemeral_seconds).toBe(seconds);
    }
    expect((await api.put(`/groups/${group}/ephemeral`, { duration_seconds: 60 })).status).toBe(400);
    expect((await api.put(`/groups/${group}/ephemeral`, {})).status).toBe(400);
  });

  test('its invite link, which a new one makes void', async () => {
    const { status, body } = await api.get(`/groups/${group}/invite`);
    expect([status, body.group_jid]).toEqual([200, group]);
    const code = body.invite_link.replace('https://chat.whatsapp.com/', '');
    expect(code).toBe(await shop.groupInvite({ jid: group }));
    const reset = await api.post(`/groups/${group}/invite/reset`);
    expect(reset.body).toMatchObject({ group_jid: group, reset_at: expect.any(String) });
    const anew = reset.body.invite_link.replace('https://chat.whatsapp.com/', '');
    expect(anew).not.toBe(code);
    await expect(caio.joinGroup(code)).rejects.toThrow();
    await caio.joinGroup(anew);
    await until('they are in', async () => (await stored()).members_count === 4);
  });

  test('leaving it', async () => {
    expect((await api.delete(`/groups/${group}/leave`)).body).toEqual({ success: true });
    expect((await seenBy(ana)).members.map(({ jid }) => jid)).not.toContain(shop.jid);
    expect(await stored()).toMatchObject({ membership: 'left', participants: [] });
    const again = await api.delete(`/groups/${group}/leave`);
    expect([again.status, again.body.error_code, again.body.membership]).toEqual([404, 'NOT_FOUND', 'left']);
    const change = await api.call('PATCH', `/groups/${group}`, { name: 'From outside' });
    expect([change.status, change.body.error_code, change.body.membership]).toEqual([
      404,
      'NOT_FOUND',
      'left',
    ]);
  });
});

test('left with its chat, on all devices of the account', async () => {
  const { body } = await api.post('/groups', { name: 'For a day', participants: [ana.number] });
  const { jid } = body.group;
  await api.post('/send/text', { number: jid, text: 'welcome' });
  const listed = async () => (await api.get('/chats?type=group')).body.chats.map((chat: Json) => chat.jid);
  expect(await listed()).toContain(jid);
  const left = await api.delete(`/groups/${jid}/leave?delete=true`);
  expect([left.status, left.body]).toEqual([200, { success: true, deleted: true }]);
  expect((await seenBy(ana, jid)).members.map((member) => member.jid)).not.toContain(shop.jid);
  expect(await listed()).not.toContain(jid);
  expect((await api.get(`/chats/${jid}/messages`)).body.messages).toEqual([]);
});

describe('its picture', () => {
  const given = async () => (await jpeg(900, 500)).toString('base64');
  const shown = async () => (await api.get(`/contacts/${group}/picture?preview=false`)).bytes;

  test('is set, cut to a square, and taken off', async () => {
    const { status, body } = await api.post(`/groups/${group}/picture`, { image_base64: await given() });
    expect([status, body], JSON.stringify(body)).toEqual([
      200,
      { success: true, picture_id: expect.any(String) },
    ]);
    await event('contact.picture', (data) => data.contact.jid === group && !data.removed);
    const { width, height, format } = await sharp(await shown()).metadata();
    expect([width, height, format]).toEqual([500, 500, 'jpeg']);
    const large = (await jpeg(1600, 1200)).toString('base64');
    await api.post(`/groups/${group}/picture`, { image_base64: `data:image/jpeg;base64,${large}` });
    await until('the new one is shown', async () => (await sharp(await shown()).metadata()).width === 640);
    expect((await api.delete(`/groups/${group}/picture`)).body).toEqual({ success: true });
    await event('contact.picture', (data) => data.contact.jid === group && data.removed);
    expect(world.sandbox.network.groups.get(group)?.picture).toBeUndefined();
  });

  test('comes as a file as well, and what is none is refused', async () => {
    const form = new FormData();
    form.set('image_base64', new Blob([new Uint8Array(await webp())]), 'picture.webp');
    const path = `${world.gateway.url}/groups/${group}/picture`;
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(path, { method: 'POST', headers, body: form })).status).toBe(200);
    for (const [body, code] of [
      [{}, 'VALIDATION_ERROR'],
      [{ image_base64: 'aGVsbG8=' }, 'INVALID_MEDIA'],
      [{ image_base64: await given(), image_url: 'https://example.com/a.jpg' }, 'VALIDATION_ERROR'],
    ] as const) {
      const answer = await api.post(`/groups/${group}/picture`, body);
      expect([answer.status, answer.body.error_code]).toEqual([400, code]);
    }
  });
});
