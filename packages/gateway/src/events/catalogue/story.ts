/** Category "story": what contacts post for a day. */
import { type Static, Type } from 'typebox';
import { MESSAGE_EXAMPLE, Media, MessageType, SENDER_EXAMPLE, Sender } from './message-data.ts';
import { Count, EXAMPLE, entry, MessageId, OrNull, RecordId, Text, Time, Word } from './parts.ts';

/** What a story shows, in events and answers alike. */
export const StoryContent = Type.Object({
  message_type: MessageType,
  content: Text('Text or caption; empty when there is none'),
  background_color: OrNull(Text('`#RRGGBB`, of a text')),
  text_color: OrNull(Text('`#RRGGBB`, of a text')),
  font: OrNull(Count("Number of one of WhatsApp's typefaces, of a text")),
  media: OrNull(Media),
});
export type StoryContent = Static<typeof StoryContent>;

export const StoryData = Type.Object(
  {
    message_id: MessageId,
    record_id: RecordId,
    sender: Sender,
    ...StoryContent.properties,
    timestamp: Time('When WhatsApp took it'),
    expires_at: Time('Until when it is shown'),
    source: Word(['phone', 'api', 'history', 'shared'], 'Where we have it from, as of messages'),
  },
  { title: 'StoryData' },
);

export const StoryDeletedData = Type.Object({
  message_id: MessageId,
  record_id: OrNull(Text('Our own id of the story; null when we do not have it')),
  sender: Sender,
  revoke_id: Text('Id of the revoke itself'),
  timestamp: Time('When it was taken back'),
});

export const STORY_EVENTS = {
  'story.received': entry({
    summary: 'A contact posted a story',
    cause: 'Beside `message.received`, whose `chat_jid` is `status@broadcast` then.',
    schema: StoryData,
    example: {
      message_id: EXAMPLE.messageId,
      record_id: EXAMPLE.recordId,
      sender: SENDER_EXAMPLE,
      message_type: 'image',
      content: 'New today',
      background_color: null,
      text_color: null,
      font: null,
      media: MESSAGE_EXAMPLE.media,
      timestamp: EXAMPLE.time,
      expires_at: '2026-06-16T12:00:00.000Z',
      source: 'phone',
    },
  }),
  'story.deleted': entry({
    summary: 'A contact took a story back',
    cause: 'Beside `message.revoked`. The story is gone from `GET /stories`.',
    schema: StoryDeletedData,
    example: {
      message_id: EXAMPLE.messageId,
      record_id: EXAMPLE.recordId,
      sender: SENDER_EXAMPLE,
      revoke_id: '3EB0A1B2C3D4E5F6A8',
      timestamp: EXAMPLE.time,
    },
  }),
};
