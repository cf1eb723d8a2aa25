/** Tag `messages`: deleting what was sent or received. */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { DeleteType, Deleting } from '../../../actions/deleting.ts';
import { CHANGE_FAILURES } from '../../../actions/message-copies.ts';
import { rfc3339, stopwatch } from '../../../clock.ts';
import type { Idempotency } from '../../../sending/idempotency.ts';
import { messageIdOf } from '../../../sending/message-key.ts';
import { parseRecipient } from '../../../sending/recipients.ts';
import { refusing, stated } from '../../description/stated.ts';
import { HoldingDevice, HoldingDeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { once, SendHeaders } from '../../request/idempotency.ts';
import { ChatText, messageIdText, RecordId } from '../../request/message.ts';
import { Jid, Nullable, OneOf, Rfc3339 } from '../../schemas.ts';
import { flag, required } from './send-kind.ts';

export interface DeleteParts {
  deleting: Deleting;
  idempotency: Idempotency;
}

const LONGEST_REASON = 500;
const Kind = Type.Optional(
  OneOf(['for_everyone', 'for_me'] as const, {
    description: '`for_everyone` takes it out of every phone; `for_me` out of the answers of this gateway',
  }),
);

const DeleteBody = stated(
  Type.Object(
    {
      messageId: Type.Optional(messageIdText('The message: its id or `record_id`')),
      chatJid: Type.Optional(
        refusing('another chat', ChatText({ description: 'Its chat: JID or phone number' })),
      ),
      deleteType: Kind,
      reason: Type.Optional(
        Type.String({
          maxLength: LONGEST_REASON,
          description: 'For your own records; comes back in `metadata`',
        }),
      ),
      validateOwnership: flag(
        "Refuse what this account did not send, even where it may delete another's message as an admin",
      ),
      device_id: HoldingDevice,
    },
    {
      examples: [
        {
          messageId: '3EB0F8A1B2C3D4E5F6',
          chatJid: '5511999999999@s.whatsapp.net',
          deleteType: 'for_everyone',
        },
      ],
    },
  ),
  { required: ['messageId', 'chatJid', 'deleteType'] },
);

const DeleteAnswer = Type.Object({
  success: Type.Literal(true),
  message_id: Type.String(),
  record_id: Type.Optional(RecordId),
  deleted_at: Rfc3339,
  delete_type: Type.String({ enum: ['for_everyone', 'for_me'] }),
  chat_jid: Jid,
  metadata: Type.Object({
    time_elapsed_minutes: Type.Integer({ description: 'Whole minutes since the message' }),
    within_time_limit: Type.Boolean({ description: 'WhatsApp deletes for everyone within 60 hours' }),
    reason: Nullable(Type.String()),
    processing_time_ms: Type.Integer(),
  }),
});

export const deleteRoutes: FastifyPluginAsyncTypebox<DeleteParts> = async (
  app,
  { deleting, idempotency },
) => {
  app.delete(
    '/messages/delete',
    {
      schema: {
        operationId: 'deleteMessage',
        tags: ['messages'],
        summary: 'Delete a message, for everyone or for this account',
        description:
          '`for_everyone`: a message of ours, or as an admin of the group that of any member, within 60 hours; ' +
          'answers once the WhatsApp server has it. `for_me`: no answer of this gateway shows the message any ' +
          'more; the phones keep it.',
        querystring: HoldingDeviceQuery,
        headers: SendHeaders,
        body: DeleteBody,
        response: {
          200: DeleteAnswer,
          ...failures(...CHANGE_FAILURES, 'DEVICE_AMBIGUOUS', 'DELETE_WINDOW_EXPIRED', 'NOT_DELETABLE'),
        },
      },
    },
    async (request, reply) => {
      const elapsed = stopwatch();
      const { body } = request;
      const type: DeleteType = required('deleteType', body.deleteType);
      const messageId = messageIdOf('messageId', required('messageId', body.messageId));
      const address = parseRecipient(required('chatJid', body.chatJid), 'chatJid');
      return once(idempotency, request, reply, async (attempt) => {
        const deleted = await deleting.delete(request.caller, {
          name: { id: messageId, deviceId: selectedDevice(request) },
          address,
          type,
          ownOnly: body.validateOwnership ?? false,
          attempt,
        });
        return {
          success: true as const,
          message_id: deleted.target.messageId,
          record_id: deleted.target.rowId,
          deleted_at: rfc3339(deleted.deletedAt),
          delete_type: type,
          chat_jid: deleted.target.chatJid,
          metadata: {
            time_elapsed_minutes: deleted.elapsedMinutes,
            within_time_limit: deleted.withinWindow,
            reason: body.reason ?? null,
            processing_time_ms: elapsed(),
          },
        };
      });
    },
  );
};
