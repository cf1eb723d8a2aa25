/** Tag `messages`: many messages as one request. Beyond the documented API. */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { type Clock, rfc3339, rfc3339OrNull } from '../../../clock.ts';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import { invalidField } from '../../../errors.ts';
import type { Idempotency } from '../../../sending/idempotency.ts';
import type { Bulk, Bulks } from '../../../sending/jobs/bulks.ts';
import type { SendOperation, SendOperations } from '../../../sending/jobs/operations.ts';
import type { SendJobs } from '../../../sending/jobs/send-jobs.ts';
import type { RecipientAddress } from '../../../sending/recipients.ts';
import { exactlyOne, refusing, stated } from '../../description/stated.ts';
import { DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { emptyCounts } from '../../request/given.ts';
import { once, SendHeaders } from '../../request/idempotency.ts';
import { ignoredIn, placedWarning, type Warning } from '../../request/ignored.ts';
import { placedError } from '../../request/placed-error.ts';
import { noteIgnored, warn } from '../../request/warnings.ts';
import { Nullable, OneOf, Rfc3339 } from '../../schemas.ts';
import { JobObject, jobObject } from './jobs.ts';
import { LOCATION, SendAt, sendTime, timeAhead } from './send-later.ts';
import { cutPauses } from './send-request.ts';

export interface BulkParts {
  bulks: Bulks;
  jobs: SendJobs;
  operations: SendOperations;
  idempotency: Idempotency;
  clock: Clock;
  /** Bytes: bulks may carry media as base64. */
  bodyLimit: number;
}

const MOST_MESSAGES = 1000;
const LONGEST_PAUSE_S = 3600;
/** As a person who is quick with the keyboard; a row of messages in the same second gets accounts restricted. */
const DEFAULT_PAUSE_S = { least: 2, most: 6 };

const Message = refusing(
  'what that operation refuses',
  Type.Object(
    {
      type: Type.String({
        description:
          'The path after `/send/`: `text`, `image`, `text/mentions`, …; or `status/text`, `status/media`',
      }),
    },
    {
      title: 'BulkMessage',
      additionalProperties: true,
      description: 'Beside `type` the body of that operation, without `device_id` and `send_at`',
    },
  ),
);
const seconds = (description: string) =>
  Type.Optional(emptyCounts(Type.Number({ minimum: 0, maximum: LONGEST_PAUSE_S, description })));

const BulkBody = stated(
  Type.Object(
    {
      messages: Type.Optional(
        Type.Array(Message, { minItems: 1, maxItems: MOST_MESSAGES, description: 'Each with its recipient' }),
      ),
      recipients: Type.Optional(
        Type.Array(refusing('what is no phone number and no JID', Type.String()), {
          minItems: 1,
          maxItems: MOST_MESSAGES,
          description: 'Instead of `messages`: to whom `message` goes',
        }),
      ),
      message: Type.Optional(Message),
      min_pause_seconds: seconds(`Least pause between two messages; default ${DEFAULT_PAUSE_S.least}`),
      max_pause_seconds: refusing(
        'less than `min_pause_seconds`',
        seconds(`Longest pause; default ${DEFAULT_PAUSE_S.most}, or the least one`),
      ),
      send_at: SendAt,
      device_id: DeviceId,
    },
    {
      examples: [
        { recipients: ['5511999999999'], message: { type: 'text', text: 'We are closed on Friday' } },
        { messages: [{ type: 'text', number: '5511999999999', text: 'Your order has left' }] },
      ],
    },
  ),
  { allOf: [exactlyOne('messages', 'recipients'), exactlyOne('messages', 'message')] },
);

const BulkObject = Type.Object(
  {
    id: Type.String(),
    device_id: Type.String(),
    state: OneOf(['running', 'completed', 'cancelled'] as const),
    total: Type.Integer(),
    sent: Type.Integer(),
    failed: Type.Integer(),
    cancelled: Type.Integer(),
    open: Type.Integer({ description: 'Not yet sent' }),
    created_at: Rfc3339,
    finished_at: Nullable(Rfc3339),
  },
  { title: 'Bulk' },
);
const BulkAnswer = Type.Object({ success: Type.Literal(true), bulk: BulkObject });
const BulkId = Type.Object({ id: Type.String({ examples: ['bulk_0f8fad5bd9cb469fa16570867728950e'] }) });
const tags = ['messages'];

export const bulkRoutes: FastifyPluginAsyncTypebox<BulkParts> = async (app, parts) => {
  const { bulks, jobs, operations, idempotency, clock, bodyLimit } = parts;

  app.post(
    '/bulk',
    {
      bodyLimit,
      config: { fileMembers: () => operations.fileMembers },
      schema: {
        operationId: 'sendBulk',
        tags,
        summary: 'Send many messages, one after the other',
        description:
          `Up to ${MOST_MESSAGES} messages of any kind, checked as a whole first: one that is wrong, and nothing ` +
          'is sent. They leave one after the other with a random pause between them; each has its outcome, and ' +
          'the event `bulk.completed` tells of the end. Goes on after a restart.',
        querystring: DeviceQuery,
        headers: SendHeaders,
        body: BulkBody,
        response: {
          202: { ...BulkAnswer, headers: LOCATION },
          ...failures(...DEVICE_FAILURES, 'INVALID_RECIPIENT', 'ALREADY_EXISTS', 'IDEMPOTENCY_CONFLICT'),
        },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const at = sendTime(body.send_at);
      const items = readItems(request, body, operations);
      const pause = readPause(body);
      return once(idempotency, request, reply, async (attempt) => {
        const bulk =
          (await bulks.earlier(request.caller, attempt)) ??
          (await bulks.create(request.caller, {
            items,
            deviceId: selectedDevice(request),
            startAt: at === null ? null : timeAhead(at, clock.now()),
            pause,
            attempt,
          }));
        reply.code(202).header('location', `/bulk/${bulk.id}`);
        return { success: true as const, bulk: bulkObject(bulk) };
      });
    },
  );

  app.get(
    '/bulk/:id',
    {
      schema: {
        operationId: 'getBulk',
        tags,
        summary: 'How a bulk is going, message by message',
        params: BulkId,
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            bulk: BulkObject,
            messages: Type.Array(JobObject, { description: 'In their order' }),
          }),
          ...failures('NOT_FOUND'),
        },
      },
    },
    async (request) => {
      const bulk = await bulks.get(request.caller, request.params.id);
      const page = await jobs.ofBulk(request.caller, bulk.id);
      return { success: true as const, bulk: bulkObject(bulk), messages: page.map(jobObject) };
    },
  );

  app.delete(
    '/bulk/:id',
    {
      schema: {
        operationId: 'cancelBulk',
        tags,
        summary: 'Cancel what is left of a bulk',
        params: BulkId,
        response: { 200: BulkAnswer, ...failures('NOT_FOUND', 'NOT_CANCELLABLE') },
      },
    },
    async (request) => ({
      success: true as const,
      bulk: bulkObject(await bulks.cancel(request.caller, request.params.id)),
    }),
  );
};

interface Item {
  operation: SendOperation;
  body: Record<string, unknown>;
  address: RecipientAddress;
  messageId?: string | undefined;
}

/** Every message, or VALIDATION_ERROR naming the first that is wrong: `messages.3.text`. */
function readItems(
  request: FastifyRequest,
  body: Static<typeof BulkBody>,
  operations: SendOperations,
): Item[] {
  const { messages, recipients, message } = body;
  if (messages && !recipients && !message) {
    const items = messages.map((each, index) =>
      readItem(request, each, { item: `messages.${index}` }, operations),
    );
    const seen = new Set<string>();
    for (const [index, { messageId }] of items.entries()) {
      if (messageId === undefined) continue;
      if (seen.has(messageId)) {
        throw invalidField(`messages.${index}.message_id`, 'is the id of an earlier message of this bulk');
      }
      seen.add(messageId);
    }
    return items;
  }
  if (recipients && message && !messages) {
    return recipients.map((number, index) => {
      const { to: _to, ...rest } = message as Record<string, unknown>;
      return readItem(
        request,
        { ...rest, number },
        { item: 'message', number: `recipients.${index}` },
        operations,
      );
    });
  }
  throw invalidField('messages', 'give either messages, or recipients and message');
}

/** `at`: where the request has the message and, when that is elsewhere, its number. */
function readItem(
  request: FastifyRequest,
  given: Record<string, unknown>,
  at: { item: string; number?: string },
  operations: SendOperations,
): Item {
  const { item: place, number: recipientPlace } = at;
  const { type, ...rest } = given;
  const operation = operations.find(String(type));
  if (!operation) {
    throw invalidField(`${place}.type`, `must be one of ${operations.kinds.join(', ')}`, type);
  }
  let ignored: readonly Warning[];
  let item: Item;
  try {
    const body = operation.checked(rest);
    ignored = ignoredIn(body);
    for (const name of ['device_id', 'send_at']) {
      if (body[name] !== undefined) {
        throw invalidField(name, 'belongs to the bulk, not to one message of it');
      }
    }
    if (recipientPlace && operation.post) {
      throw invalidField('type', 'has no recipient of its own: give it in `messages`', type);
    }
    const { address, messageId } = operation.read(body);
    if (recipientPlace && messageId) {
      throw invalidField('message_id', 'names one message: give it in `messages`, each its own');
    }
    item = { operation, body, address, messageId };
  } catch (error) {
    throw placedError(error, (field) =>
      recipientPlace && field === 'number' ? recipientPlace : `${place}.${field}`,
    );
  }
  noteIgnored(request, ignored, place);
  const less = [...cutPauses(item.body), ...operation.warnings(item.body)];
  warn(
    request,
    less.map((each) => placedWarning(each, place)),
  );
  return item;
}

function readPause(body: Static<typeof BulkBody>): { least: number; most: number } {
  const least = body.min_pause_seconds ?? Math.min(DEFAULT_PAUSE_S.least, body.max_pause_seconds ?? 60);
  const most = body.max_pause_seconds ?? Math.max(DEFAULT_PAUSE_S.most, least);
  if (most < least) throw invalidField('max_pause_seconds', 'must not be less than min_pause_seconds', most);
  return { least: Math.round(least * 1000), most: Math.round(most * 1000) };
}

function bulkObject(bulk: Bulk): Static<typeof BulkObject> {
  return {
    id: bulk.id,
    device_id: bulk.deviceId,
    state: bulk.state,
    total: bulk.total,
    ...bulk.counts,
    created_at: rfc3339(bulk.createdAt),
    finished_at: rfc3339OrNull(bulk.finishedAt),
  };
}
