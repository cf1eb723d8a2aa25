/** Tag `newsletters`: changing what a channel is, and deleting it. Beyond the documented API. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import { invalidField } from '../../../errors.ts';
import { NEWSLETTER_FAILURES, newsletterJid } from '../../../newsletters/newsletters.ts';
import { refusing, stated } from '../../description/stated.ts';
import { base64Members } from '../../request/bounds.ts';
import { DeviceHeaders, DeviceId, DeviceQuery } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { emptyCounts } from '../../request/given.ts';
import { Jid } from '../../schemas.ts';
import {
  type ChannelParts,
  FAILURES,
  LONGEST_DESCRIPTION,
  LONGEST_NAME,
  NewsletterParams,
  pictureIn,
  pictureMembers,
  tags,
  whose,
} from './channels.ts';
import { NewsletterAnswer, newsletterAnswer } from './schemas.ts';

const ChangeBody = refusing(
  'one that changes nothing',
  Type.Object(
    {
      name: Type.Optional(stated(Type.String({ maxLength: LONGEST_NAME }), { pattern: '\\S' })),
      description: Type.Optional(
        emptyCounts(Type.String({ maxLength: LONGEST_DESCRIPTION, description: 'Empty takes it off' })),
      ),
      ...pictureMembers,
      device_id: DeviceId,
    },
    { examples: [{ description: 'What is new each day' }] },
  ),
);

const Changed = Type.Object({ success: Type.Literal(true), newsletter: NewsletterAnswer });

export const manageRoutes: FastifyPluginAsyncTypebox<ChannelParts> = async (
  app,
  { newsletters, bodyLimit },
) => {
  const fileMembers = new Set(base64Members(ChangeBody));
  const shared = { tags, params: NewsletterParams, querystring: DeviceQuery, headers: DeviceHeaders };

  app.patch(
    '/newsletters/:jid',
    {
      bodyLimit,
      config: { fileMembers: () => fileMembers },
      schema: {
        ...shared,
        operationId: 'updateNewsletter',
        summary: 'Change name, description or picture of a channel',
        description: 'What is left out stays as it is. Of its owner and admins.',
        body: ChangeBody,
        response: {
          200: Changed,
          ...failures(...DEVICE_FAILURES, ...NEWSLETTER_FAILURES, 'INVALID_MEDIA', 'PAYLOAD_TOO_LARGE'),
        },
      },
    },
    async (request) => {
      const jid = newsletterJid(request.params.jid);
      const { name, description } = request.body;
      const picture = pictureIn(request.body);
      if (name !== undefined && name.trim() === '') throw invalidField('name', 'must not be blank');
      if (name === undefined && description === undefined && !picture) {
        throw invalidField('body', 'must have one of name, description, picture, picture_url');
      }
      const change = {
        ...(name === undefined ? {} : { name: name.trim() }),
        ...(description === undefined ? {} : { description }),
        ...(picture ? { picture } : {}),
      };
      const changed = await newsletters.change(whose(request), jid, change);
      return { success: true as const, newsletter: newsletterAnswer(changed) };
    },
  );

  app.delete(
    '/newsletters/:jid/picture',
    {
      schema: {
        ...shared,
        operationId: 'removeNewsletterPicture',
        summary: 'Take the picture of a channel off',
        response: { 200: Changed, ...FAILURES },
      },
    },
    async (request) => {
      const jid = newsletterJid(request.params.jid);
      const changed = await newsletters.change(whose(request), jid, { picture: null });
      return { success: true as const, newsletter: newsletterAnswer(changed) };
    },
  );

  app.delete(
    '/newsletters/:jid',
    {
      schema: {
        ...shared,
        operationId: 'deleteNewsletter',
        summary: 'Delete a channel, for everybody and for good',
        description: 'Of its owner alone. Following one no more is `DELETE /newsletters/{jid}/subscribe`.',
        response: {
          200: Type.Object({ success: Type.Literal(true), jid: Jid, deleted: Type.Literal(true) }),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const jid = newsletterJid(request.params.jid);
      await newsletters.remove(whose(request), jid);
      return { success: true as const, jid, deleted: true as const };
    },
  );
};
