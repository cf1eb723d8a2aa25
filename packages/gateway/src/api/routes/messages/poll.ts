/** Tag `messages`: the results of a poll. Beyond the documented API. */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { rfc3339 } from '../../../clock.ts';
import { Sender } from '../../../events/catalogue/message-data.ts';
import { person } from '../../../events/payloads/parts.ts';
import type { PollResults } from '../../../messages/polls/poll-results.ts';
import { DeviceHeaders } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import {
  MESSAGE_FAILURES,
  MessageIdParam,
  MessageQuery,
  messageName,
  RecordId,
} from '../../request/message.ts';
import { Jid, Rfc3339 } from '../../schemas.ts';

const PollAnswer = Type.Object({
  success: Type.Literal(true),
  message_id: Type.String({ examples: ['3EB0F8A1B2C3D4E5F6'] }),
  record_id: RecordId,
  chat_jid: Jid,
  question: Type.String({ examples: ['When shall we deliver?'] }),
  selectable_count: Type.Integer({ description: 'How many options a voter may choose; 0: all of them' }),
  options: Type.Array(
    Type.Object({
      name: Type.String({ examples: ['Monday'] }),
      votes: Type.Integer(),
      voters: Type.Array(Type.Object({ ...Sender.properties, voted_at: Rfc3339 })),
    }),
    { description: 'In the order of the poll' },
  ),
  total_voters: Type.Integer({ description: 'People who have chosen something' }),
  unread_votes: Type.Integer({ description: 'People whose latest vote could not be decrypted' }),
});

export interface PollParts {
  polls: PollResults;
}

export const pollRoutes: FastifyPluginAsyncTypebox<PollParts> = async (app, { polls }) => {
  app.get(
    '/messages/:id/poll',
    {
      schema: {
        operationId: 'getPollResults',
        tags: ['messages'],
        summary: 'Read the results of a poll',
        description: 'The latest vote of each voter counts, that of the account included.',
        params: Type.Object({ id: MessageIdParam }),
        querystring: MessageQuery,
        headers: DeviceHeaders,
        response: { 200: PollAnswer, ...failures(...MESSAGE_FAILURES, 'NOT_A_POLL') },
      },
    },
    async (request) => {
      const result = await polls.of(request.caller, messageName(request, request.params.id));
      return {
        success: true as const,
        message_id: result.poll.messageId,
        record_id: result.poll.rowId,
        chat_jid: result.poll.chatJid,
        question: result.question,
        selectable_count: result.selectable,
        options: result.options.map(({ name, votes }) => ({
          name,
          votes: votes.length,
          voters: votes.map(({ voter, pushName, at }) => ({
            ...person(voter),
            push_name: pushName,
            voted_at: rfc3339(at),
          })),
        })),
        total_voters: result.voters,
        unread_votes: result.unread,
      };
    },
  );
};
