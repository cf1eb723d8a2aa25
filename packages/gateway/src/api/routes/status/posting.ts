/** Tag `status`: stories, posted, followed and taken back. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { type Clock, rfc3339 } from '../../../clock.ts';
import type { Idempotency } from '../../../sending/idempotency.ts';
import type { SendOperation, SendOperations } from '../../../sending/jobs/operations.ts';
import type { SendJobs } from '../../../sending/jobs/send-jobs.ts';
import type { PostedStory, Stories } from '../../../stories/stories.ts';
import { refusing } from '../../description/stated.ts';
import { DeviceHeaders, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { once, SendHeaders } from '../../request/idempotency.ts';
import { MessageIdParam, MessageQuery, messageName, RecordId } from '../../request/message.ts';
import { OneOf, Rfc3339 } from '../../schemas.ts';
import { given, givenUp } from '../messages/send-kind.ts';
import { jobFor, LaterAnswer, laterAnswer, sendTime } from '../messages/send-later.ts';
import { FILE_FAILURES, SEND_FAILURES } from '../messages/send-request.ts';
import { MEDIA_TYPES, MediaBody, readMedia, readText, type StorySaid, TextBody } from './story-bodies.ts';
import { sayStoryErrors, storyFailures } from './story-errors.ts';
import { storyOperation, TO_STORIES } from './story-sends.ts';

export interface PostingParts {
  stories: Stories;
  idempotency: Idempotency;
  operations: SendOperations;
  jobs: SendJobs;
  clock: Clock;
  /** Bytes: the largest body with a file in it. */
  bodyLimit: number;
}

const progress = {
  recipients: Type.Optional(Type.Integer({ description: 'Whom it is for, the account itself counted' })),
  reached: Type.Optional(
    Type.Integer({ description: 'To how many of them it was sent by now; the rest follows' }),
  ),
};
const Posted = Type.Object({
  success: Type.Literal(true),
  message_id: Type.String({ examples: ['3EB0F8A1B2C3D4E5F6'] }),
  record_id: RecordId,
  timestamp: Rfc3339,
  status_type: OneOf(['text', ...MEDIA_TYPES, 'revoke'] as const),
  ...progress,
});

export const postingRoutes: FastifyPluginAsyncTypebox<PostingParts> = async (app, parts) => {
  const { stories, idempotency } = parts;
  const tags = ['status'];
  sayStoryErrors(app, 'posting');

  /** Now, or at the time that the request names. */
  const post = async (
    request: FastifyRequest,
    reply: FastifyReply,
    { operation, said }: { operation: SendOperation; said: StorySaid },
  ) => {
    const { caller } = request;
    const body = { ...(request.body as Record<string, unknown>) };
    const at = sendTime(body.send_at as string | number | undefined);
    const deviceId = selectedDevice(request);
    const { type, content, people } = said;
    const signal = givenUp(reply);
    return once(idempotency, request, reply, async (attempt) => {
      // A file that is kept for later has no data URI any more to tell it by.
      const kept = type === 'text' ? body : { ...body, media_type: type };
      const later = { operation, body: kept, address: TO_STORIES, deviceId, attempt };
      const job = await jobFor(parts, caller, later, at);
      if (job) return laterAnswer(reply, job, TO_STORIES);
      const story = await stories.post(caller, { deviceId, content, people, attempt, signal });
      return { ...posted(type, story), ...given({ mime_type: story.mimeType ?? undefined }) };
    });
  };

  const text = storyOperation(stories, {
    path: '/status/text',
    schema: TextBody,
    said: (body) => readText(body as Static<typeof TextBody>),
  });
  app.post(
    '/status/text',
    {
      schema: {
        tags,
        operationId: 'postStatusText',
        summary: 'Post a text story',
        description: POSTING,
        querystring: DeviceQuery,
        headers: SendHeaders,
        body: refusing(
          'no text or more than 4096 characters, what is no colour, and who is no person',
          TextBody,
        ),
        response: { 200: Posted, 202: LaterAnswer, ...failures(...storyFailures('posting', SEND_FAILURES)) },
      },
    },
    async (request, reply) => post(request, reply, { operation: text, said: readText(request.body) }),
  );

  const media = storyOperation(stories, {
    path: '/status/media',
    schema: MediaBody,
    file: 'data',
    said: (body) => readMedia(body as Static<typeof MediaBody>),
  });
  const fileMembers = new Set(media.fileMembers);
  app.post(
    '/status/media',
    {
      bodyLimit: parts.bodyLimit,
      config: { fileMembers: () => fileMembers },
      schema: {
        tags,
        operationId: 'postStatusMedia',
        summary: 'Post a picture, a video or a voice note as a story',
        description: POSTING,
        querystring: DeviceQuery,
        headers: SendHeaders,
        body: refusing(
          'no file or two, one of no known type, a caption of more than 1024 characters, and who is no person',
          MediaBody,
        ),
        response: {
          200: Type.Object({ ...Posted.properties, mime_type: Type.Optional(Type.String()) }),
          202: LaterAnswer,
          ...failures(...storyFailures('posting', [...SEND_FAILURES, ...FILE_FAILURES])),
        },
      },
    },
    async (request, reply) => post(request, reply, { operation: media, said: readMedia(request.body) }),
  );
  for (const each of [text, media]) parts.operations.register(each);

  app.delete(
    '/stories/:id',
    {
      schema: {
        tags,
        operationId: 'deleteStory',
        summary: 'Take a story of ours back',
        description: 'From all whom it has reached; nobody else gets it.',
        params: Type.Object({ id: MessageIdParam }),
        querystring: MessageQuery,
        headers: DeviceHeaders,
        response: {
          200: Posted,
          ...failures(...storyFailures('posting', [...SEND_FAILURES, 'NOT_DELETABLE'])),
        },
      },
    },
    async (request) => {
      const name = messageName(request, request.params.id);
      return posted('revoke', await stories.delete(request.caller, name));
    },
  );
};

const POSTING =
  'Answers once WhatsApp has it for the first of those who are to see it; the rest follows, also after a ' +
  'restart: `GET /stories/{id}` says how far it is. With `send_at` 202 and a job.';

function posted(
  type: Static<typeof Posted>['status_type'],
  { messageId, recordId, timestamp, story }: PostedStory,
): Static<typeof Posted> {
  return {
    success: true,
    message_id: messageId,
    record_id: recordId,
    timestamp: rfc3339(timestamp),
    status_type: type,
    ...(story ? { recipients: story.total, reached: story.position } : {}),
  };
}
