/** What the account of a device shows of itself; of the tag `instances`, as documented. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { rfc3339OrNull } from '../../../clock.ts';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import { invalidField } from '../../../errors.ts';
import type { InlineFiles } from '../../../media/outgoing/inline-files.ts';
import type { Profiles } from '../../../profile/profile.ts';
import { TIMERS_SECONDS } from '../../../sending/disappearing.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { LONGEST_ABOUT, LONGEST_NAME } from '../../../whatsapp/port/profile.ts';
import { atLeastOne, counted, stated } from '../../description/stated.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { emptyCounts } from '../../request/given.ts';
import { acceptFilesInJson } from '../../request/json-body.ts';
import { acceptMultipart } from '../../request/multipart.ts';
import { Jid, Nullable, Rfc3339, Uuid } from '../../schemas.ts';
import { type PictureParts, pictureRoutes } from './picture.ts';
import { privacyRoutes } from './privacy.ts';

export interface ProfileParts extends PictureParts {
  inlineFiles: InlineFiles;
}

const tags = ['instances'];
const Success = Type.Literal(true);

const TIMER =
  'Seconds after which messages of chats that are begun disappear: 86400, 604800 or 7776000; 0: never';
const ToldTimer = Type.Integer({ description: TIMER, examples: [604_800] });
const Timer = Type.Integer({ enum: [...TIMERS_SECONDS], description: TIMER, examples: [604_800] });

const ProfileAnswer = Type.Object({
  success: Success,
  device_id: Uuid,
  jid: Nullable(Jid),
  lid: Nullable(Jid),
  phone_number: Nullable(Type.String({ examples: ['5511999999999'] })),
  name: Nullable(Type.String({ description: 'What those see who have not saved the account' })),
  about: Type.String(),
  about_set_at: Nullable(Rfc3339),
  picture_id: Nullable(Type.String({ examples: ['1718000000'] })),
  picture_url: Nullable(Type.String({ examples: ['https://pps.whatsapp.net/v/…'] })),
  disappearing_seconds: ToldTimer,
});

const ChangeBody = stated(
  Type.Object(
    {
      name: Type.Optional(Type.String({ maxLength: LONGEST_NAME, pattern: '\\S', examples: ['Loja 01'] })),
      about: Type.Optional(
        emptyCounts(
          Type.String({ maxLength: LONGEST_ABOUT, description: 'Empty: none', examples: ['Open till six'] }),
        ),
      ),
      disappearing_seconds: Type.Optional(emptyCounts(Timer)),
      device_id: DeviceId,
    },
    { examples: [{ about: 'Open till six' }] },
  ),
  // An empty about text and a timer of 0 say something.
  {
    allOf: [
      {
        anyOf: [...atLeastOne('name').anyOf, counted('about'), counted('disappearing_seconds')],
      },
    ],
  },
);

export const profileRoutes: FastifyPluginAsyncTypebox<ProfileParts> = async (app, parts) => {
  acceptFilesInJson(app, parts.inlineFiles);
  await acceptMultipart(app);
  await app.register(privacyRoutes, parts);
  await app.register(pictureRoutes, parts);
  await app.register(ownProfileRoutes, parts);
};

const ownProfileRoutes: FastifyPluginAsyncTypebox<{ profiles: Profiles }> = async (app, { profiles }) => {
  app.get(
    '/profile',
    {
      schema: {
        operationId: 'getOwnProfile',
        tags,
        summary: 'What the account shows of itself',
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        response: { 200: ProfileAnswer, ...failures(...DEVICE_FAILURES, ...SESSION_FAILURES) },
      },
    },
    async (request) => {
      const found = await profiles.profile(request.caller, selectedDevice(request));
      const { device, about, picture, disappearingSeconds } = found;
      return {
        success: true as const,
        device_id: device.id,
        jid: device.jid,
        lid: device.lid,
        phone_number: device.phoneNumber,
        name: device.pushName,
        about: about.text,
        about_set_at: rfc3339OrNull(about.setAt),
        picture_id: picture?.id ?? null,
        picture_url: picture?.url ?? null,
        disappearing_seconds: disappearingSeconds,
      };
    },
  );

  app.put(
    '/profile',
    {
      schema: {
        operationId: 'updateOwnProfile',
        tags,
        summary: 'Change the name, the about text and the default timer',
        description:
          'What is given is changed, one after the other. When WhatsApp refuses one, `changed` of the error names ' +
          'those that were changed before it.',
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        body: ChangeBody,
        response: {
          200: Type.Object({ success: Success, device_id: Uuid }),
          ...failures(...DEVICE_FAILURES, ...SESSION_FAILURES),
        },
      },
    },
    async (request) => {
      const { name, about, disappearing_seconds: disappearingSeconds } = request.body;
      if (name === undefined && about === undefined && disappearingSeconds === undefined) {
        throw invalidField('body', 'must have one of name, about, disappearing_seconds');
      }
      const change = { name: name?.trim(), about, disappearingSeconds };
      const device = await profiles.change(request.caller, selectedDevice(request), change);
      return { success: true as const, device_id: device.id };
    },
  );
};
