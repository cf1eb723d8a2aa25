/** Tag `labels`: what has them. Beyond the documented API. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { COPY_FAILURES } from '../../../actions/message-copies.ts';
import { rfc3339 } from '../../../clock.ts';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import { LABEL_FAILURES, type Labels } from '../../../labels/labels.ts';
import { parseRecipient } from '../../../sending/recipients.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { refusing } from '../../description/stated.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import {
  MESSAGE_FAILURES,
  MessageIdParam,
  MessageQuery,
  messageName,
  RecordId,
} from '../../request/message.ts';
import { CursorText, nextPage } from '../../request/page.ts';
import { Jid, Nullable } from '../../schemas.ts';
import { ChatMembers, LabeledAt, LabelIdParam } from './schemas.ts';

const tags = ['labels'];
const Success = Type.Literal(true);
const params = Type.Object({ id: LabelIdParam });

const CHANGES = [
  { method: 'PUT', labeled: true, verb: 'put', summary: 'Put a label on a' },
  { method: 'DELETE', labeled: false, verb: 'take', summary: 'Take a label off a' },
] as const;

export const markRoutes: FastifyPluginAsyncTypebox<{ labels: Labels }> = async (app, { labels }) => {
  for (const { method, labeled, verb, summary } of CHANGES) {
    app.route({
      method,
      url: '/labels/:id/chats/:jid',
      schema: {
        operationId: verb === 'put' ? 'labelChat' : 'unlabelChat',
        tags,
        summary: `${summary} chat`,
        description: 'On all devices of the account.',
        params: Type.Object({
          id: LabelIdParam,
          jid: refusing(
            'what names no chat',
            Type.String({
              description: 'The chat: a phone number, a JID or LID, a group',
              examples: ['5511999999999'],
            }),
          ),
        }),
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        response: {
          200: Type.Object({
            success: Success,
            label_id: LabelIdParam,
            ...ChatMembers,
            labeled: Type.Boolean(),
          }),
          ...failures(
            ...DEVICE_FAILURES,
            ...SESSION_FAILURES,
            ...LABEL_FAILURES,
            'INVALID_RECIPIENT',
            'NOT_ON_WHATSAPP',
          ),
        },
      },
      handler: async (request) => {
        const { id, jid } = request.params;
        const name = { deviceId: selectedDevice(request), id };
        const chat = await labels.markChat(request.caller, name, parseRecipient(jid, 'jid'), labeled);
        const chat_jid = chat.jid ?? chat.lid ?? '';
        return { success: true as const, label_id: id, chat_jid, chat_lid: chat.lid, labeled };
      },
    });

    app.route({
      method,
      url: '/labels/:id/messages/:messageId',
      schema: {
        operationId: verb === 'put' ? 'labelMessage' : 'unlabelMessage',
        tags,
        summary: `${summary} message`,
        description: 'On all devices of the account; the message has to be stored here.',
        params: Type.Object({ id: LabelIdParam, messageId: MessageIdParam }),
        querystring: MessageQuery,
        headers: DeviceHeaders,
        response: {
          200: Type.Object({
            success: Success,
            label_id: LabelIdParam,
            message_id: Type.String(),
            record_id: RecordId,
            ...ChatMembers,
            labeled: Type.Boolean(),
          }),
          ...failures(...MESSAGE_FAILURES, ...COPY_FAILURES, ...SESSION_FAILURES, ...LABEL_FAILURES),
        },
      },
      handler: async (request) => {
        const { id, messageId } = request.params;
        const name = messageName(request, messageId);
        const target = await labels.markMessage(request.caller, id, name, labeled);
        return {
          success: true as const,
          label_id: id,
          message_id: target.messageId,
          record_id: target.rowId,
          chat_jid: target.chatJid,
          chat_lid: target.chatLid,
          labeled,
        };
      },
    });
  }

  const querystring = Type.Object({
    device_id: DeviceId,
    cursor: CursorText,
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, description: 'Default: everything; behind a cursor 100' }),
    ),
  });

  app.get(
    '/labels/:id/chats',
    {
      schema: {
        operationId: 'listLabeledChats',
        tags,
        summary: 'List the chats with a label',
        params,
        querystring,
        headers: DeviceHeaders,
        response: {
          200: Type.Object({
            success: Success,
            label_id: LabelIdParam,
            chats: Type.Array(Type.Object({ jid: Jid, lid: Nullable(Jid), labeled_at: LabeledAt })),
            ...nextPage,
          }),
          ...failures(...DEVICE_FAILURES, 'LABEL_NOT_FOUND'),
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      const name = { deviceId: selectedDevice(request), id };
      const { cursor, limit } = request.query;
      const page = await labels.marked(request.caller, name, 'chats', { cursor, limit });
      return {
        success: true as const,
        label_id: id,
        chats: page.marks.map(({ chatJid, chatLid, markedAt }) => ({
          jid: chatJid,
          lid: chatLid,
          labeled_at: rfc3339(markedAt),
        })),
        next_cursor: page.nextCursor,
      };
    },
  );

  app.get(
    '/labels/:id/messages',
    {
      schema: {
        operationId: 'listLabeledMessages',
        tags,
        summary: 'List the messages with a label',
        params,
        querystring,
        headers: DeviceHeaders,
        response: {
          200: Type.Object({
            success: Success,
            label_id: LabelIdParam,
            messages: Type.Array(
              Type.Object({
                message_id: Type.String(),
                record_id: Nullable(RecordId),
                ...ChatMembers,
                labeled_at: LabeledAt,
              }),
            ),
            ...nextPage,
          }),
          ...failures(...DEVICE_FAILURES, 'LABEL_NOT_FOUND'),
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      const name = { deviceId: selectedDevice(request), id };
      const { cursor, limit } = request.query;
      const page = await labels.marked(request.caller, name, 'messages', { cursor, limit });
      return {
        success: true as const,
        label_id: id,
        messages: page.marks.map(({ messageId, recordId, chatJid, chatLid, markedAt }) => ({
          message_id: messageId ?? '',
          record_id: recordId,
          chat_jid: chatJid,
          chat_lid: chatLid,
          labeled_at: rfc3339(markedAt),
        })),
        next_cursor: page.nextCursor,
      };
    },
  );
};
