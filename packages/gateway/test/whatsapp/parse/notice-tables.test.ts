import { describe, expect, test } from 'vitest';
import type { BinaryNode } from '../../../src/whatsapp/baileys/library.ts';
import { StanzaNotices } from '../../../src/whatsapp/baileys/parse/notices/stanza-notices.ts';
import { ANA, directory, GROUP, node, notification, OWN, read, T } from './reading-notices.ts';

describe('what each stanza says', () => {
  const AT = 1_760_000_000_000;
  const BEA = { jid: '5511900000003@s.whatsapp.net', lid: '9003@lid' };
  const child = (tag: string, attrs?: Record<string, string>, content?: BinaryNode['content']) =>
    node(tag, attrs, content);

  test.each([
    [{ from: ANA.jid }, { state: 'available', lastSeen: null }],
    [
      { from: ANA.jid, type: 'available' },
      { state: 'available', lastSeen: null },
    ],
    [{ from: ANA.jid, type: 'error' }, null],
    [{ type: 'available' }, null],
  ])('presence %j', async (attrs, said) => {
    const told = said && { name: 'contact.presence', contact: ANA, ...said };
    expect(await read(node('presence', attrs as Record<string, string>))).toEqual(told ? [told] : []);
  });

  test.each([
    ['composing', {}, { state: 'composing', media: 'text' }],
    ['composing', { media: 'audio' }, { state: 'composing', media: 'audio' }],
    ['paused', {}, { state: 'paused', media: 'text' }],
  ])('chatstate %s %j', async (tag, attrs, said) => {
    const told = { name: 'chat.presence', sender: ANA, ...said };
    const content = [child(tag, attrs as Record<string, string>)];
    const alone = node('chatstate', { from: ANA.lid }, content);
    expect(await read(alone)).toEqual([{ ...told, chat: ANA }]);
    const attrsInGroup = { from: GROUP, participant: BEA.lid, participant_pn: BEA.jid };
    const inGroup = { ...told, sender: BEA, chat: { jid: GROUP, lid: null } };
    expect(await read(node('chatstate', attrsInGroup, content))).toEqual([inGroup]);
    expect(await read(node('chatstate', {}, content))).toEqual([]);
    expect(await read(node('chatstate', { from: ANA.lid }))).toEqual([]);
  });

  test('what was kept while we were away, in counts that are none as 0', async () => {
    const counts = { count: '9', message: '4', receipt: '3', notification: '1', appdata: '1.5' };
    const stanza = node('ib', {}, [
      child('offline_preview', counts),
      child('offline', { count: '-1' }),
      child('dirty', { count: '2' }),
    ]);
    const told = { total: 9, messages: 4, receipts: 3, notifications: 1, appData: 0 };
    expect(await read(stanza)).toEqual([
      { name: 'offline.sync_preview', ...told },
      { name: 'offline.sync_completed', count: 0 },
    ]);
  });

  test('a picture: whose, which, and who changed it', async () => {
    const changes = [
      child('set', { id: '17', author: BEA.lid, jid: GROUP }),
      child('add', { id: '18', jid: ANA.lid }),
      child('delete', { id: '19', jid: ANA.jid }),
    ];
    const told = { name: 'contact.picture', author: null };
    expect(await notification('picture', changes)).toEqual([
      {
        ...told,
        contact: { jid: GROUP, lid: null },
        pictureId: '17',
        removed: false,
        author: { jid: null, lid: BEA.lid },
      },
      { ...told, contact: ANA, pictureId: '18', removed: false },
      { ...told, contact: ANA, pictureId: null, removed: true },
    ]);
  });

  test('an about text, and the number that a new identity comes with', async () => {
    const about = { name: 'contact.about', contact: ANA };
    expect(await notification('status', [child('set', {}, 'at work')])).toEqual([
      { ...about, about: 'at work' },
    ]);
    expect(await notification('status', [child('set')])).toEqual([{ ...about, about: '' }]);
    expect(await notification('status', [child('get')])).toEqual([]);
    const attrs = { from: BEA.jid, lid: BEA.lid };
    expect(await notification('encrypt', [child('identity')], attrs)).toMatchObject([{ contact: BEA }]);
    expect(await notification('encrypt', [child('count')])).toEqual([]);
  });

  test('changes of our own account on another device', async () => {
    const changed = await notification('account_sync', [
      child('blocklist', { dhash: '3', prev_dhash: '2' }, [
        child('item', { action: 'block', jid: BEA.lid, pn_jid: BEA.jid }),
        child('item', { action: 'unblock', jid: ANA.jid }),
        child('item', { action: 'block' }),
      ]),
      child('privacy', {}, [
        child('category', { name: 'last', value: 'none' }),
        child('category', { name: 'online' }),
        child('category', { value: 'all' }),
      ]),
      child('privacy', {}, [child('category', { name: 'readreceipts' })]),
      child('picture', { id: '20' }),
      child('picture'),
    ]);
    const picture = { name: 'contact.picture', contact: OWN, removed: false, author: OWN };
    expect(changed).toEqual([
      {
        name: 'privacy.blocklist',
        blocked: [BEA],
        unblocked: [ANA],
        hash: '3',
        previousHash: '2',
        whole: null,
      },
      { name: 'privacy.settings', settings: { last: 'none' } },
      { ...picture, pictureId: '20' },
      { ...picture, pictureId: null },
    ]);
  });

  test.each([
    [child('announcement'), 'announcement', true],
    [child('not_announcement'), 'announcement', false],
    [child('unlocked'), 'locked', false],
    [child('not_ephemeral'), 'ephemeral', 0],
    [child('unsuspended'), 'suspended', false],
    [child('subject', { subject: 'New' }), 'subject', 'New'],
    [child('subject', {}, Buffer.from('Neu')), 'subject', 'Neu'],
    [child('description', {}, [child('body', {}, 'What for')]), 'description', 'What for'],
    [child('description', {}, [child('delete'), child('body', {}, 'old')]), 'description', null],
    [child('ephemeral', { expiration: '86400' }), 'ephemeral', 86_400],
    [child('invite', { code: 'AbC' }), 'invite', 'AbC'],
    [child('invite'), 'invite', null],
    [child('member_add_mode', {}, 'all_member_add'), 'member_add_mode', 'all_member_add'],
    [
      child('membership_approval_mode', {}, [child('group_join', { state: 'on' })]),
      'membership_approval_mode',
      true,
    ],
    [
      child('membership_approval_mode', {}, [child('group_join', { state: 'off' })]),
      'membership_approval_mode',
      false,
    ],
    [child('membership_approval_mode'), 'membership_approval_mode', false],
    [child('unlink', { unlink_type: 'parent_group' }, [child('group', { id: '42' })]), 'unlink', '42@g.us'],
    [child('link'), 'link', null],
  ])('a group changes: %j', async (changed, change, value) => {
    const [notice] = await notification('w:gp2', [changed], { from: GROUP });
    const link = ['link', 'unlink'].includes(change) ? { linkType: changed.attrs.unlink_type ?? null } : {};
    const told = { name: 'group.info', group: GROUP, author: null, timestamp: AT, participants: [] };
    expect(notice).toEqual({ ...told, change, value, ...link });
  });

  test.each([
    ['add', { reason: 'invite' }, [ANA, BEA], 'add', 'invite'],
    ['promote', {}, [BEA], 'promote', null],
    ['remove', {}, [ANA], 'leave', null],
    ['remove', {}, [BEA], 'remove', null],
    ['remove', {}, [ANA, BEA], 'remove', null],
    ['demote', {}, [ANA], 'demote', null],
  ])('members of a group: %s %j of %j', async (tag, attrs, people, change, value) => {
    const named = [
      ...people.map(({ jid, lid }) => child('participant', { jid: lid, phone_number: jid })),
      child('participant'),
    ];
    const by = { from: GROUP, participant: ANA.lid, participant_pn: ANA.jid };
    const changes = await notification('w:gp2', [child(tag, attrs as Record<string, string>, named)], by);
    expect(changes).toMatchObject([
      { change: 'participants', value, author: ANA, participants: people.map((id) => ({ id, change })) },
    ]);
    expect(await notification('w:gp2', [child('locked')], { from: '' })).toEqual([]);
  });

  test.each([
    [
      'created_membership_requests',
      [child('requested_user', { jid: BEA.lid, phone_number: BEA.jid })],
      'created',
      [BEA],
    ],
    ['created_membership_requests', [], 'created', [ANA]],
    ['membership_approval_request', [child('participant', { jid: ANA.jid })], 'created', [ANA]],
    ['revoked_membership_requests', [child('participant', { jid: ANA.jid })], 'cancelled', [ANA]],
    [
      'revoked_membership_requests',
      [child('participant', { jid: BEA.jid, lid: BEA.lid })],
      'rejected',
      [BEA],
    ],
  ])('%s with %j are %s', async (tag, people, action, named) => {
    const request = child(tag, { request_method: 'invite_link' }, people);
    const by = { from: GROUP, participant: ANA.lid };
    const method = action === 'created' ? 'invite_link' : null;
    expect(await notification('w:gp2', [request], by)).toEqual([
      { name: 'group.join_request', group: GROUP, author: ANA, timestamp: AT, action, people: named, method },
    ]);
  });

  test('a request to join of nobody in particular, by ways that we do not know', async () => {
    const request = child('created_membership_requests', { request_method: 'magic' });
    expect(await notification('w:gp2', [request], { from: GROUP })).toMatchObject([
      { people: [], method: 'unknown', author: null },
    ]);
  });
});

describe('calls', () => {
  const reader = new StanzaNotices();
  const signal = (tag: string, attrs: Record<string, string>, content: BinaryNode[] = [], more = {}) =>
    reader
      .noticesIn(
        node('call', { from: ANA.lid, id: '1', t: T, ...more }, [node(tag, attrs, content)]),
        OWN,
        directory,
      )
      .then(([notice]) => notice);

  test('the offer says who calls, where and how; what follows goes by it', async () => {
    const offer = { 'call-id': 'C1', 'call-creator': '9003@lid', caller_pn: '5511900000003@s.whatsapp.net' };
    const from = { jid: '5511900000003@s.whatsapp.net', lid: '9003@lid' };
    const known = { callId: 'C1', from, group: null, video: true, offline: false };
    expect(await signal('offer', offer, [node('video')])).toEqual({
      name: 'call.offer',
      ...known,
      timestamp: 1_760_000_000_000,
      reason: null,
      latencyMs: null,
    });
    for (const [tag, name] of [
      ['accept', 'call.accept'],
      ['preaccept', 'call.pre_accept'],
      ['transport', 'call.transport'],
    ] as const) {
      expect(await signal(tag, { 'call-id': 'C1' })).toMatchObject({ name, ...known });
    }
    const group = { 'call-id': 'C1', 'group-jid': GROUP, reason: 'timeout' };
    expect(await signal('reject', group)).toMatchObject({ ...known, group: GROUP, reason: null });
    expect(await signal('terminate', { 'call-id': 'C1' })).toMatchObject({ reason: null });
    // What came before its offer is not remembered: it says less.
    await signal('preaccept', { 'call-id': 'C4' });
    expect(await signal('offer', { ...offer, 'call-id': 'C4' }, [node('video')])).toMatchObject({
      from,
      video: true,
    });
    const heard = await signal('offer_notice', { 'call-id': 'C2', media: 'video' }, [], { offline: '1' });
    expect(heard).toMatchObject({ name: 'call.offer', from: ANA, video: true, offline: true });
    expect(await signal('terminate', { 'call-id': 'C3', from: ANA.jid }, [], { from: GROUP })).toMatchObject({
      from: ANA,
      video: false,
    });
  });

  test.each([
    [{ latency: '33554480' }, [], 48],
    [{ latency_ms: '7' }, [], 7],
    [{ 'latency-ms': '0' }, [], 0],
    [{}, ['20', '10', '30'], 10],
    [{}, ['-5', '1.5', 'x', '9'], 9],
    [{}, ['x'], null],
  ])('the latency of %j and relays %j is %j', async (attrs, relays, latencyMs) => {
    const te = relays.map((latency) => node('te', { latency }));
    const call = { 'call-id': 'C9', ...(attrs as Record<string, string>) };
    expect(await signal('relaylatency', call, te)).toMatchObject({ latencyMs });
    expect(await signal('transport', call, te)).toMatchObject({ latencyMs: null });
  });
});
