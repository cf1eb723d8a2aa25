/** Tag `status`: reacting to a contact's story. Beyond the documented API. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { rfc3339 } from '../../../clock.ts';
import type { StoryReactions } from '../../../stories/reactions.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { refusing } from '../../description/stated.ts';
import { DeviceHeaders, DeviceId } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import {
  MESSAGE_FAILURES,
  MessageIdParam,
  MessageQuery,
  messageName,
  RecordId,
} from '../../request/message.ts';
import { Rfc3339 } from '../../schemas.ts';
import { sayStoryErrors, storyFailures } from './story-errors.ts';

export interface ReactingParts {
  reactions: StoryReactions;
}

export const reactingRoutes: FastifyPluginAsyncTypebox<ReactingParts> = async (app, { reactions }) => {
  sayStoryErrors(app, 'inbox');
  app.post(
    '/stories/:id/reaction',
    {
      schema: {
        tags: ['status'],
        operationId: 'reactToStory',
        summary: "React to a contact's story, or take the reaction back",
        description: 'Its author alone is shown it.',
        params: Type.Object({ id: MessageIdParam }),
        querystring: MessageQuery,
        headers: DeviceHeaders,
        body: Type.Object(
          {
            reaction: refusing(
              'what is not one emoji',
              Type.String({ description: 'One emoji; empty takes it back', maxLength: 40 }),
            ),
            device_id: DeviceId,
          },
          { examples: [{ reaction: '💚' }] },
        ),
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            message_id: Type.String({ description: 'Of the reaction' }),
            record_id: RecordId,
            story_id: Type.String({ description: 'The `message_id` of the story' }),
            reaction: Type.String(),
            timestamp: Rfc3339,
          }),
          ...failures(
            ...storyFailures('inbox', [...MESSAGE_FAILURES, 'ACCOUNT_CHANGED', ...SESSION_FAILURES]),
          ),
        },
      },
    },
    async (request) => {
      const { reaction } = request.body;
      const name = messageName(request, request.params.id);
      const { story, sent } = await reactions.react(request.caller, name, reaction);
      return {
        success: true as const,
        message_id: sent.messageId,
        record_id: sent.recordId,
        story_id: story.messageId,
        reaction,
        timestamp: rfc3339(sent.timestamp),
      };
    },
  );
};
