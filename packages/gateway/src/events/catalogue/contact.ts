/** Categories "contact" and "chat". */
import { Type } from 'typebox';
import { ChatNames, EXAMPLE, entry, Flag, OrNull, Person, Text, Time, Word } from './parts.ts';

const chatExample = { ...EXAMPLE.chat };
const contact = { ...EXAMPLE.person };
const onAnotherDevice = 'The user did it on the phone or another device of the account.';

export const CONTACT_EVENTS = {
  'contact.presence': entry({
    summary: 'A contact came online or went offline',
    cause: 'The presence of this contact was subscribed to.',
    schema: Type.Object({
      contact: Person,
      state: Word(['available', 'unavailable']),
      last_seen: OrNull(Time('When the contact was last online, when it is shown to us')),
    }),
    example: { contact, state: 'unavailable', last_seen: EXAMPLE.time },
  }),
  'contact.changed': entry({
    summary: 'An entry of the address book changed',
    cause: 'The user added, renamed or removed the contact on the phone.',
    schema: Type.Object({
      contact: Person,
      first_name: OrNull(Text('As the user wrote it')),
      full_name: OrNull(Text('As the user wrote it')),
    }),
    example: { contact, first_name: 'Jane', full_name: 'Jane Doe' },
  }),
  'contact.pushname': entry({
    summary: 'A contact chose another name',
    cause: 'A message of the contact carries another name than the last one.',
    schema: Type.Object({ contact: Person, push_name: Text('The new name') }),
    example: { contact, push_name: 'Jane D.' },
  }),
  'contact.about': entry({
    summary: 'A contact changed the "about" text',
    cause: 'WhatsApp said so.',
    schema: Type.Object({ contact: Person, about: Text('The new text') }),
    example: { contact, about: 'At the market' },
  }),
  'contact.picture': entry({
    summary: 'A profile or group picture changed',
    cause: 'WhatsApp said so.',
    schema: Type.Object({
      contact: Type.Object(Person.properties, { description: 'Whose picture; a group has `jid` alone' }),
      picture_id: OrNull(Text('Id of the new picture')),
      removed: Flag('There is none any more'),
      author: OrNull(Person),
    }),
    example: { contact, picture_id: '1718452800', removed: false, author: null },
  }),
};

export const CHAT_EVENTS = {
  'chat.presence': entry({
    summary: 'Somebody is typing or recording, or stopped',
    cause: 'WhatsApp tells it while we are shown as online.',
    schema: Type.Object({
      ...ChatNames,
      sender: Person,
      state: Word(['composing', 'paused']),
      media: Word(['text', 'audio'], '`audio`: a voice note is being recorded'),
    }),
    example: { ...chatExample, sender: contact, state: 'composing', media: 'text' },
  }),
  'chat.mark_as_read': entry({
    summary: 'A chat was marked as read or unread',
    cause: onAnotherDevice,
    schema: Type.Object({ ...ChatNames, read: Flag('False: marked as unread') }),
    example: { ...chatExample, read: true },
  }),
  'chat.pin': entry({
    summary: 'A chat was pinned or unpinned',
    cause: onAnotherDevice,
    schema: Type.Object({ ...ChatNames, pinned: Flag('False: unpinned') }),
    example: { ...chatExample, pinned: true },
  }),
  'chat.mute': entry({
    summary: 'A chat was muted or unmuted',
    cause: onAnotherDevice,
    schema: Type.Object({
      ...ChatNames,
      muted: Flag('False: unmuted'),
      muted_until: OrNull(Time('When it ends; null: never, or not muted')),
    }),
    example: { ...chatExample, muted: true, muted_until: '2026-06-15T20:00:00.000Z' },
  }),
  'chat.archive': entry({
    summary: 'A chat was archived or unarchived',
    cause: onAnotherDevice,
    schema: Type.Object({ ...ChatNames, archived: Flag('False: unarchived') }),
    example: { ...chatExample, archived: true },
  }),
  'chat.delete': entry({
    summary: 'A chat was deleted',
    cause: onAnotherDevice,
    schema: Type.Object(ChatNames),
    example: chatExample,
  }),
  'chat.clear': entry({
    summary: 'The messages of a chat were deleted on our side',
    cause: onAnotherDevice,
    schema: Type.Object(ChatNames),
    example: chatExample,
  }),
};
