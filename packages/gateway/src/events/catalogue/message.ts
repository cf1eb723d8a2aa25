/** Category "message", with `mention.sent` and `media.retry`, as the documentation groups them. */
import { Type } from 'typebox';
import {
  Details,
  MESSAGE_EXAMPLE,
  MessageData,
  MessageType,
  SENDER_EXAMPLE,
  Sender,
} from './message-data.ts';
import {
  Address,
  ChatNames,
  Count,
  Direction,
  EXAMPLE,
  entry,
  Flag,
  MessageId,
  OrNull,
  Person,
  RecordId,
  Text,
  Time,
  Word,
} from './parts.ts';

/** What an edit, revoke, reaction or vote says about another message. */
const about = {
  message_id: Text('The message that it speaks of'),
  record_id: OrNull(Text('Our own id of that message; null when we do not have it')),
  target_sender: OrNull(Person),
  ...ChatNames,
  ...Direction,
  sender: Sender,
  is_group: Flag('In a group'),
  timestamp: Time('When WhatsApp took it'),
  source: Word(
    ['phone', 'api', 'history', 'shared'],
    'Where we have it from; `shared`: from another member of the group',
  ),
  server_id: OrNull(Count("WhatsApp's number of the post, in a channel")),
};

export const EditedData = Type.Object({
  ...about,
  edit_id: Text('Id of the edit itself'),
  content: Text('The new text or caption; of a calendar event its name'),
  details: OrNull(Details),
});

export const RevokedData = Type.Object({ ...about, revoke_id: Text('Id of the revoke itself') });

export const ReactionData = Type.Object({
  ...about,
  reaction_id: Text('Id of the reaction itself'),
  reaction: Text('The emoji; empty when it was taken back'),
});

export const PollVoteData = Type.Object({
  ...about,
  vote_id: Text('Id of the vote itself'),
  poll_name: OrNull(Text('The question; null when we do not have the poll')),
  options: OrNull(
    Type.Array(Type.String(), {
      description:
        'All that the voter has chosen by now, none when taken back; null while the poll is not known: the event ' +
        'comes again when it is',
    }),
  ),
  unknown_options: Count('Options chosen that the poll, as we know it, does not have'),
});

export const PollOptionData = Type.Object({
  ...about,
  option_id: Text('Id of the addition itself'),
  option: Text('The name of the option'),
});

export const ReceiptData = Type.Object(
  {
    message_id: MessageId,
    record_id: RecordId,
    ...ChatNames,
    ...Direction,
    recipient: Person,
    is_group: Flag('Written in a group: each member answers for himself'),
    status: Word(['delivered', 'read', 'played']),
    timestamp: Time('When it was, as WhatsApp says'),
  },
  { title: 'ReceiptData' },
);

export const FailedData = Type.Object({
  message_id: MessageId,
  record_id: RecordId,
  ...ChatNames,
  ...Direction,
  is_group: Flag('Written in a group'),
  message_type: MessageType,
  error: Text('Why it was not sent'),
  timestamp: Time('When it was given up'),
});

export const UndecryptableData = Type.Object({
  message_id: MessageId,
  record_id: RecordId,
  ...ChatNames,
  ...Direction,
  sender: Sender,
  is_group: Flag('Written in a group'),
  view_once: Flag('May be opened once, and on the phone alone: its content does not come here'),
  timestamp: Time('When WhatsApp took it'),
  retry_url: Text('`POST` here asks the sender again'),
});

export const MediaRetryData = Type.Object({
  message_id: MessageId,
  record_id: RecordId,
  ...ChatNames,
  ...Direction,
  success: Flag('The file can be fetched again'),
  result: Word(['success', 'not_found', 'decryption_error', 'general_error'], "The phone's answer"),
  url: Text('Path on this gateway that serves the file'),
});

const DeletedForMeData = Type.Object({
  message_id: MessageId,
  record_id: OrNull(Text('Our own id of the message; null when we do not have it')),
  ...ChatNames,
  ...Direction,
  sender: OrNull(Person),
});

const StarredData = Type.Object({
  ...DeletedForMeData.properties,
  starred: Flag('False: the star was taken away'),
});

export const MentionData = Type.Object({
  message_id: MessageId,
  record_id: RecordId,
  ...ChatNames,
  ...Direction,
  is_group: Flag('Written in a group'),
  content: Text('Text or caption'),
  mentions: Type.Array(Address('Who is mentioned')),
  mentioned: Type.Array(Person, { description: 'The same people in the same order' }),
  timestamp: Time('When WhatsApp took it'),
});

const self = {
  jid: EXAMPLE.own,
  lid: null,
  phone_number: '5511888888888',
  push_name: null,
};

const sent: MessageData = {
  ...MESSAGE_EXAMPLE,
  from: EXAMPLE.own,
  to: EXAMPLE.jid,
  sender: self,
  push_name: null,
  is_from_me: true,
  message_type: 'text',
  media: null,
  source: 'api',
};

const toUs = { from: EXAMPLE.jid, to: EXAMPLE.own, is_from_me: false };
const byUs = { from: EXAMPLE.own, to: EXAMPLE.jid, is_from_me: true };

const change = {
  message_id: EXAMPLE.messageId,
  record_id: EXAMPLE.recordId,
  ...EXAMPLE.chat,
  ...toUs,
  sender: SENDER_EXAMPLE,
  target_sender: { ...EXAMPLE.person },
  is_group: false,
  timestamp: EXAMPLE.time,
  source: 'phone' as const,
  server_id: null,
};

const receipt = {
  message_id: EXAMPLE.messageId,
  record_id: EXAMPLE.recordId,
  ...EXAMPLE.chat,
  ...byUs,
  recipient: { ...EXAMPLE.person },
  is_group: false,
  timestamp: EXAMPLE.time,
};

export const MESSAGE_EVENTS = {
  'message.received': entry({
    summary: 'A message arrived',
    cause: 'Somebody else wrote to the account or into one of its groups or channels.',
    schema: MessageData,
    example: MESSAGE_EXAMPLE,
  }),
  'message.sent': entry({
    summary: 'A message of ours was sent',
    cause: 'WhatsApp acknowledged a message sent over the API, or the account wrote on another device.',
    schema: MessageData,
    example: sent,
  }),
  'message.delivered': entry({
    summary: 'A message of ours was delivered',
    cause: "The first delivery receipt of each recipient's devices, unless they have read it by then.",
    schema: ReceiptData,
    example: { ...receipt, status: 'delivered' },
  }),
  'message.read': entry({
    summary: 'A message of ours was read',
    cause: 'The first read receipt of each recipient who sends them.',
    schema: ReceiptData,
    example: { ...receipt, status: 'read' },
  }),
  'message.undecryptable': entry({
    summary: 'A message arrived that could not be decrypted',
    cause:
      "The keys do not fit, and the sender's phone was asked again: `message.received` follows when it answers. Or WhatsApp gives it to the phone alone, as what can be opened once. Or an assistant answers a message that is not here.",
    schema: UndecryptableData,
    example: {
      message_id: EXAMPLE.messageId,
      record_id: EXAMPLE.recordId,
      ...EXAMPLE.chat,
      ...toUs,
      sender: SENDER_EXAMPLE,
      is_group: false,
      view_once: false,
      timestamp: EXAMPLE.time,
      retry_url: `/messages/${EXAMPLE.recordId}/retry`,
    },
  }),
  'message.delete_for_me': entry({
    summary: 'A message was deleted on our side alone',
    cause: 'The user deleted it for himself on the phone or another device.',
    schema: DeletedForMeData,
    example: {
      message_id: EXAMPLE.messageId,
      record_id: EXAMPLE.recordId,
      ...EXAMPLE.chat,
      ...toUs,
      sender: { ...EXAMPLE.person },
    },
  }),
  'mention.sent': entry({
    summary: 'A message of ours that mentions people was sent',
    cause: 'Beside `message.sent`, when it was sent over the API and mentions somebody.',
    schema: MentionData,
    example: {
      message_id: EXAMPLE.messageId,
      record_id: EXAMPLE.recordId,
      chat_jid: EXAMPLE.group,
      chat_lid: null,
      ...byUs,
      to: EXAMPLE.group,
      is_group: true,
      content: 'Thank you @5511999999999',
      mentions: [EXAMPLE.jid],
      mentioned: [{ ...EXAMPLE.person }],
      timestamp: EXAMPLE.time,
    },
  }),
  'media.retry': entry({
    summary: 'The phone answered a request to upload a file again',
    cause: '`GET /messages/{id}/media` had found it gone from the servers.',
    schema: MediaRetryData,
    example: {
      message_id: EXAMPLE.messageId,
      record_id: EXAMPLE.recordId,
      ...EXAMPLE.chat,
      ...toUs,
      success: true,
      result: 'success',
      url: `/messages/${EXAMPLE.recordId}/media`,
    },
  }),
  'message.played': entry({
    summary: 'A voice note or video note of ours was played',
    cause: 'The first played receipt of each recipient.',
    schema: ReceiptData,
    example: { ...receipt, status: 'played' },
  }),
  'message.failed': entry({
    summary: 'A message of ours was not sent',
    cause: 'WhatsApp refused it, it could not leave, or it was never confirmed (UNCONFIRMED).',
    schema: FailedData,
    example: {
      message_id: EXAMPLE.messageId,
      record_id: EXAMPLE.recordId,
      ...EXAMPLE.chat,
      ...byUs,
      is_group: false,
      message_type: 'text',
      error: 'refused by WhatsApp: not allowed (463)',
      timestamp: EXAMPLE.time,
    },
  }),
  'message.edited': entry({
    summary: 'A message was edited',
    cause: 'Its author changed the text or caption, whoever that is.',
    schema: EditedData,
    example: { ...change, edit_id: '3EB0A1B2C3D4E5F6A7', content: 'The new text', details: null },
  }),
  'message.revoked': entry({
    summary: 'A message was deleted for everyone',
    cause: 'Its author took it back, or a group admin removed it.',
    schema: RevokedData,
    example: { ...change, revoke_id: '3EB0A1B2C3D4E5F6A8' },
  }),
  'message.reaction': entry({
    summary: 'Somebody reacted to a message',
    cause:
      'A reaction was set, changed or taken back. Beside `message.received` or `message.sent` of the type `reaction`.',
    schema: ReactionData,
    example: { ...change, reaction_id: '3EB0A1B2C3D4E5F6A9', reaction: '👍' },
  }),
  'message.poll_vote': entry({
    summary: 'Somebody voted in a poll',
    cause: 'A vote was cast, changed or taken back. It is not reported as `message.received` as well.',
    schema: PollVoteData,
    example: {
      ...change,
      vote_id: '3EB0A1B2C3D4E5F6AA',
      poll_name: 'When shall we deliver?',
      options: ['Monday'],
      unknown_options: 0,
    },
  }),
  'message.poll_option': entry({
    summary: 'Somebody added an option to a poll',
    cause:
      'The poll has it from now on, in its details and results. One that it has already, or has no place for, is ' +
      'not told.',
    schema: PollOptionData,
    example: { ...change, option_id: '3EB0A1B2C3D4E5F6AB', option: 'Friday' },
  }),
  'message.starred': entry({
    summary: 'A message was starred, or its star taken away',
    cause: 'Over the API, or by the user on the phone or another device.',
    schema: StarredData,
    example: {
      message_id: EXAMPLE.messageId,
      record_id: EXAMPLE.recordId,
      ...EXAMPLE.chat,
      ...toUs,
      sender: { ...EXAMPLE.person },
      starred: true,
    },
  }),
};
