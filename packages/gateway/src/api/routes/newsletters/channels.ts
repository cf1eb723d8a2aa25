/** Tag `newsletters`: channels themselves: those that the account follows or has. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import { invalidField } from '../../../errors.ts';
import {
  NEWSLETTER_FAILURES,
  type Newsletters,
  newsletterJid,
  newsletterName,
  type Whose,
} from '../../../newsletters/newsletters.ts';
import type { Idempotency } from '../../../sending/idempotency.ts';
import type { MediaInput } from '../../../sending/outbound-media.ts';
import { refusing } from '../../description/stated.ts';
import { base64Members, base64Text, fileAddress } from '../../request/bounds.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { once, SendHeaders } from '../../request/idempotency.ts';
import { Jid } from '../../schemas.ts';
import { inviteLink, NewsletterAnswer, newsletterAnswer } from './schemas.ts';

export interface ChannelParts {
  newsletters: Newsletters;
  idempotency: Idempotency;
  /** Bytes: the largest body with a picture in it. */
  bodyLimit: number;
}

/** What all operations on a channel have in common. */
export const tags = ['newsletters'];
export const NewsletterParams = Type.Object({
  jid: refusing(
    'what names no channel',
    Type.String({ description: 'Its JID', examples: ['120363039000000000@newsletter'] }),
  ),
});
export const FAILURES = failures(...DEVICE_FAILURES, ...NEWSLETTER_FAILURES);
export const DeviceBody = Type.Optional(Type.Object({ device_id: DeviceId }));

export function whose(request: FastifyRequest): Whose {
  return { caller: request.caller, deviceId: selectedDevice(request) };
}

/** The longest that the apps take, in characters. */
export const LONGEST_NAME = 100;
export const LONGEST_DESCRIPTION = 2048;

/** How a body gives the picture of a channel. */
export const pictureMembers = {
  picture: base64Text('JPEG, PNG, WebP or GIF; it is cut to a square'),
  image_base64: base64Text('The same as `picture`'),
  picture_url: fileAddress('Public URL of it. Either this or `picture`'),
};
const Picture = Type.Object(pictureMembers);

const NewChannel = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: LONGEST_NAME }),
    description: Type.Optional(Type.String({ maxLength: LONGEST_DESCRIPTION })),
    ...pictureMembers,
    device_id: DeviceId,
  },
  { examples: [{ name: 'Offers', description: 'What is new each week' }] },
);

/** Throws VALIDATION_ERROR for two pictures. */
export function pictureIn({
  picture,
  image_base64,
  picture_url: url,
}: Static<typeof Picture>): MediaInput | null {
  const base64 = picture || image_base64;
  if (base64 && url) throw invalidField('picture_url', 'give either picture or picture_url, not both');
  if (base64) return { base64 };
  return url ? { url } : null;
}

const Subscribed = Type.Object({
  success: Type.Literal(true),
  jid: Jid,
  subscribed: Type.Boolean(),
});
const Muted = Type.Object({ success: Type.Literal(true), jid: Jid, muted: Type.Boolean() });

export const channelRoutes: FastifyPluginAsyncTypebox<ChannelParts> = async (
  app,
  { newsletters, idempotency, bodyLimit },
) => {
  const fileMembers = new Set(base64Members(NewChannel));
  const shared = { tags, querystring: DeviceQuery, headers: DeviceHeaders };

  app.get(
    '/newsletters',
    {
      schema: {
        ...shared,
        operationId: 'listNewsletters',
        summary: 'Channels that the account follows or has',
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            newsletters: Type.Array(NewsletterAnswer),
            count: Type.Integer(),
          }),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const found = await newsletters.list(whose(request));
      return { success: true as const, newsletters: found.map(newsletterAnswer), count: found.length };
    },
  );

  app.post(
    '/newsletters',
    {
      bodyLimit,
      config: { fileMembers: () => fileMembers },
      schema: {
        ...shared,
        operationId: 'createNewsletter',
        summary: 'Make a channel',
        description:
          'With an `Idempotency-Key` a request that is repeated makes one channel, also where WhatsApp did not answer in ' +
          'time: it is looked for first.',
        headers: SendHeaders,
        body: NewChannel,
        response: {
          200: Type.Object({ success: Type.Literal(true), newsletter: NewsletterAnswer }),
          ...failures(
            ...DEVICE_FAILURES,
            ...NEWSLETTER_FAILURES,
            'INVALID_MEDIA',
            'PAYLOAD_TOO_LARGE',
            'ACCOUNT_CHANGED',
            'IDEMPOTENCY_CONFLICT',
          ),
        },
      },
    },
    async (request, reply) =>
      once(idempotency, request, reply, async (attempt) => {
        const { name, description = '' } = request.body;
        const asked = { name, description, picture: pictureIn(request.body) };
        const made = await newsletters.create(whose(request), asked, attempt);
        return { success: true as const, newsletter: newsletterAnswer(made) };
      }),
  );

  app.get(
    '/newsletters/:jid',
    {
      schema: {
        ...shared,
        operationId: 'getNewsletterInfo',
        summary: 'One channel',
        description:
          'By its JID, or by its link or the end of that, also when the account does not follow it.',
        params: NewsletterParams,
        response: {
          200: Type.Object({ success: Type.Literal(true), newsletter: NewsletterAnswer }),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const found = await newsletters.find(whose(request), newsletterName(request.params.jid));
      return { success: true as const, newsletter: newsletterAnswer(found) };
    },
  );

  app.get(
    '/newsletters/:jid/invite',
    {
      schema: {
        ...shared,
        operationId: 'getNewsletterInvite',
        summary: 'The link of a channel',
        params: NewsletterParams,
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            jid: Jid,
            invite_code: Type.String(),
            invite_link: Type.String(),
          }),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const found = await newsletters.find(whose(request), { jid: newsletterJid(request.params.jid) });
      return {
        success: true as const,
        jid: found.jid,
        invite_code: found.inviteCode,
        invite_link: inviteLink(found),
      };
    },
  );

  for (const subscribed of [true, false]) {
    app.route({
      method: subscribed ? 'POST' : 'DELETE',
      url: '/newsletters/:jid/subscribe',
      schema: {
        ...shared,
        operationId: subscribed ? 'subscribeNewsletter' : 'unsubscribeNewsletter',
        summary: subscribed ? 'Follow a channel' : 'Follow it no more',
        params: NewsletterParams,
        ...(subscribed ? { body: DeviceBody } : {}),
        response: { 200: Subscribed, ...FAILURES },
      },
      handler: async (request) => {
        const { jid: named } = request.params as { jid: string };
        const jid = newsletterJid(named);
        await newsletters.follow(whose(request), jid, subscribed);
        return { success: true as const, jid, subscribed };
      },
    });
  }

  app.post(
    '/newsletters/:jid/mute',
    {
      schema: {
        ...shared,
        operationId: 'muteNewsletter',
        summary: 'Mute a channel, or let it be heard again',
        params: NewsletterParams,
        body: Type.Object({ muted: Type.Boolean(), device_id: DeviceId }, { examples: [{ muted: true }] }),
        response: { 200: Muted, ...FAILURES },
      },
    },
    async (request) => {
      const jid = newsletterJid(request.params.jid);
      const { muted } = request.body;
      await newsletters.mute(whose(request), jid, muted);
      return { success: true as const, jid, muted };
    },
  );
};
