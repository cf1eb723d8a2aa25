/** Categories "group" and "newsletter". */
import { Type } from 'typebox';
import { Address, Count, EXAMPLE, entry, Flag, OrNull, Person, Text, Time, Word } from './parts.ts';

const person = { ...EXAMPLE.person };
const group_jid = EXAMPLE.group;
const newsletter_jid = EXAMPLE.newsletter;
const NewsletterJid = Address('The channel');

export const GROUP_EVENTS = {
  'group.info': entry({
    summary: 'A group changed',
    cause: 'Its subject, description, settings or members.',
    schema: Type.Object({
      group_jid: Address('The group'),
      author: OrNull(Person),
      change: Text('`subject`, `description`, `announcement`, `locked`, `ephemeral`, `participants`, …'),
      participants: Type.Array(
        Type.Object({
          ...Person.properties,
          change: Word(['add', 'remove', 'promote', 'demote', 'leave']),
        }),
      ),
      value: Type.Union([Type.String(), Type.Boolean(), Type.Number(), Type.Null()], {
        description: 'The new subject, description or setting; null for members',
      }),
      timestamp: Time('When it was, as WhatsApp says'),
    }),
    example: {
      group_jid,
      author: person,
      change: 'participants',
      participants: [{ ...person, change: 'add' }],
      value: null,
      timestamp: EXAMPLE.time,
    },
  }),
  'group.joined': entry({
    summary: 'The account is a member of a new group',
    cause: 'It was added, joined by a link, or created the group.',
    schema: Type.Object({
      group_jid: Address('The group'),
      subject: Text('Its name'),
      author: OrNull(Person),
      participants: Type.Array(Person),
      timestamp: Time('When it was, as WhatsApp says'),
    }),
    example: {
      group_jid,
      subject: 'Deliveries',
      author: person,
      participants: [person],
      timestamp: EXAMPLE.time,
    },
  }),
  'group.join_request': entry({
    summary: 'Somebody wants to be in a group, or does not any more',
    cause:
      'They opened the link of a group that asks its admins first, or a member wants to add them; they took it back, ' +
      'or another admin refused them. The account is an admin of the group. Who is let in is told by `group.info`.',
    schema: Type.Object({
      group_jid: Address('The group'),
      action: Word(['created', 'cancelled', 'rejected']),
      participants: Type.Array(Person, { description: 'Who it is about' }),
      method: {
        ...OrNull(Word(['invite_link', 'non_admin_add', 'linked_group_join', 'unknown'])),
        description:
          'How they came to ask: by the link, because a member wants to add them, or from another group of the ' +
          'community; null when it is over',
      },
      author: OrNull(Person),
      timestamp: Time('When it was, as WhatsApp says'),
    }),
    example: {
      group_jid,
      action: 'created',
      participants: [person],
      method: 'invite_link',
      author: person,
      timestamp: EXAMPLE.time,
    },
  }),
};

export const NEWSLETTER_EVENTS = {
  'newsletter.join': entry({
    summary: 'The account follows a channel',
    cause: 'The user followed it, here or on another device.',
    schema: Type.Object({ newsletter_jid: NewsletterJid, title: OrNull(Text('Its name')) }),
    example: { newsletter_jid, title: 'Market news' },
  }),
  'newsletter.leave': entry({
    summary: 'The account does not follow a channel any more',
    cause: 'The user left it, here or on another device, or it was deleted.',
    schema: Type.Object({ newsletter_jid: NewsletterJid }),
    example: { newsletter_jid },
  }),
  'newsletter.live_update': entry({
    summary: 'Views or reactions of channel posts changed',
    cause: 'WhatsApp said so.',
    schema: Type.Object({
      newsletter_jid: NewsletterJid,
      messages: Type.Array(
        Type.Object({
          server_id: Text('Id of the post within the channel'),
          views: OrNull(Count('How often it was seen')),
          reactions: Type.Record(Type.String(), Type.Integer(), { description: 'Emoji → how many' }),
        }),
      ),
    }),
    example: { newsletter_jid, messages: [{ server_id: '118', views: 2041, reactions: { '👍': 12 } }] },
  }),
  'newsletter.mute_change': entry({
    summary: 'A channel was muted or unmuted',
    cause: 'The user did it, here or on another device.',
    schema: Type.Object({ newsletter_jid: NewsletterJid, muted: Flag('False: unmuted') }),
    example: { newsletter_jid, muted: true },
  }),
};
