/** Tag `status`: the stories of contacts, and one story, whosever it is. Beyond the documented API. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { rfc3339, rfc3339OrNull } from '../../../clock.ts';
import { Sender } from '../../../events/catalogue/message-data.ts';
import { Person } from '../../../events/catalogue/parts.ts';
import { StoryContent } from '../../../events/catalogue/story.ts';
import { person } from '../../../events/payloads/parts.ts';
import { expiry, storyContent } from '../../../events/payloads/story.ts';
import type { DescribedMessage } from '../../../messages/finding/described-message.ts';
import type { MessageFinder } from '../../../messages/finding/finder.ts';
import { senderOf } from '../../../messages/stored-message.ts';
import { namesOf, parseRecipient } from '../../../sending/recipients.ts';
import type { ContactStories, ContactStory, StoryInbox } from '../../../stories/inbox.ts';
import type { FollowedStory, Stories } from '../../../stories/stories.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { DeviceHeaders, DeviceId, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import {
  ChatText,
  MESSAGE_FAILURES,
  MessageIdParam,
  MessageQuery,
  messageName,
  RecordId,
} from '../../request/message.ts';
import { CursorText, nextPage } from '../../request/page.ts';
import { milliseconds, Nullable, OneOf, Rfc3339 } from '../../schemas.ts';
import { sayStoryErrors, storyFailures } from './story-errors.ts';

export interface ReadingParts {
  stories: Stories;
  inbox: StoryInbox;
  finder: Pick<MessageFinder, 'get'>;
}

const USUAL = 20;
const MOST = 100;

const tags = ['status'];

const storyMembers = {
  message_id: Type.String(),
  record_id: RecordId,
  ...StoryContent.properties,
  timestamp: Rfc3339,
  expires_at: { ...Rfc3339, description: 'Until when WhatsApp shows it' },
};
const seen = {
  seen: Type.Boolean({ description: 'Here, or on another device of the account' }),
  seen_at: Nullable(Rfc3339),
};

const Listed = Type.Object({ ...storyMembers, ...seen }, { title: 'ContactStory' });
const Contact = Type.Object(
  {
    contact: Person,
    name: Nullable(Type.String({ description: 'As saved, else what the contact calls itself' })),
    muted: Type.Boolean({ description: "The account's devices keep its stories apart from the others" }),
    count: Type.Integer({ description: 'Of its stories, also those that this page leaves out' }),
    unseen_count: Type.Integer(),
    last_at: { ...Rfc3339, description: 'When the newest was posted' },
    stories: Type.Array(Listed, {
      description: 'The newest first; at most 30 of a contact, with `contact` at most 200',
    }),
  },
  { title: 'ContactStories' },
);

/** Whosever it is. What is of one side alone is left out on the other. */
const Story = Type.Object(
  {
    ...storyMembers,
    device_id: Type.String(),
    is_from_me: Type.Boolean(),
    sender: Type.Optional(Sender),
    name: Type.Optional(Nullable(Type.String())),
    muted: Type.Optional(Type.Boolean()),
    seen: Type.Optional(seen.seen),
    seen_at: Type.Optional(seen.seen_at),
    state: Type.Optional(
      OneOf(['posting', 'posted', 'failed', 'expired', 'deleted'] as const, {
        description: '`posting`: not all have it yet. `expired`: a day was over before that',
      }),
    ),
    recipients: Type.Optional(Type.Integer({ description: 'Whom ours is for, the account itself counted' })),
    reached: Type.Optional(Type.Integer({ description: 'To how many of them it was sent by now' })),
    refused: Type.Optional(
      Type.Integer({
        description: 'Of those, to how many WhatsApp refused to send it, or who are not on WhatsApp',
      }),
    ),
    views: Type.Optional(Type.Integer({ description: 'Who has seen it, and says so' })),
    error: Type.Optional(Nullable(Type.String())),
    created_at: Type.Optional(Rfc3339),
    finished_at: Type.Optional(Nullable(Rfc3339)),
  },
  { title: 'Story' },
);

export const readingRoutes: FastifyPluginAsyncTypebox<ReadingParts> = async (app, parts) => {
  const { stories, inbox, finder } = parts;
  sayStoryErrors(app, 'inbox');

  app.get(
    '/stories',
    {
      schema: {
        tags,
        operationId: 'listStories',
        summary: "List contacts' stories",
        description:
          'By contact, the one who posted last first, as the devices of the account show them; what was taken back is ' +
          'gone. From what is stored, also while the device is not connected. As messages in the order of time, older ' +
          'ones and ours among them: `GET /messages?chat=status@broadcast`.',
        headers: DeviceHeaders,
        querystring: Type.Object({
          device_id: DeviceId,
          contact: Type.Optional(
            ChatText({
              description: 'Only of this person: phone number or JID',
              examples: ['5511999999999'],
            }),
          ),
          seen: Type.Optional(Type.Boolean({ description: 'Only those that were seen, or were not' })),
          after: Type.Optional({
            ...Rfc3339,
            description: 'Posted at this time or later, 30 days back at most. Default: in the last 24 hours',
          }),
          cursor: CursorText,
          limit: Type.Optional(
            Type.Integer({ minimum: 1, maximum: MOST, default: USUAL, description: 'Contacts of a page' }),
          ),
        }),
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            contacts: Type.Array(Contact),
            count: Type.Integer({ description: 'How many contacts are in this answer' }),
            ...nextPage,
          }),
          ...failures(...storyFailures('inbox', ['DEVICE_NOT_FOUND', 'DEVICE_AMBIGUOUS'])),
        },
      },
    },
    async (request) => {
      const { contact, seen, after, cursor, limit = USUAL } = request.query;
      const page = await inbox.list(request.caller, {
        deviceId: selectedDevice(request),
        contact:
          contact === undefined || contact === '' ? undefined : namesOf(parseRecipient(contact, 'contact')),
        seen,
        sinceMs: milliseconds(after),
        limit,
        cursor,
      });
      const contacts = page.contacts.map(contactObject);
      return { success: true as const, contacts, count: contacts.length, next_cursor: page.nextCursor };
    },
  );

  app.get(
    '/stories/:id',
    {
      schema: {
        tags,
        operationId: 'getStory',
        summary: 'Read a story',
        description:
          'Of ours also how far it has come and who saw it; of a contact whether we have seen it. One that a contact ' +
          'took back is not found.',
        params: Type.Object({ id: MessageIdParam }),
        querystring: MessageQuery,
        headers: DeviceHeaders,
        response: {
          200: Type.Object({ success: Type.Literal(true), story: Story }),
          ...failures(...storyFailures('inbox', MESSAGE_FAILURES)),
        },
      },
    },
    async (request) => {
      const { caller } = request;
      const { message, own } = await stories.find(caller, messageName(request, request.params.id));
      const described = await finder.get(caller, { id: message.rowId, deviceId: undefined, chat: undefined });
      const common = { ...storyAnswer(described), device_id: message.deviceId, is_from_me: message.fromMe };
      if (message.fromMe) {
        return { success: true as const, story: { ...common, ...(own ? progressOf(own) : {}) } };
      }
      const { name, muted, seenAt } = await inbox.about(caller, message);
      return {
        success: true as const,
        story: {
          ...common,
          sender: described.data.sender,
          name: name ?? message.pushName,
          muted,
          ...seenOf(seenAt),
        },
      };
    },
  );

  app.post(
    '/stories/:id/seen',
    {
      schema: {
        tags,
        operationId: 'markStorySeen',
        summary: "Mark a contact's story as seen",
        description:
          'The contact is told, unless the device (`read_receipts`) or the account hides what it reads; once: a second ' +
          'call tells nobody anything.',
        params: Type.Object({ id: MessageIdParam }),
        querystring: MessageQuery,
        headers: DeviceHeaders,
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            message_id: Type.String(),
            record_id: RecordId,
            seen_at: Rfc3339,
          }),
          ...failures(
            ...storyFailures('inbox', [...MESSAGE_FAILURES, 'ACCOUNT_CHANGED', ...SESSION_FAILURES]),
          ),
        },
      },
    },
    async (request) => {
      const { story, seenAt } = await inbox.see(request.caller, messageName(request, request.params.id));
      const { messageId: message_id, rowId: record_id } = story;
      return { success: true as const, message_id, record_id, seen_at: rfc3339(seenAt) };
    },
  );
};

function contactObject({ stories, ...of }: ContactStories): Static<typeof Contact> {
  const [newest] = stories;
  return {
    contact: person(newest ? senderOf(newest.described.message) : { jid: null, lid: null }),
    name: of.name ?? newest?.described.message.pushName ?? null,
    muted: of.muted,
    count: of.count,
    unseen_count: of.unseen,
    last_at: rfc3339(of.lastAt),
    stories: stories.map(listedObject),
  };
}

function listedObject({ described, seenAt }: ContactStory): Static<typeof Listed> {
  return { ...storyAnswer(described), ...seenOf(seenAt) };
}

function storyAnswer({ data }: DescribedMessage) {
  const { message_id, record_id, timestamp } = data;
  return { message_id, record_id, ...storyContent(data), timestamp, expires_at: expiry(timestamp) };
}

function seenOf(seenAt: number | null) {
  return { seen: seenAt !== null, seen_at: rfc3339OrNull(seenAt) };
}

function progressOf({ story, views }: FollowedStory) {
  return {
    state: story.state,
    recipients: story.total,
    reached: story.position,
    refused: story.refused,
    views,
    error: story.error,
    created_at: rfc3339(story.createdAt),
    finished_at: rfc3339OrNull(story.finishedAt),
  };
}
