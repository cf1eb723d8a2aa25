/** Tag `newsletters`: what is published in a channel, looked at and reacted to. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { rfc3339 } from '../../../clock.ts';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import { invalidField } from '../../../errors.ts';
import {
  MOST_POSTS,
  NEWSLETTER_FAILURES,
  type Newsletters,
  newsletterJid,
  serverIds,
} from '../../../newsletters/newsletters.ts';
import { documentContent } from '../../../sending/content/document.ts';
import { imageContent } from '../../../sending/content/image.ts';
import { textContent } from '../../../sending/content/text.ts';
import { videoContent } from '../../../sending/content/video.ts';
import type { Content } from '../../../sending/content.ts';
import type { Idempotency } from '../../../sending/idempotency.ts';
import type { Sending } from '../../../sending/pipeline.ts';
import { refusing } from '../../description/stated.ts';
import { base64Members, base64Text, fileAddress } from '../../request/bounds.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { once, SendHeaders } from '../../request/idempotency.ts';
import { RecordId } from '../../request/message.ts';
import { Jid, OneOf, Rfc3339 } from '../../schemas.ts';
import { EXAMPLE_PICTURE } from '../messages/example-files.ts';
import { caption, given, givenUp, longText, text } from '../messages/send-kind.ts';
import { FILE_FAILURES, SEND_FAILURES } from '../messages/send-request.ts';
import { FAILURES, NewsletterParams, tags, whose } from './channels.ts';
import { PostAnswer, postAnswer } from './schemas.ts';

export interface PostParts {
  newsletters: Newsletters;
  sending: Sending;
  idempotency: Idempotency;
  /** Bytes: the largest body with a file in it. */
  bodyLimit: number;
}

const DEFAULT_COUNT = 20;

const Published = Type.Object({
  success: Type.Literal(true),
  message_id: Type.String({ examples: ['3EB0F8A1B2C3D4E5F6'] }),
  record_id: Type.Optional(RecordId),
  server_id: Type.Optional(Type.Integer({ description: "The server's number of the post" })),
  timestamp: Rfc3339,
  newsletter: Jid,
  status_type: OneOf(['text', 'image', 'video', 'document'] as const),
});

const MediaBody = refusing(
  'one with no source or with several',
  Type.Object(
    {
      media_type: OneOf(['image', 'video', 'document'] as const),
      media: base64Text('The file: base64, with or without a `data:<mime>;base64,` prefix'),
      base64: base64Text('The same as `media`'),
      media_url: fileAddress('Public URL of it. Either this or `media`'),
      caption: caption('At most 1024 characters'),
      mime_type: text('Of a document; default: as the file says'),
      file_name: text('Of a document'),
      device_id: DeviceId,
    },
    {
      examples: [{ media_type: 'image', media: EXAMPLE_PICTURE, caption: 'New today' }],
    },
  ),
);
type MediaBody = Static<typeof MediaBody>;

export const postRoutes: FastifyPluginAsyncTypebox<PostParts> = async (app, parts) => {
  const { newsletters } = parts;
  const asking = { tags, params: NewsletterParams, querystring: DeviceQuery, headers: DeviceHeaders };
  const publishing = { ...asking, headers: SendHeaders };
  const fileMembers = new Set(base64Members(MediaBody));

  app.get(
    '/newsletters/:jid/messages',
    {
      schema: {
        ...asking,
        operationId: 'getNewsletterMessages',
        summary: 'Posts of a channel, the newest or those before one',
        querystring: Type.Object({
          count: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST_POSTS, default: DEFAULT_COUNT })),
          before: Type.Optional(Type.Integer({ minimum: 1, description: 'The number of a post' })),
          device_id: DeviceId,
        }),
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            messages: Type.Array(PostAnswer),
            count: Type.Integer(),
          }),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const { count = DEFAULT_COUNT, before = null } = request.query;
      const page = { count, before };
      const found = await newsletters.posts(whose(request), newsletterJid(request.params.jid), page);
      return { success: true as const, messages: found.map(postAnswer), count: found.length };
    },
  );

  app.post(
    '/newsletters/:jid/messages',
    {
      schema: {
        ...publishing,
        operationId: 'sendNewsletterMessage',
        summary: 'Publish a text',
        body: Type.Object({ text: longText(), device_id: DeviceId }, { examples: [{ text: 'New today' }] }),
        response: { 200: Published, ...failures(...SEND_FAILURES) },
      },
    },
    (request, reply) => publish(parts, request, reply, { type: 'text', content: textContent(request.body) }),
  );

  app.post(
    '/newsletters/:jid/media',
    {
      bodyLimit: parts.bodyLimit,
      config: { fileMembers: () => fileMembers },
      schema: {
        ...publishing,
        operationId: 'sendNewsletterMedia',
        summary: 'Publish a picture, a video or a document',
        description: 'It is uploaded as it is, not encrypted: everyone may read a channel.',
        body: MediaBody,
        response: { 200: Published, ...failures(...SEND_FAILURES, ...FILE_FAILURES) },
      },
    },
    (request, reply) =>
      publish(parts, request, reply, {
        type: request.body.media_type,
        content: mediaContent(request.body),
      }),
  );

  app.post(
    '/newsletters/:jid/read',
    {
      schema: {
        ...asking,
        operationId: 'markNewsletterRead',
        summary: 'Count as having looked at posts',
        body: Type.Object(
          {
            server_ids: Type.Array(
              refusing('what is no number of a post', Type.Union([Type.String(), Type.Integer()])),
              {
                minItems: 1,
                maxItems: 1000,
                description: 'Numbers of posts',
              },
            ),
            device_id: DeviceId,
          },
          { examples: [{ server_ids: ['101', '102'] }] },
        ),
        response: {
          200: Type.Object({ success: Type.Literal(true), newsletter: Jid, count: Type.Integer() }),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const newsletter = newsletterJid(request.params.jid);
      const ids = serverIds('server_ids', request.body.server_ids);
      await newsletters.view(whose(request), newsletter, ids);
      return { success: true as const, newsletter, count: ids.length };
    },
  );

  app.post(
    '/newsletters/:jid/reaction',
    {
      schema: {
        ...asking,
        operationId: 'reactToNewsletterMessage',
        summary: 'React to a post, or take the reaction back',
        body: Type.Object(
          {
            server_id: Type.Integer({ minimum: 1, description: 'The number of the post' }),
            reaction: Type.String({ description: 'An emoji; empty takes it back', maxLength: 40 }),
            device_id: DeviceId,
          },
          { examples: [{ server_id: 101, reaction: '👍' }] },
        ),
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            newsletter: Jid,
            server_id: Type.Integer(),
            reaction: Type.String(),
          }),
          ...failures(...DEVICE_FAILURES, ...NEWSLETTER_FAILURES),
        },
      },
    },
    async (request) => {
      const newsletter = newsletterJid(request.params.jid);
      const { server_id, reaction } = request.body;
      await newsletters.react(whose(request), newsletter, { serverId: server_id, emoji: reaction });
      return { success: true as const, newsletter, server_id, reaction };
    },
  );
};

async function publish(
  { sending, idempotency }: PostParts,
  request: FastifyRequest,
  reply: FastifyReply,
  { type, content }: { type: Static<typeof Published>['status_type']; content: Content },
) {
  const newsletter = newsletterJid((request.params as { jid: string }).jid);
  const deviceId = selectedDevice(request);
  const signal = givenUp(reply);
  return once(idempotency, request, reply, async (attempt) => {
    const address = { kind: 'chat' as const, jid: newsletter };
    const sent = await sending.send(request.caller, { address, content, deviceId, attempt, signal });
    return {
      success: true as const,
      message_id: sent.messageId,
      record_id: sent.recordId,
      ...(sent.serverId === undefined ? {} : { server_id: sent.serverId }),
      timestamp: rfc3339(sent.timestamp),
      newsletter,
      status_type: type,
    };
  });
}

function mediaContent(body: MediaBody): Content {
  const { media_type: type, media_url, caption } = body;
  const media = body.media || body.base64;
  if (Boolean(media) === Boolean(media_url)) {
    throw invalidField(
      'media',
      media ? 'give either media or media_url, not both' : 'media or media_url is required',
    );
  }
  if (type === 'document') {
    const { mime_type, file_name } = body;
    return documentContent(
      given({ document: media, document_url: media_url, caption, mime_type, file_name }),
    );
  }
  return type === 'image'
    ? imageContent(given({ image: media, image_url: media_url, caption }))
    : videoContent(given({ video: media, video_url: media_url, caption }));
}
