/** Tag `messages`: older messages, from the account's phone. */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { HistoryRequests } from '../../../actions/history-request.ts';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { ChatText } from '../../request/message.ts';
import { Jid } from '../../schemas.ts';

const DEFAULT_COUNT = 50;
/** Phones answer a request with one file, however much is asked for. */
const MOST = 500;
/** In seconds, the year 2100: later times are milliseconds by mistake. */
const LATEST_S = 4_102_444_800;

const Body = Type.Object(
  {
    chat_jid: ChatText({ minLength: 1, description: 'The chat: JID or phone number' }),
    last_message_id: Type.String({
      minLength: 1,
      maxLength: 200,
      description: 'The oldest message that you have: older ones are asked for',
    }),
    last_message_from_me: Type.Optional(
      Type.Boolean({ description: 'It is ours. Default: as the gateway knows it' }),
    ),
    last_message_timestamp: Type.Integer({
      minimum: 1,
      maximum: LATEST_S,
      description: 'Its time, unix seconds',
    }),
    count: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MOST, description: `How many; default ${DEFAULT_COUNT}` }),
    ),
    device_id: DeviceId,
  },
  {
    examples: [
      {
        chat_jid: '5511999999999@s.whatsapp.net',
        last_message_id: '3EB0F8A1B2C3D4E5F6',
        last_message_from_me: false,
        last_message_timestamp: 1_781_524_800,
        count: 50,
      },
    ],
  },
);

const Answer = Type.Object({
  success: Type.Literal(true),
  message: Type.String(),
  chat_jid: Jid,
  requested_count: Type.Integer(),
});

export interface HistoryParts {
  history: HistoryRequests;
}

export const messageHistoryRoutes: FastifyPluginAsyncTypebox<HistoryParts> = async (app, { history }) => {
  app.post(
    '/messages/history/request',
    {
      schema: {
        operationId: 'requestMessageHistory',
        tags: ['messages'],
        summary: 'Ask the phone for older messages',
        description:
          'The phone answers when it is online: the messages are stored, and listed in `history.sync` events of ' +
          'the kind `on_demand`. An answer without messages says that there are none.',
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        body: Body,
        response: {
          200: Answer,
          ...failures(...DEVICE_FAILURES, ...SESSION_FAILURES),
        },
      },
    },
    async (request) => {
      const { body } = request;
      const count = body.count ?? DEFAULT_COUNT;
      const chat = await history.request(request.caller, {
        chat: body.chat_jid,
        oldest: {
          id: body.last_message_id,
          fromMe: body.last_message_from_me,
          timestamp: body.last_message_timestamp * 1000,
        },
        count,
        deviceId: selectedDevice(request),
      });
      return {
        success: true as const,
        message: 'History sync requested. Messages will be delivered via webhook (event: history.sync).',
        chat_jid: chat,
        requested_count: count,
      };
    },
  );
};
