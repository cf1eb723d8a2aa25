/** Tag "messages": the operations under `/send`. Each is a schema and a content builder. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { type Static, type TObject, type TOptional, type TProperties, type TString, Type } from 'typebox';
import { audioContent } from '../../sending/content/audio.ts';
import { documentContent } from '../../sending/content/document.ts';
import { imageContent } from '../../sending/content/image.ts';
import { stickerContent } from '../../sending/content/sticker.ts';
import { textContent } from '../../sending/content/text.ts';
import { videoContent } from '../../sending/content/video.ts';
import type { Content } from '../../sending/content.ts';
import type { Idempotency } from '../../sending/idempotency.ts';
import type { Sending, SentMessage } from '../../sending/pipeline.ts';
import { errorResponses, rfc3339 } from '../schemas.ts';
import {
  acceptNulls,
  commonRequest,
  DeviceQuery,
  once,
  RichAnswer,
  richAnswer,
  type SendFields,
  SendHeaders,
  SimpleAnswer,
  sendFields,
} from './send-request.ts';

export interface SendDeps {
  sending: Sending;
  idempotency: Idempotency;
  /** Largest body of an operation that takes base64 media, in bytes. */
  mediaBodyLimit: number;
}

/** Drops members that were not given, which `exactOptionalPropertyTypes` tells from undefined ones. */
type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
function given<T extends object>(members: T): Given<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Given<T>;
}

const text = (description: string) => Type.Optional(Type.String({ description }));
const flag = (description: string) => Type.Optional(Type.Boolean({ description }));
const caption = text('At most 1024 characters');
const viewOnce = {
  viewOnce: flag('Can be opened once'),
  view_once: flag('Same as `viewOnce`'),
};
const seconds = Type.Optional(Type.Integer({ minimum: 0, description: 'Duration' }));

function mediaSource<T extends string>(type: T, what: string): Record<T | `${T}_url`, TOptional<TString>> {
  const fields: Record<string, TOptional<TString>> = {
    [type]: text(
      `${what}: base64, with or without a \`data:<mime>;base64,\` prefix. Either this or \`${type}_url\``,
    ),
    [`${type}_url`]: text(`Public URL of it. Either this or \`${type}\``),
  };
  return fields as Record<T | `${T}_url`, TOptional<TString>>;
}

interface SendKind<F extends TProperties> {
  path: string;
  operationId: string;
  summary: string;
  /** Members beside those that every send takes. */
  fields: F;
  example: Record<string, unknown>;
  /** Refuses bad input at once, before anything is looked up or fetched. */
  content(body: Static<TObject<F>>): Content;
  takesMedia?: boolean;
  /** Answers in the simple shape, with these members of the content's figures. */
  simple?: { message: string; further: string[] };
}

/** Registers one operation; what all of them share is here. */
function sendRoute(app: FastifyInstance, { sending, idempotency, mediaBodyLimit }: SendDeps) {
  return <F extends TProperties>(kind: SendKind<F>): void => {
    const mediaStatuses = kind.takesMedia ? (['413', '502'] as const) : [];
    app.post(
      kind.path,
      {
        ...(kind.takesMedia ? { bodyLimit: mediaBodyLimit } : {}),
        schema: {
          operationId: kind.operationId,
          tags: ['messages'],
          summary: kind.summary,
          description: 'Answers once the WhatsApp server has the message.',
          querystring: DeviceQuery,
          headers: SendHeaders,
          body: Type.Object({ ...sendFields, ...kind.fields }, { examples: [kind.example] }),
          response: {
            200: kind.simple ? SimpleAnswer : RichAnswer,
            ...errorResponses('400', '401', '404', '409', '422', '503', '504', ...mediaStatuses),
          },
        },
      },
      async (request, reply) => {
        const body = request.body as Static<TObject<F>> & SendFields;
        const content = kind.content(body);
        const common = commonRequest(request, body);
        return once(idempotency, request, reply, async (attempt) => {
          const sent = await sending.send(request.caller, { ...common, content, attempt });
          return kind.simple ? simpleAnswer(sent, kind.simple) : richAnswer(sent);
        });
      },
    );
  };
}

function simpleAnswer(sent: SentMessage, { message, further }: { message: string; further: string[] }) {
  const figures = Object.fromEntries(further.map((name) => [name, sent.metadata[name] ?? null]));
  return {
    success: true,
    message_id: sent.messageId,
    timestamp: rfc3339(sent.timestamp),
    message,
    ...figures,
  };
}

/** Every operation of the send family. */
export const sendRoutes: FastifyPluginAsyncTypebox<SendDeps> = async (app, deps) => {
  acceptNulls(app as unknown as FastifyInstance);
  const route = sendRoute(app as unknown as FastifyInstance, deps);

  route({
    path: '/send/text',
    operationId: 'sendText',
    summary: 'Send a text',
    fields: { text: Type.String({ description: '1–4096 characters', examples: ['Hello!'] }) },
    example: { number: '5511999999999', text: 'Hello!', delay: 0, typingDuration: 2 },
    content: (body) => textContent(body),
  });

  route({
    path: '/send/image',
    operationId: 'sendImageMessage',
    summary: 'Send an image',
    takesMedia: true,
    fields: { ...mediaSource('image', 'JPEG, PNG, WebP or GIF'), caption, ...viewOnce },
    example: { number: '5511999999999', image_url: 'https://example.com/photo.jpg', caption: 'Look' },
    content: ({ image, image_url, caption, viewOnce, view_once }) =>
      imageContent(given({ image, image_url, caption, viewOnce: viewOnce ?? view_once })),
  });

  route({
    path: '/send/video',
    operationId: 'sendVideoMessage',
    summary: 'Send a video',
    takesMedia: true,
    fields: {
      ...mediaSource('video', 'MP4 or another video'),
      caption,
      seconds,
      ...viewOnce,
      thumbnail: text('Picture to show before the download, base64'),
      generateThumbnail: flag('Accepted; no thumbnail can be made yet'),
      generate_thumbnail: flag('Same as `generateThumbnail`'),
      convertToMP4: flag('Refused with INVALID_MEDIA unless the video is MP4 already'),
      convert_to_mp4: flag('Same as `convertToMP4`'),
    },
    example: { number: '5511999999999', video_url: 'https://example.com/clip.mp4', caption: 'Watch' },
    content: (body) =>
      videoContent(
        given({
          video: body.video,
          video_url: body.video_url,
          caption: body.caption,
          seconds: body.seconds,
          viewOnce: body.viewOnce ?? body.view_once,
          convertToMP4: body.convertToMP4 ?? body.convert_to_mp4,
          thumbnail: body.thumbnail,
        }),
      ),
  });

  route({
    path: '/send/audio',
    operationId: 'sendAudioMessage',
    summary: 'Send audio or a voice note',
    takesMedia: true,
    fields: {
      ...mediaSource('audio', 'Audio; Ogg/Opus for a voice note'),
      ptt: flag('Send as voice note'),
      seconds,
      caption,
      ...viewOnce,
    },
    example: { number: '5511999999999', audio_url: 'https://example.com/note.ogg', ptt: true },
    content: ({ audio, audio_url, ptt, seconds, caption, viewOnce, view_once }) =>
      audioContent(given({ audio, audio_url, ptt, seconds, caption, viewOnce: viewOnce ?? view_once })),
  });

  route({
    path: '/send/document',
    operationId: 'sendDocumentMessage',
    summary: 'Send a file',
    takesMedia: true,
    fields: {
      ...mediaSource('document', 'Any file'),
      mime_type: text('Default: as the data URI, the URL or the first bytes say'),
      file_name: text('Required with `document_url`'),
      caption,
    },
    example: {
      number: '5511999999999',
      document_url: 'https://example.com/invoice.pdf',
      file_name: 'invoice.pdf',
      mime_type: 'application/pdf',
    },
    content: ({ document, document_url, mime_type, file_name, caption }) =>
      documentContent(given({ document, document_url, mime_type, file_name, caption })),
  });

  route({
    path: '/send/sticker',
    operationId: 'sendStickerMessage',
    summary: 'Send a sticker',
    takesMedia: true,
    fields: {
      ...mediaSource('sticker', 'WebP of at most 500 KB'),
      is_animated: flag('Default: as the file says'),
    },
    example: { to: '5511999999999@s.whatsapp.net', sticker_url: 'https://example.com/hi.webp' },
    content: ({ sticker, sticker_url, is_animated }) =>
      stickerContent(given({ sticker, sticker_url, is_animated })),
    simple: { message: 'Sticker sent successfully', further: ['is_animated'] },
  });
};
