/** Tag `groups`: the picture of a group. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { invalidField } from '../../../errors.ts';
import type { GroupPictures } from '../../../groups/group-pictures.ts';
import { GROUP_FAILURES } from '../../../groups/groups.ts';
import type { Uploads } from '../../../media/outgoing/uploads.ts';
import type { MediaInput } from '../../../sending/outbound-media.ts';
import { FILE_MEMBER } from '../../description/bodies.ts';
import { exactlyOne, stated } from '../../description/stated.ts';
import { base64Members, base64Text, fileAddress } from '../../request/bounds.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { acceptMultipart, readMultipart } from '../../request/multipart.ts';
import { Nullable } from '../../schemas.ts';
import { EXAMPLE_PICTURE } from '../messages/example-files.ts';
import { givenUp } from '../messages/send-kind.ts';
import { GroupPath } from './schemas.ts';

export interface PictureParts {
  pictures: GroupPictures;
  uploads: Uploads;
  /** Largest body, bytes. */
  mediaBodyLimit: number;
}

/** Of a file that comes as a part, bytes: as in JSON. */
const LARGEST = 16 * 1024 ** 2;

const fields = {
  image_base64: base64Text('JPEG, PNG, WebP or GIF; it is cut to a square. Either this or `image_url`'),
  image_url: fileAddress('Public URL of it. Either this or `image_base64`'),
  device_id: DeviceId,
};
const Body = stated(Type.Object(fields, { examples: [{ image_base64: EXAMPLE_PICTURE }] }), {
  allOf: [exactlyOne('image_base64', 'image_url')],
});

export const pictureRoutes: FastifyPluginAsyncTypebox<PictureParts> = async (app, parts) => {
  const { pictures, uploads, mediaBodyLimit } = parts;
  const shared = {
    tags: ['groups'],
    params: GroupPath,
    querystring: DeviceQuery,
    headers: DeviceHeaders,
  };
  await acceptMultipart(app);
  const fileMembers = new Set(base64Members(Body));

  app.post(
    '/groups/:jid/picture',
    {
      bodyLimit: mediaBodyLimit,
      config: { fileMembers: () => fileMembers },
      preValidation: async (request) => {
        if (!request.isMultipart()) return;
        await readMultipart(request, { member: 'image_base64', fields, uploads, maxBytes: LARGEST });
      },
      schema: {
        ...shared,
        [FILE_MEMBER]: 'image_base64',
        operationId: 'setGroupPicture',
        summary: 'Set the picture of a group',
        description: 'It is read at `GET /contacts/{jid}/picture`, which takes groups too.',
        body: Body,
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            picture_id: Nullable(Type.String({ examples: ['1718445600'] })),
          }),
          ...failures(...GROUP_FAILURES, 'INVALID_MEDIA', 'PAYLOAD_TOO_LARGE'),
        },
      },
    },
    async (request, reply) => {
      const name = { deviceId: selectedDevice(request), group: request.params.jid };
      const signal = givenUp(reply);
      const picture = { ...pictureIn(request.body), signal };
      return { success: true as const, picture_id: await pictures.set(request.caller, name, picture) };
    },
  );

  app.delete(
    '/groups/:jid/picture',
    {
      schema: {
        ...shared,
        operationId: 'removeGroupPicture',
        summary: 'Take the picture of a group off',
        response: { 200: Type.Object({ success: Type.Literal(true) }), ...failures(...GROUP_FAILURES) },
      },
    },
    async (request) => {
      const name = { deviceId: selectedDevice(request), group: request.params.jid };
      await pictures.remove(request.caller, name);
      return { success: true as const };
    },
  );
};

/** The one picture that is given; `field` names its member without `_url`, as errors do. */
function pictureIn(body: { image_base64?: string; image_url?: string }): {
  input: MediaInput;
  field: string;
} {
  const { image_base64: base64, image_url: url } = body;
  if (base64 !== undefined && url !== undefined) {
    throw invalidField('image_url', 'give either image_base64 or image_url, not both');
  }
  if (base64 !== undefined) return { input: { base64 }, field: 'image_base64' };
  if (url !== undefined) return { input: { url }, field: 'image' };
  throw invalidField('image_base64', 'image_base64 is required');
}
