/** Tag `messages`: passing a message on. Beyond the documented API. */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Forwarding } from '../../../actions/forwarding.ts';
import { CHANGE_FAILURES } from '../../../actions/message-copies.ts';
import type { Idempotency } from '../../../sending/idempotency.ts';
import { stated } from '../../description/stated.ts';
import { HoldingDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { once, SendHeaders } from '../../request/idempotency.ts';
import { MessageIdParam, MessageQuery, messageName } from '../../request/message.ts';
import { givenUp } from './send-kind.ts';
import {
  commonRequest,
  RichAnswer,
  richAnswer,
  SEND_FAILURES,
  SOME_RECIPIENT,
  sendFields,
} from './send-request.ts';

const { number, to, message_id, delay, typingDuration, ephemeral_seconds } = sendFields;
const ForwardBody = stated(
  Type.Object(
    {
      number,
      to,
      device_id: HoldingDevice,
      message_id,
      delay,
      typingDuration,
      ephemeral_seconds,
    },
    { examples: [{ number: '5511999999999' }] },
  ),
  { allOf: [SOME_RECIPIENT] },
);

export interface ForwardParts {
  forwarding: Forwarding;
  idempotency: Idempotency;
}

export const forwardRoutes: FastifyPluginAsyncTypebox<ForwardParts> = async (
  app,
  { forwarding, idempotency },
) => {
  app.post(
    '/messages/:id/forward',
    {
      schema: {
        operationId: 'forwardMessage',
        tags: ['messages'],
        summary: 'Forward a message to another chat',
        description:
          'Texts, files, places and contacts, sent or received. From a device that has the message. A file is ' +
          'uploaded anew, so that it outlives the first one.',
        params: Type.Object({ id: MessageIdParam }),
        querystring: MessageQuery,
        headers: SendHeaders,
        body: ForwardBody,
        response: {
          200: RichAnswer,
          ...failures(
            ...CHANGE_FAILURES,
            ...SEND_FAILURES,
            'NOT_FORWARDABLE',
            'MEDIA_GONE',
            'MEDIA_DOWNLOAD_FAILED',
            'UPLOAD_FAILED',
          ),
        },
      },
    },
    async (request, reply) => {
      const { address, messageId, delay, typingDuration, ephemeralSeconds } = commonRequest(request.body);
      const forwarded = messageName(request, request.params.id);
      const signal = givenUp(reply);
      return once(idempotency, request, reply, async (attempt) =>
        richAnswer(
          await forwarding.forward(request.caller, {
            forwarded,
            address,
            messageId,
            delay,
            typingDuration,
            ephemeralSeconds,
            attempt,
            signal,
          }),
        ),
      );
    },
  );
};
