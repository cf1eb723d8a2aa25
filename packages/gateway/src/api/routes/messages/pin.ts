/** Tag `messages`: pinning a message in its chat. Beyond the documented API. */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { CHANGE_FAILURES } from '../../../actions/message-copies.ts';
import type { Pinning } from '../../../actions/pinning.ts';
import { rfc3339, rfc3339OrNull } from '../../../clock.ts';
import type { Idempotency } from '../../../sending/idempotency.ts';
import { HoldingDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { once, SendHeaders } from '../../request/idempotency.ts';
import { MessageIdParam, MessageQuery, messageName, RecordId } from '../../request/message.ts';
import { Jid, Nullable, OneOf, Rfc3339 } from '../../schemas.ts';

const DAY = 24 * 3600;
/** What the apps offer; others may be shown by no one. */
const SECONDS = { '24h': DAY, '7d': 7 * DAY, '30d': 30 * DAY } as const;

const PinBody = Type.Object(
  {
    duration: Type.Optional(
      OneOf(['24h', '7d', '30d'] as const, { description: 'For how long; default `7d`, as in the apps' }),
    ),
    device_id: HoldingDevice,
  },
  { examples: [{ duration: '7d' }] },
);

const PinAnswer = Type.Object({
  success: Type.Literal(true),
  message_id: Type.String({ description: 'Id of the pin itself' }),
  record_id: Type.Optional(RecordId),
  pinned_message_id: Type.String(),
  chat_jid: Jid,
  timestamp: Rfc3339,
  pinned_until: Nullable(Rfc3339),
});

export interface PinParts {
  pinning: Pinning;
  idempotency: Idempotency;
}

export const pinRoutes: FastifyPluginAsyncTypebox<PinParts> = async (app, { pinning, idempotency }) => {
  const shared = {
    tags: ['messages'],
    params: Type.Object({ id: MessageIdParam }),
    querystring: MessageQuery,
    headers: SendHeaders,
    response: {
      200: PinAnswer,
      ...failures(...CHANGE_FAILURES, 'NOT_PINNABLE'),
    },
  };

  app.post(
    '/messages/:id/pin',
    {
      schema: {
        ...shared,
        operationId: 'pinMessage',
        summary: 'Pin a message in its chat, for everyone',
        description:
          'The apps show up to three, on top of the chat. In a group whose admins alone may edit it, the apps ' +
          'follow the pin of an admin only.',
        body: PinBody,
      },
    },
    async (request, reply) => {
      const seconds = SECONDS[request.body.duration ?? '7d'];
      return once(idempotency, request, reply, async (attempt) => {
        const name = messageName(request, request.params.id);
        const pinned = await pinning.pin(request.caller, { name, seconds, attempt });
        return pinAnswer(pinned, seconds);
      });
    },
  );

  app.delete(
    '/messages/:id/pin',
    {
      schema: { ...shared, operationId: 'unpinMessage', summary: 'Take a pinned message down, for everyone' },
    },
    async (request, reply) =>
      once(idempotency, request, reply, async (attempt) => {
        const name = messageName(request, request.params.id);
        return pinAnswer(await pinning.pin(request.caller, { name, seconds: null, attempt }), null);
      }),
  );
};

function pinAnswer(
  { messageId, recordId, timestamp, target }: Awaited<ReturnType<Pinning['pin']>>,
  seconds: number | null,
) {
  return {
    success: true as const,
    message_id: messageId,
    record_id: recordId,
    pinned_message_id: target.messageId,
    chat_jid: target.chatJid,
    timestamp: rfc3339(timestamp),
    pinned_until: rfc3339OrNull(seconds === null ? null : timestamp + seconds * 1000),
  };
}
