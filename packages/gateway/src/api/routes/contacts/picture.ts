/** Profile pictures: where they are, and their bytes. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { PictureFile, PictureFiles } from '../../../contacts/picture-files.ts';
import type { ContactProfiles } from '../../../contacts/profiles.ts';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import type { Devices } from '../../../devices/devices.ts';
import { canonicalJid } from '../../../identity/jid.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { refusing } from '../../description/stated.ts';
import { matchesTag } from '../../media-headers.ts';
import { DeviceHeaders, DeviceId, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { Jid, Nullable } from '../../schemas.ts';
import { NamedQuery } from './named.ts';
import { namesOf, personNames } from './person.ts';

const Preview = Type.Optional(
  Type.Boolean({ default: true, description: 'The small picture; `false`: the large one' }),
);

const FAILURES = [
  ...DEVICE_FAILURES,
  ...SESSION_FAILURES,
  'INVALID_RECIPIENT',
  'NOT_ON_WHATSAPP',
  'PICTURE_NOT_SET',
  'PICTURE_HIDDEN',
] as const;

const Answer = Type.Object({
  success: Type.Literal(true),
  data: Type.Object({
    ...personNames,
    jid: Jid,
    url: Nullable(Type.String({ description: 'At WhatsApp, good for some days; null when it is unchanged' })),
    id: Type.String({ description: "WhatsApp's id of the picture: pass it as `existing_id` the next time" }),
    type: Type.String({ description: '`preview` or `image`' }),
    direct_path: Nullable(Type.String()),
    unchanged: Type.Boolean({ description: 'It is still the picture of `existing_id`' }),
  }),
});

const etag = { type: 'string', description: 'SHA-256 of the picture' };
const caching = {
  type: 'string',
  description: '`private, no-cache`: what is shown to the account can change',
};
const picture = { schema: Type.Unsafe<unknown>({ type: 'string', format: 'binary' }) };

export interface PictureParts {
  profiles: ContactProfiles;
  pictures: PictureFiles;
  devices: Devices;
}

/** `GET /contacts/profile-picture`, and ours: `GET /contacts/{jid}/picture`. */
export const pictureRoutes: FastifyPluginAsyncTypebox<PictureParts> = async (app, parts) => {
  const { profiles, pictures, devices } = parts;

  app.get(
    '/contacts/profile-picture',
    {
      schema: {
        operationId: 'getContactProfilePicture',
        tags: ['contacts'],
        summary: 'Where the picture of a person or group is',
        description: 'Asked of WhatsApp now. The bytes are at `GET /contacts/{jid}/picture` too.',
        querystring: Type.Object({
          ...NamedQuery.properties,
          preview: Preview,
          existing_id: Type.Optional(
            Type.String({
              maxLength: 100,
              description: 'The id of the picture that you have: while it is the same, `url` is null',
            }),
          ),
        }),
        headers: DeviceHeaders,
        response: { 200: Answer, ...failures(...FAILURES) },
      },
    },
    async (request) => {
      const device = await devices.resolve(request.caller, selectedDevice(request));
      const { preview = true, existing_id: existingId } = request.query;
      const { target, info } = await profiles.picture(device, request.query, { preview, existingId });
      return {
        success: true as const,
        data: {
          ...namesOf(target),
          jid: canonicalJid(target) ?? '',
          url: info?.url ?? null,
          id: info?.id ?? existingId ?? '',
          type: info?.type ?? (preview ? 'preview' : 'image'),
          direct_path: info?.directPath ?? null,
          unchanged: info === null,
        },
      };
    },
  );

  app.get(
    '/contacts/:jid/picture',
    {
      exposeHeadRoute: false,
      schema: {
        operationId: 'getContactPicture',
        tags: ['contacts'],
        summary: 'The picture of a person or group',
        description:
          "The bytes, fetched from WhatsApp's hosts and kept for a while. Whether there is another one is asked after " +
          'five minutes, and at once when WhatsApp tells of a change.',
        params: Type.Object({
          jid: refusing(
            'what names no person and no group',
            Type.String({ description: 'JID, LID or phone number; a group too' }),
          ),
        }),
        querystring: Type.Object({ preview: Preview, device_id: DeviceId }),
        headers: Type.Object({
          ...DeviceHeaders.properties,
          'if-none-match': Type.Optional(Type.String({ description: 'ETag of an earlier answer' })),
        }),
        response: {
          200: {
            description: 'The picture',
            headers: { ETag: etag, 'Cache-Control': caching },
            content: { 'image/jpeg': picture, 'image/png': picture, 'image/webp': picture },
          },
          304: {
            type: 'null',
            description: 'It is the one named by `If-None-Match`',
            headers: { ETag: etag, 'Cache-Control': caching },
          },
          ...failures(...FAILURES, 'MEDIA_DOWNLOAD_FAILED'),
        },
      },
    },
    async (request, reply) => {
      const device = await devices.resolve(request.caller, selectedDevice(request));
      const file = await pictures.file(device, request.params.jid, request.query.preview ?? true);
      return serve(reply, file, request.headers['if-none-match']);
    },
  );
};

function serve(reply: FastifyReply, file: PictureFile, conditions: string | undefined): FastifyReply {
  const tag = `"${file.sha256}"`;
  reply.headers({ etag: tag, 'cache-control': 'private, no-cache' });
  if (matchesTag(conditions, tag)) return reply.code(304).send();
  return reply.type(file.mimeType).send(file.bytes);
}
