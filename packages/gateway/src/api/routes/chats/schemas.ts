/** Chats in requests and answers. */
import { type Static, Type } from 'typebox';
import type { ListedChat } from '../../../chats/chats.ts';
import { rfc3339, rfc3339OrNull } from '../../../clock.ts';
import { phoneNumber } from '../../../events/payloads/parts.ts';
import { canonicalJid } from '../../../identity/jid.ts';
import { statusOf } from '../../../messages/incoming-receipts.ts';
import type { StoredMessage } from '../../../messages/stored-message.ts';
import { refusing } from '../../description/stated.ts';
import { Jid, MessageStatus, Nullable, OneOf, Rfc3339 } from '../../schemas.ts';

export const ChatPath = Type.Object({
  jid: refusing(
    'what names no chat',
    Type.String({
      description: 'A phone number, or the JID of a person or group',
      examples: ['5511999999999@s.whatsapp.net'],
    }),
  ),
});

/** Characters of a text that a list shows. */
const SHOWN_CHARACTERS = 300;
/** What has no end, for programs that read a time (whatsmeow types.MutedForever). */
const FOR_EVER = '9999-12-31T23:59:59.999Z';

const LastMessage = Type.Object(
  {
    message_id: Type.String(),
    record_id: Type.String({ description: 'Our own id of it' }),
    is_from_me: Type.Boolean(),
    sender_jid: Jid,
    sender_lid: Nullable(Type.String()),
    message_type: Type.String(),
    content: Nullable(
      Type.String({ description: `Text or caption, its first ${SHOWN_CHARACTERS} characters` }),
    ),
    timestamp: Rfc3339,
    status: Nullable(MessageStatus),
  },
  { title: 'LastMessage' },
);

export const ChatObject = Type.Object(
  {
    jid: Type.String({ description: '`…@s.whatsapp.net`, `…@lid` while only that is known, or `…@g.us`' }),
    lid: Nullable(Type.String()),
    phone_number: Nullable(
      Type.String({ description: 'Digits; null for a group and while it is not known' }),
    ),
    type: OneOf(['group', 'contact'] as const),
    name: Type.String({
      description: 'As saved, a subject, or what the other side calls itself; else the number or id',
    }),
    pinned: Type.Boolean(),
    archived: Type.Boolean(),
    muted: Type.Boolean(),
    muted_until: Type.Optional({
      ...Rfc3339,
      description: `Only while it is muted; \`${FOR_EVER}\`: for ever`,
    }),
    participant_count: Type.Integer({ description: 'Of a contact 1' }),
    unread_count: Type.Integer(),
    marked_unread: Type.Boolean({ description: 'The user marked it as unread' }),
    last_message_at: Nullable(Rfc3339),
    last_message: Nullable(LastMessage),
  },
  { title: 'Chat' },
);

export const ChatWithTimer = Type.Object(
  {
    ...ChatObject.properties,
    ephemeral_seconds: Nullable(
      Type.Integer({ description: 'When its messages disappear; 0: never; null: nothing has told it' }),
    ),
  },
  { title: 'ChatWithTimer' },
);

export function chatObject({ chat, last }: ListedChat): Static<typeof ChatObject> {
  const { jid, lid } = chat.chat;
  const name = canonicalJid(chat.chat) ?? '';
  const user = name.split('@')[0] ?? '';
  return {
    jid: name,
    lid,
    phone_number: phoneNumber(jid),
    type: chat.isGroup ? 'group' : 'contact',
    name: chat.name ?? user,
    pinned: chat.pinned,
    archived: chat.archived,
    muted: chat.muted,
    ...(chat.muted ? { muted_until: chat.mutedUntil === null ? FOR_EVER : rfc3339(chat.mutedUntil) } : {}),
    participant_count: chat.participants,
    unread_count: chat.unreadCount,
    marked_unread: chat.markedUnread,
    last_message_at: rfc3339OrNull(chat.lastAt),
    last_message: last && lastMessage(last),
  };
}

function lastMessage(message: StoredMessage): Static<typeof LastMessage> {
  return {
    message_id: message.messageId,
    record_id: message.rowId,
    is_from_me: message.fromMe,
    sender_jid: message.senderJid,
    sender_lid: message.senderLid,
    message_type: message.kind,
    content: message.revokedAt === null ? (message.text?.slice(0, SHOWN_CHARACTERS) ?? null) : null,
    timestamp: rfc3339(message.timestamp),
    status: message.fromMe ? statusOf(message) : null,
  };
}
