import { describe, expect, test } from 'vitest';
import { DOCUMENTED_EVENTS, EVENT_NAMES } from '../../src/events/catalogue/names.ts';
import { EVENT_CATALOGUE } from '../../src/events/catalogue.ts';
import { noticeData, noticeOrderKey } from '../../src/events/payloads/notice.ts';
import type { CallEventName, CallNotice, SessionNotice } from '../../src/whatsapp/port/notices.ts';
import { problems } from './schema.ts';

const ANA = { jid: '5511999990001@s.whatsapp.net', lid: '111111111111111@lid' };
const UNKNOWN = { jid: null, lid: '222222222222222@lid' };
const GROUP = '120363039000000000@g.us';
const CHANNEL = '120363039000000001@newsletter';
const NOW = Date.UTC(2026, 5, 15, 12);
const call = {
  callId: 'C1',
  from: ANA,
  group: null,
  video: true,
  offline: false,
  timestamp: NOW,
  reason: null,
  latencyMs: null,
};

type NoticeOf<N extends SessionNotice['name']> = N extends CallEventName
  ? { name: N } & CallNotice
  : Extract<SessionNotice, { name: N }>;

const NOTICES: { [N in SessionNotice['name']]: NoticeOf<N> } = {
  'contact.presence': { name: 'contact.presence', contact: ANA, state: 'unavailable', lastSeen: NOW },
  'chat.presence': { name: 'chat.presence', chat: ANA, sender: ANA, state: 'composing', media: 'audio' },
  'contact.changed': { name: 'contact.changed', contact: UNKNOWN, firstName: null, fullName: 'Ana' },
  'contact.pushname': { name: 'contact.pushname', contact: ANA, pushName: 'Ana' },
  'contact.about': { name: 'contact.about', contact: ANA, about: '' },
  'contact.picture': { name: 'contact.picture', contact: ANA, pictureId: null, removed: true, author: null },
  'chat.mark_as_read': { name: 'chat.mark_as_read', chat: ANA, read: true, upTo: null },
  'chat.pin': { name: 'chat.pin', chat: ANA, pinned: true },
  'chat.mute': { name: 'chat.mute', chat: ANA, muted: true, mutedUntil: Number.MAX_SAFE_INTEGER },
  'chat.archive': { name: 'chat.archive', chat: ANA, archived: false, upTo: null },
  'chat.delete': { name: 'chat.delete', chat: ANA, upTo: null },
  'chat.clear': { name: 'chat.clear', chat: UNKNOWN, upTo: null, keepsStarred: false },
  'message.delete_for_me': {
    name: 'message.delete_for_me',
    chat: ANA,
    messageId: 'M1',
    fromMe: true,
    sender: null,
  },
  'message.starred': {
    name: 'message.starred',
    chat: ANA,
    messageId: 'M1',
    fromMe: false,
    sender: UNKNOWN,
    starred: false,
  },
  'group.info': {
    name: 'group.info',
    group: GROUP,
    author: UNKNOWN,
    change: 'participants',
    participants: [{ id: ANA, change: 'promote' }],
    value: null,
    timestamp: NOW,
  },
  'group.joined': {
    name: 'group.joined',
    group: GROUP,
    subject: 'Deliveries',
    author: null,
    participants: [ANA, UNKNOWN],
    timestamp: NOW,
    info: {
      jid: GROUP,
      subject: 'Deliveries',
      description: null,
      owner: null,
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
      size: 2,
      members: [
        { ...ANA, admin: true, superAdmin: true },
        { ...UNKNOWN, admin: false, superAdmin: false },
      ],
    },
  },
  'group.join_request': {
    name: 'group.join_request',
    group: GROUP,
    author: ANA,
    action: 'cancelled',
    people: [ANA, UNKNOWN],
    method: null,
    timestamp: NOW,
  },
  'call.offer': { name: 'call.offer', ...call },
  'call.accept': { name: 'call.accept', ...call },
  'call.pre_accept': { name: 'call.pre_accept', ...call },
  'call.reject': { name: 'call.reject', ...call },
  'call.terminate': { name: 'call.terminate', ...call, reason: 'timeout', group: GROUP },
  'call.relay_latency': { name: 'call.relay_latency', ...call, latencyMs: 12.5 },
  'call.transport': { name: 'call.transport', ...call },
  'call.unknown': { name: 'call.unknown', ...call },
  'identity.change': { name: 'identity.change', contact: ANA, timestamp: NOW },
  'privacy.blocklist': {
    name: 'privacy.blocklist',
    blocked: [ANA],
    unblocked: [UNKNOWN],
    hash: 'h',
    previousHash: null,
    whole: null,
  },
  'privacy.settings': { name: 'privacy.settings', settings: { last: 'none' } },
  'settings.unarchive_chats': { name: 'settings.unarchive_chats', unarchiveChats: true },
  'settings.user_status_mute': { name: 'settings.user_status_mute', contact: ANA, muted: true },
  'settings.status_privacy': { name: 'settings.status_privacy', audience: 'blacklist', people: [ANA] },
  'label.edit': { name: 'label.edit', labelId: '1', labelName: null, color: null, deleted: true },
  'label.association_chat': { name: 'label.association_chat', labelId: '1', chat: ANA, labeled: true },
  'label.association_message': {
    name: 'label.association_message',
    labelId: '1',
    chat: ANA,
    messageId: 'M1',
    labeled: false,
  },
  'newsletter.join': { name: 'newsletter.join', newsletter: CHANNEL, title: null },
  'newsletter.leave': { name: 'newsletter.leave', newsletter: CHANNEL },
  'newsletter.live_update': {
    name: 'newsletter.live_update',
    newsletter: CHANNEL,
    messages: [{ serverId: '100', views: null, reactions: { '👍': 2 } }],
  },
  'newsletter.mute_change': { name: 'newsletter.mute_change', newsletter: CHANNEL, muted: true },
  'offline.sync_preview': {
    name: 'offline.sync_preview',
    total: 3,
    messages: 1,
    receipts: 1,
    notifications: 1,
    appData: 0,
  },
  'offline.sync_completed': { name: 'offline.sync_completed', count: 3 },
  'app_state.sync_complete': { name: 'app_state.sync_complete', collection: 'regular' },
  'connection.keepalive_timeout': { name: 'connection.keepalive_timeout', silentForMs: 30_000 },
  'connection.keepalive_restored': { name: 'connection.keepalive_restored' },
  'connection.pair_error': { name: 'connection.pair_error', reason: 'no' },
};

describe('the catalogue', () => {
  test('has the 58 documented names and ours, each once', () => {
    expect(DOCUMENTED_EVENTS).toHaveLength(58);
    expect(new Set(EVENT_NAMES).size).toBe(EVENT_NAMES.length);
    expect(Object.keys(EVENT_CATALOGUE).sort()).toEqual([...EVENT_NAMES].sort());
  });

  test.each(EVENT_NAMES)('%s: its example is as its schema says', (name) => {
    const { example, summary, cause } = EVENT_CATALOGUE[name];
    expect(problems(name, example as object)).toEqual([]);
    expect(summary).toMatch(/^\S.*[^.]$/);
    expect(cause).toMatch(/^\S.*\.$/);
  });
});

describe('events about a message', () => {
  const about = EVENT_NAMES.filter((name) => /^message\.|^mention\.|^media\./.test(name));

  test.each(about)('%s says from whom, to whom, and whether it is ours', (name) => {
    const { schema, example } = EVENT_CATALOGUE[name];
    expect(schema).toMatchObject({ required: expect.arrayContaining(['from', 'to', 'is_from_me']) });
    const { from, to, is_from_me } = example as Record<string, unknown>;
    expect(from).not.toBe(to);
    expect(is_from_me).toBe(from === '5511888888888@s.whatsapp.net');
  });
});

describe('notices', () => {
  test.each(Object.values(NOTICES))('$name is as its schema says', (notice) => {
    const data = noticeData(notice);
    expect(problems(notice.name, data)).toEqual([]);
    // Nothing that JSON would drop, and no camelCase.
    expect(JSON.parse(JSON.stringify(data))).toEqual(data);
    expect(Object.keys(data).filter((member) => /[A-Z]/.test(member))).toEqual([]);
  });

  test('keep the order of their chat, else of the device', () => {
    expect(noticeOrderKey(NOTICES['chat.clear'])).toEqual(UNKNOWN);
    expect(noticeOrderKey(NOTICES['contact.presence'])).toEqual(ANA);
    expect(noticeOrderKey(NOTICES['group.info'])).toBe(GROUP);
    expect(noticeOrderKey(NOTICES['call.offer'])).toEqual(ANA);
    expect(noticeOrderKey(NOTICES['call.terminate'])).toBe(GROUP);
    expect(noticeOrderKey(NOTICES['newsletter.join'])).toBe(CHANNEL);
    expect(noticeOrderKey(NOTICES['offline.sync_completed'])).toBe('device');
  });
});
