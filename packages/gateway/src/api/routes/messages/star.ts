/** Tag `messages`: starring a message. Beyond the documented API. */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { COPY_FAILURES } from '../../../actions/message-copies.ts';
import type { Starring } from '../../../actions/starring.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { DeviceHeaders } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import {
  MESSAGE_FAILURES,
  MessageIdParam,
  MessageQuery,
  messageName,
  RecordId,
} from '../../request/message.ts';
import { Jid } from '../../schemas.ts';

export interface StarParts {
  starring: Starring;
}

export const starRoutes: FastifyPluginAsyncTypebox<StarParts> = async (app, { starring }) => {
  const operations = [
    { method: 'POST', starred: true, operationId: 'starMessage', summary: 'Star a message' },
    {
      method: 'DELETE',
      starred: false,
      operationId: 'unstarMessage',
      summary: 'Take the star of a message away',
    },
  ] as const;

  for (const { method, starred, operationId, summary } of operations) {
    app.route({
      method,
      url: '/messages/:id/star',
      schema: {
        operationId,
        tags: ['messages'],
        summary,
        description:
          'On all devices of the account; nobody else sees it. `GET /messages?starred=true` lists them.',
        params: Type.Object({ id: MessageIdParam }),
        querystring: MessageQuery,
        headers: DeviceHeaders,
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            message_id: Type.String(),
            record_id: RecordId,
            chat_jid: Jid,
            starred: Type.Boolean(),
          }),
          ...failures(...MESSAGE_FAILURES, ...COPY_FAILURES, ...SESSION_FAILURES, 'NOT_STARRABLE'),
        },
      },
      handler: async (request) => {
        const name = messageName(request, request.params.id);
        const { messageId, rowId, chatJid } = await starring.star(request.caller, { name, starred });
        return {
          success: true as const,
          message_id: messageId,
          record_id: rowId,
          chat_jid: chatJid,
          starred,
        };
      },
    });
  }
};
