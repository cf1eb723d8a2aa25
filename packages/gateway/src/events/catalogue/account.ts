/** Categories "privacy", "settings", "label" and "sync". */
import { Type } from 'typebox';
import { MESSAGE_EXAMPLE, MessageData } from './message-data.ts';
import { ChatNames, Count, EXAMPLE, entry, Flag, MessageId, OrNull, Person, Text, Word } from './parts.ts';

const chat = { ...EXAMPLE.chat };
const contact = { ...EXAMPLE.person };

export const PRIVACY_EVENTS = {
  'privacy.blocklist': entry({
    summary: 'Contacts were blocked or unblocked',
    cause: 'The user did it, here or on another device.',
    schema: Type.Object({
      blocked: Type.Array(Person, {
        description: 'With both lists empty the block list is another now: `GET /contacts/blocklist`',
      }),
      unblocked: Type.Array(Person),
      dhash: OrNull(Text("WhatsApp's hash of the list; null when it is not told")),
    }),
    example: { blocked: [contact], unblocked: [], dhash: 'Kq3cBw1xPg' },
  }),
  'privacy.settings': entry({
    summary: 'Privacy settings changed',
    cause: 'The user changed them, here or on another device.',
    schema: Type.Object({
      settings: Type.Record(Type.String(), Type.String(), {
        description: "The changed ones, in WhatsApp's words: `last`, `online`, `profile`, `readreceipts`, …",
      }),
    }),
    example: { settings: { last: 'contacts' } },
  }),
};

export const SETTINGS_EVENTS = {
  'settings.unarchive_chats': entry({
    summary: '"Keep chats archived" was switched',
    cause: 'The user did it on the phone.',
    schema: Type.Object({ unarchive_chats: Flag('A new message brings an archived chat back') }),
    example: { unarchive_chats: true },
  }),
  'settings.user_status_mute': entry({
    summary: 'The stories of a contact were muted or unmuted',
    cause: 'The user did it on the phone or another device.',
    schema: Type.Object({ contact: Person, muted: Flag('False: unmuted') }),
    example: { contact, muted: true },
  }),
  'settings.status_privacy': entry({
    summary: 'Who sees the stories of the account was changed',
    cause: 'The user did it, here or on another device.',
    schema: Type.Object({
      type: Type.String({
        enum: ['contacts', 'whitelist', 'blacklist', 'close_friends'],
        description: 'All contacts; only those of the list; all but those of the list; close friends',
      }),
      list: Type.Array(Person),
    }),
    example: { type: 'whitelist', list: [contact] },
  }),
};

const LabelId = Text('Id of the label');

export const LABEL_EVENTS = {
  'label.edit': entry({
    summary: 'A label was made, changed or deleted',
    cause: 'The user did it in WhatsApp Business.',
    schema: Type.Object({
      label_id: LabelId,
      name: OrNull(Text('Its name')),
      color: OrNull(Type.Integer({ description: "Number of the colour in WhatsApp's palette" })),
      deleted: Flag('It is gone'),
    }),
    example: { label_id: '3', name: 'New order', color: 2, deleted: false },
  }),
  'label.association_chat': entry({
    summary: 'A chat got or lost a label',
    cause: 'The user did it in WhatsApp Business.',
    schema: Type.Object({ label_id: LabelId, ...ChatNames, labeled: Flag('False: taken away') }),
    example: { label_id: '3', ...chat, labeled: true },
  }),
  'label.association_message': entry({
    summary: 'A message got or lost a label',
    cause: 'The user did it in WhatsApp Business.',
    schema: Type.Object({
      label_id: LabelId,
      ...ChatNames,
      message_id: MessageId,
      record_id: OrNull(Text('Our own id of the message; null when we do not have it')),
      labeled: Flag('False: taken away'),
    }),
    example: {
      label_id: '3',
      ...chat,
      message_id: EXAMPLE.messageId,
      record_id: EXAMPLE.recordId,
      labeled: true,
    },
  }),
};

export const SYNC_EVENTS = {
  'history.sync': entry({
    summary: 'A piece of the past was stored',
    cause:
      'The phone sends history after linking, and when `POST /messages/history/request` asks. A member of a ' +
      'group shares its newest messages with the account that has just come (`shared`): they are as he tells ' +
      'them. One event per piece; its messages are in it, and cause no events of their own.',
    schema: Type.Object({
      kind: Word(['initial', 'recent', 'full', 'on_demand', 'push_names', 'shared']),
      group_jid: OrNull(Text('With `shared`: whose past it is')),
      shared_by: OrNull(Person),
      progress: OrNull(Type.Number({ description: '0–100, as the phone says' })),
      chats: Count('Chats in this piece'),
      contacts: Count('Contacts in this piece'),
      count: Count('Messages in this piece'),
      stored: Count('Of these, not stored before'),
      messages: Type.Array(MessageData, {
        description:
          'The messages of this piece, by chat from old to new: those not stored before; all of them in an ' +
          'answer to `POST /messages/history/request`',
      }),
    }),
    example: {
      kind: 'on_demand',
      group_jid: null,
      shared_by: null,
      progress: 100,
      chats: 1,
      contacts: 1,
      count: 1,
      stored: 1,
      messages: [{ ...MESSAGE_EXAMPLE, source: 'history' }],
    },
  }),
  'offline.sync_preview': entry({
    summary: 'How much waited while the device was offline',
    cause: 'WhatsApp says it when the device is back, before it delivers it.',
    schema: Type.Object({
      total: Count('Everything'),
      messages: Count('Messages'),
      receipts: Count('Receipts'),
      notifications: Count('Notifications'),
      app_data: Count('Changes of app state'),
    }),
    example: { total: 14, messages: 9, receipts: 4, notifications: 1, app_data: 0 },
  }),
  'offline.sync_completed': entry({
    summary: 'What waited has been delivered',
    cause: 'WhatsApp says that nothing more waits.',
    schema: Type.Object({ count: Count('How much it was') }),
    example: { count: 14 },
  }),
  'app_state.sync_complete': entry({
    summary: 'A part of the app state is up to date',
    cause: "A collection of the account's settings was synchronised.",
    schema: Type.Object({
      collection: Text(
        '`critical_block`, `critical_unblock_low`, `regular_high`, `regular_low` or `regular`',
      ),
    }),
    example: { collection: 'regular_high' },
  }),
};
