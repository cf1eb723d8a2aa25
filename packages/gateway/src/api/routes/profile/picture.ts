/** The picture of the account. */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import { invalidField } from '../../../errors.ts';
import type { Uploads } from '../../../media/outgoing/uploads.ts';
import type { Profiles } from '../../../profile/profile.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { FILE_MEMBER } from '../../description/bodies.ts';
import { exactlyOne, stated } from '../../description/stated.ts';
import { base64Members, base64Text, fileAddress } from '../../request/bounds.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { readMultipart } from '../../request/multipart.ts';
import { OneOf } from '../../schemas.ts';
import { EXAMPLE_PICTURE } from '../messages/example-files.ts';

export interface PictureParts {
  profiles: Profiles;
  uploads: Uploads;
  /** Bytes of a request with a file. */
  mediaBodyLimit: number;
  /** Bytes of a file. */
  uploadLimit: number;
}

const tags = ['instances'];

const PictureBody = stated(
  Type.Object(
    {
      image_base64: base64Text(
        'JPEG, PNG, WebP or GIF: base64, with or without a `data:<mime>;base64,` prefix. Either this or `image_url`',
      ),
      image_url: fileAddress('Public URL of it. Either this or `image_base64`'),
      device_id: DeviceId,
    },
    { examples: [{ image_base64: EXAMPLE_PICTURE }] },
  ),
  { allOf: [exactlyOne('image_base64', 'image_url')] },
);

const PictureQuery = Type.Object({
  ...DeviceQuery.properties,
  type: Type.Optional(
    OneOf(['image', 'preview'] as const, { description: '`preview`: the small one. Default `image`' }),
  ),
});

const Picture = Type.Object({
  success: Type.Literal(true),
  picture_id: Type.String({ examples: ['1718000000'] }),
  type: Type.String({ examples: ['image'] }),
  url: Type.String({ description: 'Where it is for some days', examples: ['https://pps.whatsapp.net/v/…'] }),
});

const FILE_FAILURES = ['INVALID_MEDIA', 'PAYLOAD_TOO_LARGE'] as const;

export const pictureRoutes: FastifyPluginAsyncTypebox<PictureParts> = async (app, parts) => {
  const { profiles, mediaBodyLimit } = parts;
  const fileMembers = new Set(base64Members(PictureBody));
  app.post(
    '/profile/picture',
    {
      bodyLimit: mediaBodyLimit,
      config: { fileMembers: () => fileMembers },
      preValidation: (request) => readFile(request, parts),
      schema: {
        [FILE_MEMBER]: 'image_base64',
        operationId: 'setProfilePicture',
        tags,
        summary: "Set the account's picture",
        description:
          'Cut to the square in its middle, made a JPEG of 640 pixels, and shown to whom `Profile` of the privacy settings lets.',
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        body: PictureBody,
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            picture_id: Type.String({ examples: ['1718000000'] }),
          }),
          ...failures(...DEVICE_FAILURES, ...SESSION_FAILURES, ...FILE_FAILURES),
        },
      },
    },
    async (request) => {
      const input = sourceOf(request.body);
      const deviceId = selectedDevice(request);
      const id = await profiles.setPicture(request.caller, deviceId, input);
      return { success: true as const, picture_id: id };
    },
  );

  app.delete(
    '/profile/picture',
    {
      schema: {
        operationId: 'removeProfilePicture',
        tags,
        summary: "Remove the account's picture",
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        response: {
          200: Type.Object({ success: Type.Literal(true) }),
          ...failures(...DEVICE_FAILURES, ...SESSION_FAILURES),
        },
      },
    },
    async (request) => {
      await profiles.removePicture(request.caller, selectedDevice(request));
      return { success: true as const };
    },
  );

  app.get(
    '/profile/picture',
    {
      schema: {
        operationId: 'getOwnProfilePicture',
        tags,
        summary: "Where the account's picture is",
        querystring: PictureQuery,
        headers: DeviceHeaders,
        response: { 200: Picture, ...failures(...DEVICE_FAILURES, ...SESSION_FAILURES) },
      },
    },
    async (request) => {
      const preview = request.query.type === 'preview';
      const { id, type, url } = await profiles.picture(request.caller, selectedDevice(request), preview);
      return { success: true as const, picture_id: id, type, url };
    },
  );
};

function sourceOf({ image_base64: base64, image_url: url }: Static<typeof PictureBody>) {
  if (base64 !== undefined && url !== undefined)
    throw invalidField('image_url', 'give either it or image_base64');
  if (base64 !== undefined) return { base64 };
  if (url !== undefined) return { url };
  throw invalidField('image_base64', 'is required, or image_url');
}

async function readFile(
  request: FastifyRequest,
  { uploads, uploadLimit: maxBytes }: PictureParts,
): Promise<void> {
  if (!request.isMultipart()) return;
  await readMultipart(request, { member: 'image_base64', fields: PictureBody.properties, uploads, maxBytes });
}
