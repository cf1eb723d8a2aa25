/** Tag "status": stories, posted, followed and taken back. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { type Static, Type } from 'typebox';
import { rfc3339 } from '../../../clock.ts';
import { invalidField } from '../../../errors.ts';
import { audioContent } from '../../../sending/content/audio.ts';
import { imageContent } from '../../../sending/content/image.ts';
import { videoContent } from '../../../sending/content/video.ts';
import type { Content } from '../../../sending/content.ts';
import type { Idempotency } from '../../../sending/idempotency.ts';
import { mentionedJids } from '../../../sending/recipients.ts';
import type { PostedStory, Stories } from '../../../stories/stories.ts';
import { textStory } from '../../../stories/text-story.ts';
import { refusing } from '../../description/stated.ts';
import { base64Members, base64Text } from '../../request/bounds.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { once, SendHeaders } from '../../request/idempotency.ts';
import { MessageIdParam, MessageQuery, messageName, RecordId } from '../../request/message.ts';
import { OneOf, Rfc3339 } from '../../schemas.ts';
import { EXAMPLE_PICTURE } from '../messages/example-files.ts';
import { given, givenUp, text } from '../messages/send-kind.ts';
import { FILE_FAILURES, SEND_FAILURES } from '../messages/send-request.ts';
import { sayStoryErrors, storyFailures } from './story-errors.ts';

export interface PostingParts {
  stories: Stories;
  idempotency: Idempotency;
  /** Bytes: the largest body with a file in it. */
  bodyLimit: number;
}

/** WhatsApp numbers its typefaces from 0 to 10, some of them are gone (waE2E.ExtendedTextMessage.FontType). */
const MOST_FONT = 10;
const MOST_PEOPLE = 10_000;

const audience = {
  audience: Type.Optional(
    Type.Array(Type.String(), {
      maxItems: MOST_PEOPLE,
      description: "Numbers or JIDs of those who are to see it; default: as the account's privacy says",
    }),
  ),
  device_id: DeviceId,
};

const TextBody = Type.Object(
  {
    text: Type.String({ description: '1 to 4096 characters' }),
    background_color: Type.Optional(
      Type.String({ maxLength: 9, description: '`#RRGGBB`', examples: ['#1f7a6d'] }),
    ),
    text_color: Type.Optional(Type.String({ maxLength: 9, description: '`#RRGGBB`', examples: ['#ffffff'] })),
    font: Type.Optional(
      Type.Integer({ minimum: 0, maximum: MOST_FONT, description: 'Number of a typeface' }),
    ),
    ...audience,
  },
  { examples: [{ text: 'Open until ten', background_color: '#1f7a6d' }] },
);

const MEDIA_TYPES = ['image', 'video', 'audio'] as const;
const MediaBody = Type.Object(
  {
    data: base64Text(
      'The file: base64, with or without a `data:<mime>;base64,` prefix. Either this or `url`',
    ),
    url: text('Public URL of it. Either this or `data`'),
    media_type: Type.Optional(
      OneOf(MEDIA_TYPES, { description: 'Default: as `mime_type` or the data URI says' }),
    ),
    mime_type: text('`image/jpeg`, `video/mp4`, …'),
    caption: text('At most 1024 characters'),
    view_once: Type.Optional(Type.Boolean()),
    ...audience,
  },
  { examples: [{ data: EXAMPLE_PICTURE, media_type: 'image', caption: 'New today' }] },
);
type MediaBody = Static<typeof MediaBody>;

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
  const fileMembers = new Set(base64Members(MediaBody));
  sayStoryErrors(app as unknown as FastifyInstance, 'posting');

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
        response: { 200: Posted, ...failures(...storyFailures('posting', SEND_FAILURES)) },
      },
    },
    async (request, reply) => {
      const { body } = request;
      if (body.text === '') throw invalidField('text', 'text cannot be empty');
      const { text: words, background_color, text_color, font } = body;
      const content = textStory({ text: words, ...given({ background_color, text_color, font }) });
      const people = peopleOf(body.audience);
      const deviceId = selectedDevice(request);
      return once(idempotency, request, reply, async (attempt) =>
        posted('text', await stories.post(request.caller, { deviceId, content, people, attempt })),
      );
    },
  );

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
          ...failures(...storyFailures('posting', [...SEND_FAILURES, ...FILE_FAILURES])),
        },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const type = mediaType(body);
      const content = mediaContent(type, body);
      const people = peopleOf(body.audience);
      const deviceId = selectedDevice(request);
      const signal = givenUp(reply);
      return once(idempotency, request, reply, async (attempt) => {
        const story = await stories.post(request.caller, { deviceId, content, people, attempt, signal });
        return { ...posted(type, story), ...given({ mime_type: story.mimeType ?? undefined }) };
      });
    },
  );

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
  'Answers once WhatsApp has it for the first hundred of those who are to see it; the rest follows, also after a ' +
  'restart: `GET /stories/{id}` says how far it is.';

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
    ...(story ? { recipients: story.audience.length, reached: story.position } : {}),
  };
}

function peopleOf(audience: string[] | undefined) {
  return audience === undefined ? null : mentionedJids(audience, 'audience');
}

function mediaType({ media_type, mime_type, data }: MediaBody): (typeof MEDIA_TYPES)[number] {
  if (media_type) return media_type;
  const said = mime_type ?? /^data:([^;,]*)/i.exec(data?.slice(0, 100) ?? '')?.[1] ?? '';
  const type = MEDIA_TYPES.find((each) => said.toLowerCase().startsWith(`${each}/`));
  if (type) return type;
  throw invalidField('media_type', `must be one of ${MEDIA_TYPES.join(', ')}, or mime_type must say which`);
}

function mediaContent(type: (typeof MEDIA_TYPES)[number], body: MediaBody): Content {
  const { data, url, caption, view_once: viewOnce } = body;
  if (!data && !url) throw invalidField('data', 'either data or url must be provided');
  if (data && url) throw invalidField('data', 'give either data or url, not both');
  if (type === 'image') return imageContent(given({ image: data, image_url: url, caption, viewOnce }));
  if (type === 'video') return videoContent(given({ video: data, video_url: url, caption, viewOnce }));
  return audioContent(given({ audio: data, audio_url: url, ptt: true, viewOnce }));
}
