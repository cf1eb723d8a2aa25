/** What a session notices, as public `data`. */
import { canonicalJid, isGroupJid } from '../../identity/jid.ts';
import type { Identity } from '../../whatsapp/port/identity.ts';
import type { CallNotice, SessionNotice } from '../../whatsapp/port/notices.ts';
import type { EventData } from '../catalogue.ts';
import type { OrderKey } from '../order-key.ts';
import { chatNames, direction, person, personOrNull, time, timeOrNull } from './parts.ts';

/** What is known of the message that a notice speaks of. */
export interface NoticedMessage {
  /** Our own id of it; null when we do not have it. */
  recordId: string | null;
  /** Its author as it is stored. */
  sender: Identity | null;
  /** The account's own names. */
  account: Identity;
}

const UNKNOWN: NoticedMessage = { recordId: null, sender: null, account: { jid: null, lid: null } };

type MarkNotice = Extract<SessionNotice, { name: 'message.starred' | 'message.delete_for_me' }>;

type Makers = {
  [N in SessionNotice['name']]: (
    notice: Extract<SessionNotice, { name: N }>,
    about: NoticedMessage,
  ) => EventData<N>;
};

const MAKERS: Makers = {
  'contact.presence': (notice) => ({
    contact: person(notice.contact),
    state: notice.state,
    last_seen: timeOrNull(notice.lastSeen),
  }),
  'chat.presence': (notice) => ({
    ...chatNames(notice.chat),
    sender: person(notice.sender),
    state: notice.state,
    media: notice.media,
  }),
  'contact.changed': (notice) => ({
    contact: person(notice.contact),
    first_name: notice.firstName,
    full_name: notice.fullName,
  }),
  'contact.pushname': (notice) => ({ contact: person(notice.contact), push_name: notice.pushName }),
  'contact.about': (notice) => ({ contact: person(notice.contact), about: notice.about }),
  'contact.picture': (notice) => ({
    contact: person(notice.contact),
    picture_id: notice.pictureId,
    removed: notice.removed,
    author: personOrNull(notice.author),
  }),
  'chat.mark_as_read': (notice) => ({ ...chatNames(notice.chat), read: notice.read }),
  'chat.pin': (notice) => ({ ...chatNames(notice.chat), pinned: notice.pinned }),
  'chat.mute': (notice) => ({
    ...chatNames(notice.chat),
    muted: notice.muted,
    muted_until: timeOrNull(notice.mutedUntil),
  }),
  'chat.archive': (notice) => ({ ...chatNames(notice.chat), archived: notice.archived }),
  'chat.delete': (notice) => chatNames(notice.chat),
  'chat.clear': (notice) => chatNames(notice.chat),
  'message.delete_for_me': (notice, about) => ({
    ...marked(notice, about),
  }),
  'message.starred': (notice, about) => ({
    ...marked(notice, about),
    starred: notice.starred,
  }),
  'group.info': (notice) => ({
    group_jid: notice.group,
    author: personOrNull(notice.author),
    change: notice.change,
    participants: notice.participants.map(({ id, change }) => ({ ...person(id), change })),
    value: notice.value,
    timestamp: time(notice.timestamp),
  }),
  'group.joined': (notice) => ({
    group_jid: notice.group,
    subject: notice.subject,
    author: personOrNull(notice.author),
    participants: notice.participants.map(person),
    timestamp: time(notice.timestamp),
  }),
  'group.join_request': (notice) => ({
    group_jid: notice.group,
    action: notice.action,
    participants: notice.people.map(person),
    method: notice.method,
    author: personOrNull(notice.author),
    timestamp: time(notice.timestamp),
  }),
  'call.offer': call,
  'call.accept': call,
  'call.pre_accept': call,
  'call.reject': call,
  'call.terminate': call,
  'call.relay_latency': call,
  'call.transport': call,
  'call.unknown': call,
  'identity.change': (notice) => ({ contact: person(notice.contact), timestamp: time(notice.timestamp) }),
  'privacy.blocklist': (notice) => ({
    blocked: notice.blocked.map(person),
    unblocked: notice.unblocked.map(person),
    dhash: notice.hash,
  }),
  'privacy.settings': (notice) => ({ settings: notice.settings }),
  'settings.unarchive_chats': (notice) => ({ unarchive_chats: notice.unarchiveChats }),
  'settings.user_status_mute': (notice) => ({ contact: person(notice.contact), muted: notice.muted }),
  'settings.status_privacy': (notice) => ({ type: notice.audience, list: notice.people.map(person) }),
  'label.edit': (notice) => ({
    label_id: notice.labelId,
    name: notice.labelName,
    color: notice.color,
    deleted: notice.deleted,
  }),
  'label.association_chat': (notice) => ({
    label_id: notice.labelId,
    ...chatNames(notice.chat),
    labeled: notice.labeled,
  }),
  'label.association_message': (notice, { recordId }) => ({
    label_id: notice.labelId,
    ...chatNames(notice.chat),
    message_id: notice.messageId,
    record_id: recordId,
    labeled: notice.labeled,
  }),
  'newsletter.join': (notice) => ({ newsletter_jid: notice.newsletter, title: notice.title }),
  'newsletter.leave': (notice) => ({ newsletter_jid: notice.newsletter }),
  'newsletter.live_update': (notice) => ({
    newsletter_jid: notice.newsletter,
    messages: notice.messages.map(({ serverId, views, reactions }) => ({
      server_id: serverId,
      views,
      reactions,
    })),
  }),
  'newsletter.mute_change': (notice) => ({ newsletter_jid: notice.newsletter, muted: notice.muted }),
  'offline.sync_preview': (notice) => ({
    total: notice.total,
    messages: notice.messages,
    receipts: notice.receipts,
    notifications: notice.notifications,
    app_data: notice.appData,
  }),
  'offline.sync_completed': (notice) => ({ count: notice.count }),
  'app_state.sync_complete': (notice) => ({ collection: notice.collection }),
  'connection.keepalive_timeout': (notice) => ({ silent_for_ms: notice.silentForMs }),
  'connection.keepalive_restored': () => ({}),
  'connection.pair_error': (notice) => ({ reason: notice.reason }),
};

/** The public `data` of a notice; `about`: of one that speaks of a message. */
export function noticeData<N extends SessionNotice['name']>(
  notice: Extract<SessionNotice, { name: N }>,
  about: NoticedMessage = UNKNOWN,
): EventData<N> {
  // Indexing with the name gives the maker of exactly this notice, which the compiler cannot follow.
  const make = MAKERS[notice.name as N] as (
    notice: Extract<SessionNotice, { name: N }>,
    about: NoticedMessage,
  ) => EventData<N>;
  return make(notice, about);
}

/** What belongs to a chat keeps the chat's order; the rest keeps the device's. */
export function noticeOrderKey(notice: SessionNotice): OrderKey {
  if ('chat' in notice) return notice.chat;
  if ('group' in notice && notice.group !== null) return notice.group;
  if ('newsletter' in notice) return notice.newsletter;
  if ('contact' in notice) return notice.contact;
  return 'callId' in notice ? notice.from : 'device';
}

function marked(
  { chat, fromMe, messageId, sender: named }: MarkNotice,
  { recordId, sender: stored, account }: NoticedMessage,
) {
  const isGroup = chat.jid !== null && isGroupJid(chat.jid);
  // In a chat of two, what is not ours is the other's.
  const sender = fromMe ? account : (named ?? stored ?? (isGroup ? null : chat));
  return {
    message_id: messageId,
    record_id: recordId,
    ...chatNames(chat),
    ...direction({ chat, sender: sender ?? chat, fromMe, isGroup, account: canonicalJid(account) }),
    sender: personOrNull(sender),
  };
}

function call(notice: CallNotice) {
  return {
    call_id: notice.callId,
    from: canonicalJid(notice.from) ?? '',
    caller: person(notice.from),
    group_jid: notice.group,
    is_group: notice.group !== null,
    video: notice.video,
    offline: notice.offline,
    reason: notice.reason,
    latency_ms: notice.latencyMs,
    timestamp: time(notice.timestamp),
  };
}
