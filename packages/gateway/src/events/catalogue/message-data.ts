/** `data` of a message, in events and in lists alike. */
import { type Static, Type } from 'typebox';
import { MESSAGE_KINDS } from '../../whatsapp/port/content.ts';
import {
  Address,
  ChatNames,
  Count,
  Direction,
  EXAMPLE,
  Flag,
  MessageId,
  OrNull,
  Person,
  RecordId,
  Text,
  Time,
  Word,
} from './parts.ts';

/** What kind of message it is. */
export const MessageType = Word(MESSAGE_KINDS, undefined, 'MessageType');

export const Sender = Type.Object(
  { ...Person.properties, push_name: OrNull(Text('The name that the sender chose')) },
  { title: 'Sender', description: 'Who wrote it, under every known name' },
);

export const Media = Type.Object(
  {
    kind: Word(['image', 'video', 'audio', 'voice', 'document', 'sticker', 'sticker_pack']),
    mime_type: Text('As the sender says'),
    file_name: OrNull(Text('Of documents and packs of stickers')),
    size: OrNull(Count('Bytes, as the sender says')),
    sha256: OrNull(Text('Hex, of the file')),
    seconds: OrNull(Count('Length of audio and video')),
    width: OrNull(Count('Pixels')),
    height: OrNull(Count('Pixels')),
    url: Text('Path on this gateway that serves the file: `GET` it with your token'),
  },
  { title: 'Media', description: 'The file; its bytes are fetched apart' },
);

export const Details = Type.Object(
  {},
  { additionalProperties: true, description: 'What the type adds: `latitude`, `vcards`, `button_id`, …' },
);

export const Quoted = Type.Object(
  {
    message_id: MessageId,
    participant: OrNull(Address('Who wrote it')),
    author: OrNull(Person),
    body: OrNull(Text('Its text')),
    chat_jid: OrNull(Address('Its chat, where that is another one: of a story `status@broadcast`')),
  },
  { title: 'QuotedMessage', description: 'The message it answers' },
);

export const ReferralData = Type.Object(
  {
    title: OrNull(Text('Of the ad or post')),
    body: OrNull(Text('Its text')),
    source_type: OrNull(Text('`ad`, `post`, …')),
    source_id: OrNull(Text("Meta's id of the ad or post")),
    source_url: OrNull(Text('Its page')),
    source_app: OrNull(Text('`facebook`, `instagram`, …')),
    media_type: OrNull(Word(['image', 'video'])),
    media_url: OrNull(Text('Its picture or video')),
    thumbnail_url: OrNull(Text('A small picture of it')),
    ctwa_clid: OrNull(Text("Meta's id of the click, for the Conversions API")),
    ref: OrNull(Text('What the advertiser wrote into the ad for this')),
    conversion_source: OrNull(Text('`FB_Ads`, …')),
    entry_point: OrNull(Text('How the chat was opened: `ctwa_ad`, `click_to_chat_link`, …')),
    entry_point_app: OrNull(Text('From which app')),
    entry_point_external_source: OrNull(Text('`source` of the link')),
    entry_point_external_medium: OrNull(Text('`medium` of the link')),
    utm_source: OrNull(Text('`utm_source` of the link')),
    utm_campaign: OrNull(Text('`utm_campaign` of the link')),
  },
  {
    title: 'Referral',
    description:
      'Where the chat was begun from, as the app of the sender says: trust it as far as the sender',
  },
);

/** `data` of a message, received or sent. */
export const MessageData = Type.Object(
  {
    message_id: MessageId,
    record_id: RecordId,
    ...ChatNames,
    ...Direction,
    sender: Sender,
    push_name: OrNull(Text('Same as `sender.push_name`')),
    is_group: Flag('Written in a group'),
    message_type: MessageType,
    content: Text('Text or caption; empty when there is none'),
    timestamp: Time('When WhatsApp took it'),
    media: OrNull(Media),
    further_media: Type.Array(Media, {
      description: 'The other files of a message that has several, such as the cards of a carousel',
    }),
    quoted: OrNull(Quoted),
    mentions: Type.Array(Address('Who is mentioned')),
    mentioned: Type.Array(Person, { description: 'The same people in the same order' }),
    mentions_me: Flag('The linked account is mentioned, by itself or with the whole group'),
    forwarded: Flag('Marked as forwarded'),
    broadcast: Flag('Sent to a broadcast list; what others send so is in the chat with them'),
    ephemeral: OrNull(Count('Seconds after which it disappears')),
    view_once: Flag('May be opened once'),
    source: Word(
      ['phone', 'api', 'history', 'shared'],
      'Where we have it from; `shared`: from another member of the group',
    ),
    target_message_id: OrNull(
      Text(
        'The message that a reaction, a comment, a pin or the like speaks of, the album that it is in, or what an assistant answers',
      ),
    ),
    target_sender: OrNull(Person),
    referral: OrNull(ReferralData),
    edited_at: OrNull(Time('When it was edited, if that came before the message; `content` is the new text')),
    revoked_at: OrNull(Time('When it was deleted for everyone, if that came before the message')),
    server_id: OrNull(Count("WhatsApp's number of a post in a channel, which the operations there take")),
    details: OrNull(Details),
  },
  { title: 'MessageData' },
);
export type MessageData = Static<typeof MessageData>;

export const SENDER_EXAMPLE = { ...EXAMPLE.person, push_name: 'Jane Doe' };

export const MESSAGE_EXAMPLE: MessageData = {
  message_id: EXAMPLE.messageId,
  record_id: EXAMPLE.recordId,
  ...EXAMPLE.chat,
  from: EXAMPLE.jid,
  to: EXAMPLE.own,
  sender: SENDER_EXAMPLE,
  push_name: 'Jane Doe',
  is_from_me: false,
  is_group: false,
  message_type: 'image',
  content: 'Hello from WhatsApp!',
  timestamp: EXAMPLE.time,
  media: {
    kind: 'image',
    mime_type: 'image/jpeg',
    file_name: null,
    size: 48_213,
    sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    seconds: null,
    width: 1280,
    height: 720,
    url: `/messages/${EXAMPLE.recordId}/media`,
  },
  further_media: [],
  quoted: null,
  mentions: [],
  mentioned: [],
  mentions_me: false,
  forwarded: false,
  broadcast: false,
  ephemeral: null,
  view_once: false,
  source: 'phone',
  target_message_id: null,
  target_sender: null,
  referral: null,
  edited_at: null,
  revoked_at: null,
  server_id: null,
  details: null,
};
