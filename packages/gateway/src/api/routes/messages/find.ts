/** Tag `messages`: lists, search and single messages of what is stored. Beyond the documented API. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { invalidField } from '../../../errors.ts';
import { MessageData } from '../../../events/catalogue/message-data.ts';
import type { DescribedMessage } from '../../../messages/finding/described-message.ts';
import type { MessageFinder, MessagePage } from '../../../messages/finding/finder.ts';
import type { MessageFilter } from '../../../messages/finding/places.ts';
import { MESSAGE_KINDS, type MessageKind } from '../../../whatsapp/port/content.ts';
import { refusing } from '../../description/stated.ts';
import { DeviceHeaders, OnlyDevice, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import {
  ChatText,
  chatNames,
  MESSAGE_FAILURES,
  MessageIdParam,
  MessageQuery,
  messageName,
} from '../../request/message.ts';
import { nextPage, pageQuery } from '../../request/page.ts';
import { MessageStatus, milliseconds, Nullable, OneOf, Rfc3339 } from '../../schemas.ts';

const DEFAULT_LIMIT = 50;
const MOST = 500;

const StoredMessageObject = Type.Object(
  {
    ...MessageData.properties,
    device_id: Type.String(),
    edited_at: Nullable({ ...Rfc3339, description: 'When `content` was last changed' }),
    revoked_at: Nullable({ ...Rfc3339, description: 'When it was deleted for everyone' }),
    status: Nullable(MessageStatus),
    error: Nullable(Type.String({ description: 'Why it failed; only with `failed`' })),
    starred: Type.Boolean(),
  },
  { title: 'Message' },
);

export function messageObject({
  message,
  data,
  status,
}: DescribedMessage): Static<typeof StoredMessageObject> {
  return {
    ...data,
    device_id: message.deviceId,
    status,
    error: status === 'failed' ? message.sendError : null,
    starred: message.starredAt !== null,
  };
}

/** What narrows down a list of messages, whosever they are. */
export const messageFilter = {
  kind: Type.Optional(
    refusing(
      'a word that is no kind',
      Type.String({
        maxLength: 500,
        description:
          'One or more of `message_type`, separated by commas. Default: all but changes of other messages (`edit`, ' +
          '`revoke`, `reaction`, `poll_vote`, `pin`) and `protocol`',
        examples: ['text', 'image,video'],
      }),
    ),
  ),
  direction: Type.Optional(
    OneOf(['in', 'out'] as const, { description: '`in`: received; `out`: sent by the account' }),
  ),
  starred: Type.Optional(Type.Boolean({ description: 'Starred ones alone, or those that are not' })),
  after: Type.Optional({ ...Rfc3339, description: 'Written at this time or later' }),
  before: Type.Optional({ ...Rfc3339, description: 'Written before this time' }),
  order: Type.Optional(
    OneOf(['desc', 'asc'] as const, { default: 'desc', description: '`desc`: the newest first' }),
  ),
  ...pageQuery({ usual: DEFAULT_LIMIT, most: MOST }),
};

const MessageFilterQuery = Type.Object(messageFilter);

const FilterQuery = Type.Object({
  device_id: OnlyDevice,
  chat: Type.Optional(
    ChatText({ description: 'Phone number or JID of one chat', examples: ['5511999999999'] }),
  ),
  ...messageFilter,
});

const SearchQuery = Type.Object({
  q: refusing(
    'one without a letter or digit, and `*` after less than two',
    Type.String({
      maxLength: 500,
      description:
        'Words that must all be there; `"…"` for words in a row; `*` at the end of a word for whatever begins so',
      examples: ['invoice', '"pick up" friday', 'deliver*'],
    }),
  ),
  ...FilterQuery.properties,
});

export const PageAnswer = Type.Object({
  success: Type.Literal(true),
  messages: Type.Array(StoredMessageObject),
  ...nextPage,
});

const SearchAnswer = Type.Object({
  ...PageAnswer.properties,
  complete: Type.Boolean({
    description: 'False while the index is behind, such as after an update: more may be found in a while',
  }),
});

export interface FindParts {
  finder: MessageFinder;
}

export const findRoutes: FastifyPluginAsyncTypebox<FindParts> = async (app, { finder }) => {
  const tags = ['messages'];

  app.get(
    '/messages',
    {
      schema: {
        operationId: 'listMessages',
        tags,
        summary: 'List stored messages',
        description:
          'Sent, received and from history, in the order of time. Admins and managers see those of the whole ' +
          'tenant, users those of their devices. What was deleted for the account alone is left out.',
        headers: DeviceHeaders,
        querystring: FilterQuery,
        response: { 200: PageAnswer, ...failures('INVALID_RECIPIENT') },
      },
    },
    async (request) =>
      pageAnswer(await finder.list(request.caller, filterOf(request.query, selectedDevice(request)))),
  );

  app.get(
    '/messages/search',
    {
      schema: {
        operationId: 'searchMessages',
        tags,
        summary: 'Search the text of stored messages',
        description:
          'Texts, captions, file names, questions of polls, names of contacts, places and events, as they are by ' +
          'now: what was deleted is not found. Case and accents do not matter.',
        headers: DeviceHeaders,
        querystring: SearchQuery,
        response: { 200: SearchAnswer, ...failures('INVALID_RECIPIENT') },
      },
    },
    async (request) => {
      const filter = filterOf(request.query, selectedDevice(request));
      const page = await finder.search(request.caller, { ...filter, q: request.query.q });
      return { ...pageAnswer(page), complete: page.complete };
    },
  );

  app.get(
    '/messages/:messageId',
    {
      schema: {
        operationId: 'getMessage',
        tags,
        summary: 'Read a stored message',
        description: 'When several devices hold it, the first copy answers, unless `device_id` picks one.',
        // As the documented operation of the same path calls it.
        params: Type.Object({ messageId: MessageIdParam }),
        querystring: MessageQuery,
        headers: DeviceHeaders,
        response: {
          200: Type.Object({ success: Type.Literal(true), message: StoredMessageObject }),
          ...failures(...MESSAGE_FAILURES),
        },
      },
    },
    async (request) => ({
      success: true as const,
      message: messageObject(
        await finder.get(request.caller, messageName(request, request.params.messageId)),
      ),
    }),
  );
};

function filterOf(query: Static<typeof FilterQuery>, deviceId: string | undefined): MessageFilter {
  const chat = query.chat === undefined ? undefined : chatNames(query.chat);
  return { ...filterBy(query), deviceId, chat };
}

/** What the query says beside whose messages it asks for. Throws VALIDATION_ERROR. */
export function filterBy(query: Static<typeof MessageFilterQuery>): MessageFilter {
  return {
    kinds: query.kind === undefined ? undefined : kindsOf(query.kind),
    direction: query.direction,
    starred: query.starred,
    fromMs: milliseconds(query.after),
    toMs: milliseconds(query.before),
    order: query.order ?? 'desc',
    limit: query.limit ?? DEFAULT_LIMIT,
    cursor: query.cursor,
  };
}

function kindsOf(list: string): MessageKind[] {
  return list.split(',').map((each) => {
    const kind = MESSAGE_KINDS.find((known) => known === each.trim());
    if (!kind) throw invalidField('kind', `must be of: ${MESSAGE_KINDS.join(', ')}`, each.slice(0, 100));
    return kind;
  });
}

export function pageAnswer(page: MessagePage): Static<typeof PageAnswer> {
  return { success: true, messages: page.messages.map(messageObject), next_cursor: page.nextCursor };
}
