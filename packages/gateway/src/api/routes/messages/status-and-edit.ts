/** Tag `messages`: what happens to a message after it was sent. */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Editing } from '../../../actions/editing.ts';
import { CHANGE_FAILURES } from '../../../actions/message-copies.ts';
import { rfc3339, rfc3339OrNull } from '../../../clock.ts';
import { isUncertain } from '../../../messages/send-state.ts';
import type { MessageStatuses } from '../../../messages/status.ts';
import type { Idempotency } from '../../../sending/idempotency.ts';
import { recipientOf } from '../../../sending/recipients.ts';
import { refusing, stated } from '../../description/stated.ts';
import { DeviceHeaders, HoldingDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { once, SendHeaders } from '../../request/idempotency.ts';
import {
  ChatText,
  MESSAGE_FAILURES,
  MessageIdParam,
  MessageQuery,
  messageName,
  RecordId,
} from '../../request/message.ts';
import { Jid, MessageStatus, Nullable, Rfc3339 } from '../../schemas.ts';
import { longText } from './send-kind.ts';
import { SimpleAnswer, SOME_RECIPIENT } from './send-request.ts';

export interface StatusAndEditParts {
  editing: Editing;
  statuses: MessageStatuses;
  idempotency: Idempotency;
}

const StatusAnswer = Type.Object({
  success: Type.Literal(true),
  message_id: Type.String({ examples: ['3EB0F8A1B2C3D4E5F6'] }),
  record_id: RecordId,
  chat_jid: Jid,
  is_group: Type.Boolean(),
  status: MessageStatus,
  delivered_at: Nullable(Rfc3339),
  read_at: Nullable(Rfc3339),
  played_at: Nullable(Rfc3339),
  error: Type.Optional(Type.String({ description: 'Why it failed; only with `failed`' })),
  uncertain: Type.Optional(
    Type.Literal(true, { description: 'Whether WhatsApp has it is not known yet; only with `pending`' }),
  ),
});

const ReceiptsAnswer = Type.Object({
  success: Type.Literal(true),
  message_id: Type.String(),
  record_id: RecordId,
  chat_jid: Jid,
  is_group: Type.Boolean(),
  receipts: Type.Array(
    Type.Object({
      recipient_jid: Jid,
      recipient_lid: Nullable(Type.String()),
      kind: Type.String({ enum: ['delivered', 'read', 'played'] }),
      at: Rfc3339,
    }),
  ),
  count: Type.Integer(),
});

const EditBody = stated(
  Type.Object(
    {
      to: Type.Optional(
        refusing('another chat', ChatText({ description: 'The chat of the message: phone number or JID' })),
      ),
      number: Type.Optional(ChatText({ description: 'Same as `to`' })),
      message: refusing(
        'of a caption more than 1024 characters',
        longText('The new text, 1–4096 characters; of a caption at most 1024'),
      ),
      device_id: HoldingDevice,
    },
    { examples: [{ to: '5511999999999', message: 'The new text' }] },
  ),
  { allOf: [SOME_RECIPIENT] },
);

/** Edit, delivery status and receipts. */
export const statusAndEditRoutes: FastifyPluginAsyncTypebox<StatusAndEditParts> = async (app, parts) => {
  const { editing, statuses, idempotency } = parts;
  const tags = ['messages'];

  app.put(
    '/messages/:messageId',
    {
      schema: {
        operationId: 'editMessage',
        tags,
        summary: 'Edit a message of ours',
        description:
          'Replaces a text or a caption, within 20 minutes of sending. Answers with the id of the edit, once the ' +
          'WhatsApp server has it.',
        params: Type.Object({ messageId: MessageIdParam }),
        querystring: MessageQuery,
        headers: SendHeaders,
        body: EditBody,
        response: {
          200: SimpleAnswer,
          ...failures(...CHANGE_FAILURES, 'EDIT_WINDOW_EXPIRED', 'NOT_EDITABLE'),
        },
      },
    },
    async (request, reply) => {
      const { body, params } = request;
      const address = recipientOf(body, 'to');
      return once(idempotency, request, reply, async (attempt) => {
        const edit = await editing.edit(request.caller, {
          name: messageName(request, params.messageId),
          address,
          text: body.message,
          attempt,
        });
        return {
          success: true as const,
          message_id: edit.messageId,
          record_id: edit.recordId,
          timestamp: rfc3339(edit.timestamp),
          message: 'Message edited successfully',
        };
      });
    },
  );

  app.get(
    '/messages/:id/status',
    {
      schema: {
        operationId: 'getMessageStatus',
        tags,
        summary: 'Delivery status of a message of ours',
        params: Type.Object({ id: MessageIdParam }),
        querystring: MessageQuery,
        headers: DeviceHeaders,
        response: { 200: StatusAnswer, ...failures(...MESSAGE_FAILURES) },
      },
    },
    async (request) => {
      const { message, status } = await statuses.status(
        request.caller,
        messageName(request, request.params.id),
      );
      return {
        success: true as const,
        message_id: message.messageId,
        record_id: message.rowId,
        chat_jid: message.chatJid,
        is_group: message.isGroup,
        status,
        delivered_at: rfc3339OrNull(message.deliveredAt),
        read_at: rfc3339OrNull(message.readAt),
        played_at: rfc3339OrNull(message.playedAt),
        ...(status === 'failed' ? { error: message.sendError ?? 'the message was not sent' } : {}),
        ...(status === 'pending' && isUncertain(message) ? { uncertain: true as const } : {}),
      };
    },
  );

  app.get(
    '/messages/:id/receipts',
    {
      schema: {
        operationId: 'getMessageReceipts',
        tags,
        summary: 'Every receipt of a message of ours',
        description: 'One entry per recipient and kind, oldest first.',
        params: Type.Object({ id: MessageIdParam }),
        querystring: MessageQuery,
        headers: DeviceHeaders,
        response: { 200: ReceiptsAnswer, ...failures(...MESSAGE_FAILURES) },
      },
    },
    async (request) => {
      const { message, receipts } = await statuses.receipts(
        request.caller,
        messageName(request, request.params.id),
      );
      return {
        success: true as const,
        message_id: message.messageId,
        record_id: message.rowId,
        chat_jid: message.chatJid,
        is_group: message.isGroup,
        receipts: receipts.map((receipt) => ({
          recipient_jid: receipt.recipientJid,
          recipient_lid: receipt.recipientLid,
          kind: receipt.kind,
          at: rfc3339(receipt.at),
        })),
        count: receipts.length,
      };
    },
  );
};
