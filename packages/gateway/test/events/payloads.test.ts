/** What events say of notices and people, and what they keep their order by. */
import { describe, expect, test } from 'vitest';
import { plainMediaUrls, withMediaUrls } from '../../src/events/media-urls.ts';
import { bothNames, orderKeyText } from '../../src/events/order-key.ts';
import { noticeData, noticeOrderKey } from '../../src/events/payloads/notice.ts';
import {
  chatNames,
  direction,
  personOrNull,
  phoneNumber,
  timeOrNull,
} from '../../src/events/payloads/parts.ts';
import type { SessionNotice } from '../../src/whatsapp/port/notices.ts';

const OWN = { jid: '5511999990001@s.whatsapp.net', lid: '111111111111111@lid' };
const ANA = { jid: '5511999990002@s.whatsapp.net', lid: '222222222222222@lid' };
const GROUP = '120363039000000000@g.us';
const CHANNEL = '120363039000000001@newsletter';
const AT = Date.UTC(2026, 5, 15, 12);
const NOON = '2026-06-15T12:00:00.000Z';
const ana = { ...ANA, phone_number: '5511999990002' };
const inChat = { chat_jid: ANA.jid, chat_lid: ANA.lid };
const inGroup = { chat_jid: GROUP, chat_lid: null };
const chat = { jid: GROUP, lid: null };

test.each<[SessionNotice, object]>([
  [
    { name: 'contact.presence', contact: ANA, state: 'available', lastSeen: null },
    { contact: ana, state: 'available', last_seen: null },
  ],
  [
    { name: 'chat.presence', chat, sender: ANA, state: 'composing', media: 'audio' },
    { ...inGroup, sender: ana, state: 'composing', media: 'audio' },
  ],
  [
    { name: 'contact.pushname', contact: ANA, pushName: 'Ana' },
    { contact: ana, push_name: 'Ana' },
  ],
  [
    { name: 'contact.about', contact: ANA, about: 'at work' },
    { contact: ana, about: 'at work' },
  ],
  [
    { name: 'contact.picture', contact: ANA, pictureId: '17', removed: false, author: null },
    { contact: ana, picture_id: '17', removed: false, author: null },
  ],
  [
    { name: 'chat.pin', chat: ANA, pinned: true },
    { ...inChat, pinned: true },
  ],
  [
    { name: 'chat.mute', chat: ANA, muted: true, mutedUntil: AT },
    { ...inChat, muted: true, muted_until: NOON },
  ],
  [
    {
      name: 'group.info',
      group: GROUP,
      author: ANA,
      timestamp: AT,
      change: 'participants',
      value: 'invite',
      participants: [{ id: ANA, change: 'add' }],
    },
    {
      group_jid: GROUP,
      author: ana,
      change: 'participants',
      participants: [{ ...ana, change: 'add' }],
      value: 'invite',
      timestamp: NOON,
    },
  ],
  [
    {
      name: 'group.join_request',
      group: GROUP,
      author: null,
      timestamp: AT,
      action: 'created',
      people: [ANA],
      method: 'invite_link',
    },
    {
      group_jid: GROUP,
      action: 'created',
      participants: [ana],
      method: 'invite_link',
      author: null,
      timestamp: NOON,
    },
  ],
  [
    { name: 'identity.change', contact: ANA, timestamp: AT },
    { contact: ana, timestamp: NOON },
  ],
  [
    { name: 'privacy.blocklist', blocked: [ANA], unblocked: [], hash: '2', previousHash: '1', whole: null },
    { blocked: [ana], unblocked: [], dhash: '2' },
  ],
  [
    { name: 'settings.user_status_mute', contact: ANA, muted: true },
    { contact: ana, muted: true },
  ],
  [
    { name: 'settings.status_privacy', audience: 'close_friends', people: [ANA] },
    { type: 'close_friends', list: [ana] },
  ],
  [
    { name: 'label.edit', labelId: '3', labelName: 'New', color: 5, deleted: false },
    { label_id: '3', name: 'New', color: 5, deleted: false },
  ],
  [
    { name: 'label.association_chat', labelId: '3', chat: ANA, labeled: true },
    { label_id: '3', ...inChat, labeled: true },
  ],
  [
    { name: 'newsletter.join', newsletter: CHANNEL, title: 'News' },
    { newsletter_jid: CHANNEL, title: 'News' },
  ],
  [
    {
      name: 'newsletter.live_update',
      newsletter: CHANNEL,
      messages: [{ serverId: '1', views: 7, reactions: { '👍': 3 } }],
    },
    { newsletter_jid: CHANNEL, messages: [{ server_id: '1', views: 7, reactions: { '👍': 3 } }] },
  ],
  [
    {
      name: 'offline.sync_preview',
      total: 9,
      messages: 4,
      receipts: 3,
      notifications: 2,
      appData: 1,
    },
    { total: 9, messages: 4, receipts: 3, notifications: 2, app_data: 1 },
  ],
  [{ name: 'connection.keepalive_timeout', silentForMs: 30_000 }, { silent_for_ms: 30_000 }],
  [{ name: 'connection.keepalive_restored' }, {}],
])('%j', (notice, data) => {
  expect(noticeData(notice)).toEqual(data);
});

test('a call names its group, when it has one', () => {
  const call = (group: string | null): SessionNotice => ({
    name: 'call.offer',
    callId: 'C',
    from: ANA,
    group,
    video: true,
    offline: false,
    reason: null,
    latencyMs: null,
    timestamp: AT,
  });
  const data = {
    call_id: 'C',
    from: ANA.jid,
    caller: ana,
    group_jid: GROUP,
    is_group: true,
    video: true,
    offline: false,
    reason: null,
    latency_ms: null,
    timestamp: NOON,
  };
  expect(noticeData(call(GROUP))).toEqual(data);
  expect(noticeData(call(null))).toEqual({ ...data, group_jid: null, is_group: false });
});

describe('a mark on a message says whose it is', () => {
  const marked = {
    name: 'message.starred' as const,
    messageId: 'A',
    starred: true,
    fromMe: false,
    sender: null,
  };
  const about = { recordId: 'r', sender: null, account: OWN };
  const own = { ...OWN, phone_number: '5511999990001' };
  const BEA = { jid: '5511999990003@s.whatsapp.net', lid: null };
  const bea = { ...BEA, phone_number: '5511999990003' };

  test.each([
    ['the other’s', ANA, {}, {}, { from: ANA.jid, to: OWN.jid, is_from_me: false, sender: ana }],
    ['ours', ANA, { fromMe: true }, {}, { from: OWN.jid, to: ANA.jid, is_from_me: true, sender: own }],
    ['named', chat, { sender: BEA }, { sender: ANA }, { from: BEA.jid, to: GROUP, sender: bea }],
    ['stored', chat, {}, { sender: ANA }, { from: ANA.jid, to: GROUP, sender: ana }],
    ['nobody’s that we know', chat, {}, {}, { from: GROUP, to: GROUP, sender: null }],
  ])('%s', (_whose, where, notice, known, expected) => {
    expect(noticeData({ ...marked, chat: where, ...notice }, { ...about, ...known })).toMatchObject({
      message_id: 'A',
      record_id: 'r',
      starred: true,
      ...expected,
    });
  });
});

describe('what keeps its order', () => {
  const call = { name: 'call.offer', callId: 'C', from: ANA, group: null } as SessionNotice;
  test.each<[SessionNotice, unknown]>([
    [{ name: 'chat.pin', chat: ANA, pinned: true }, ANA],
    [{ ...call, group: GROUP } as SessionNotice, GROUP],
    [call, ANA],
    [{ name: 'newsletter.leave', newsletter: CHANNEL }, CHANNEL],
    [{ name: 'contact.about', contact: ANA, about: '' }, ANA],
    [{ name: 'offline.sync_completed', count: 0 }, 'device'],
  ])('%j', (notice, key) => {
    expect(noticeOrderKey(notice)).toEqual(key);
  });

  test('is stored under the LID, once it is known', () => {
    expect(orderKeyText(ANA)).toBe(ANA.lid);
    expect(orderKeyText({ jid: ANA.jid, lid: null })).toBe(ANA.jid);
    expect(orderKeyText({ jid: null, lid: null })).toBe('device');
    expect(orderKeyText(GROUP)).toBe(GROUP);
    expect(bothNames(ANA)).toEqual(ANA);
    for (const key of [{ ...ANA, lid: null }, { ...ANA, jid: null }, 'device'])
      expect(bothNames(key)).toBeNull();
  });
});

describe('people and chats', () => {
  test.each([
    [ANA.jid, '5511999990002'],
    ['5511999990002:7@s.whatsapp.net', '5511999990002'],
    [ANA.lid, null],
    [GROUP, null],
    [null, null],
  ])('the phone number of %j is %j', (jid, number) => {
    expect(phoneNumber(jid)).toBe(number);
  });

  test('a message goes to the chat, or to the account', () => {
    const of = { chat: ANA, sender: ANA, fromMe: false, isGroup: false, account: OWN.jid };
    expect(direction(of)).toEqual({ from: ANA.jid, to: OWN.jid, is_from_me: false });
    expect(direction({ ...of, account: null }).to).toBe(ANA.jid);
    expect(direction({ ...of, chat, isGroup: true }).to).toBe(GROUP);
    expect(direction({ ...of, sender: OWN, fromMe: true })).toEqual({
      from: OWN.jid,
      to: ANA.jid,
      is_from_me: true,
    });
    const nobody = { jid: null, lid: null };
    expect(direction({ ...of, chat: nobody, sender: nobody, account: null })).toMatchObject({
      from: '',
      to: '',
    });
    expect(chatNames(nobody)).toEqual({ chat_jid: '', chat_lid: null });
    expect([personOrNull(null), timeOrNull(null), timeOrNull(AT)]).toEqual([null, null, NOON]);
  });
});

describe('the addresses of files', () => {
  const signed = {
    told: (path: string, deviceId: string) => `https://gateway.example${path}?of=${deviceId}`,
  };
  const told = (data: object) => withMediaUrls(data, 'd', signed);

  test('are completed wherever they stand, and nothing else is touched', () => {
    expect(told({ url: '/a', text: 'x' })).toEqual({ url: 'https://gateway.example/a?of=d', text: 'x' });
    expect(told({ media: { url: '/a', size: 1 }, further_media: [{ url: '/b' }, null] })).toEqual({
      media: { url: 'https://gateway.example/a?of=d', size: 1 },
      further_media: [{ url: 'https://gateway.example/b?of=d' }, null],
    });
    expect(told({ media: null, url: null })).toEqual({ media: null, url: null });
    expect(told({})).toEqual({});
    expect(told({ further_media: 'x' })).toEqual({ further_media: 'x' });
  });

  test('are told as they are stored where nothing completes them', () => {
    const data = { url: '/a' };
    expect(withMediaUrls(data, 'd', plainMediaUrls)).toBe(data);
    expect(plainMediaUrls.told('/a', 'd')).toBe('/a');
  });
});
