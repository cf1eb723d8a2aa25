/** Tag `newsletters`: who runs a channel. Beyond the documented API. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { rfc3339OrNull } from '../../../clock.ts';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import { ADMIN_FAILURES, type NewsletterAdmins } from '../../../newsletters/admins.ts';
import { newsletterJid } from '../../../newsletters/newsletters.ts';
import type { Idempotency } from '../../../sending/idempotency.ts';
import type { NewsletterFollower } from '../../../whatsapp/port/newsletters.ts';
import { optionalWords, refusing, stated } from '../../description/stated.ts';
import { DeviceHeaders, DeviceId, DeviceQuery } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { once, SendHeaders } from '../../request/idempotency.ts';
import { ErrorCodeSchema, Jid, Nullable, OneOf, Rfc3339 } from '../../schemas.ts';
import { namesOf, personNames } from '../contacts/person.ts';
import { DeviceBody, FAILURES, NewsletterParams, tags, whose } from './channels.ts';

export interface AdminParts {
  admins: NewsletterAdmins;
  idempotency: Idempotency;
}

const Success = Type.Literal(true);
const USUAL_COUNT = 50;
/** WhatsApp decides how many it tells; the apps ask for 50 (zapo client/newsletter/admin.ts). */
const MOST_FOLLOWERS = 1000;

const Person = Type.Object(personNames, { title: 'PersonNames' });
const Follower = Type.Object(
  {
    ...personNames,
    role: OneOf(['owner', 'admin', 'subscriber', 'guest'] as const),
    name: Nullable(Type.String({ description: 'As they call themselves' })),
    followed_at: Nullable(Rfc3339),
  },
  { title: 'NewsletterFollower' },
);

const PersonText = refusing(
  'what is no phone number and no JID of a person',
  stated(
    Type.String({ maxLength: 200, description: 'Phone number, JID or LID', examples: ['5511999999999'] }),
    { minLength: 1 },
  ),
);
const PersonParams = Type.Object({ ...NewsletterParams.properties, number: PersonText });
const OwnerBody = Type.Object(
  { number: PersonText, device_id: DeviceId },
  { examples: [{ number: '5511999999999' }] },
);
const InviteBody = Type.Object(
  {
    number: PersonText,
    caption: optionalWords(1024, 'What the message to them says'),
    device_id: DeviceId,
  },
  { examples: [{ number: '5511999999999', caption: 'Will you write with us?' }] },
);

const PersonAnswer = Type.Object({ success: Success, newsletter: Jid, person: Person });
const PERSON_FAILURES = failures(...DEVICE_FAILURES, ...ADMIN_FAILURES);

function follower({ role, name, followedAt, ...person }: NewsletterFollower) {
  return { ...namesOf(person), role, name, followed_at: rfc3339OrNull(followedAt) };
}

export const adminRoutes: FastifyPluginAsyncTypebox<AdminParts> = async (app, parts) => {
  await app.register(peopleRoutes, parts);
  await app.register(changeRoutes, parts);
};

const shared = { tags, params: NewsletterParams, querystring: DeviceQuery, headers: DeviceHeaders };

/** Who they are. */
const peopleRoutes: FastifyPluginAsyncTypebox<AdminParts> = async (app, { admins }) => {
  app.get(
    '/newsletters/:jid/followers',
    {
      schema: {
        ...shared,
        operationId: 'listNewsletterFollowers',
        summary: 'Who follows a channel, as far as WhatsApp tells',
        description: 'To its owner and admins, with the owner and admins first. WhatsApp has no pages of it.',
        querystring: Type.Object({
          count: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST_FOLLOWERS, default: USUAL_COUNT })),
          device_id: DeviceId,
        }),
        response: {
          200: Type.Object({
            success: Success,
            newsletter: Jid,
            followers: Type.Array(Follower),
            count: Type.Integer(),
          }),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const newsletter = newsletterJid(request.params.jid);
      const { count = USUAL_COUNT } = request.query;
      const found = await admins.followers(whose(request), newsletter, count);
      const followers = found.map(follower);
      return { success: true as const, newsletter, followers, count: followers.length };
    },
  );

  app.get(
    '/newsletters/:jid/admins',
    {
      schema: {
        ...shared,
        operationId: 'listNewsletterAdmins',
        summary: 'The owner and admins of a channel, and who is invited to be one',
        response: {
          200: Type.Object({
            success: Success,
            newsletter: Jid,
            admins: Type.Array(Follower),
            invited: Nullable(
              Type.Array(Person, { description: 'Null for an admin: WhatsApp tells the owner alone' }),
            ),
          }),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const newsletter = newsletterJid(request.params.jid);
      const found = await admins.list(whose(request), newsletter);
      return {
        success: true as const,
        newsletter,
        admins: found.admins.map(follower),
        invited: found.invited?.map(namesOf) ?? null,
      };
    },
  );
};

/** Who is to be one. */
const changeRoutes: FastifyPluginAsyncTypebox<AdminParts> = async (app, { admins, idempotency }) => {
  app.post(
    '/newsletters/:jid/admins/invites',
    {
      schema: {
        ...shared,
        headers: SendHeaders,
        operationId: 'inviteNewsletterAdmin',
        summary: 'Ask somebody to become an admin of a channel',
        description:
          'WhatsApp keeps the invitation, and a message asks the person, as from the apps. When the message ' +
          'cannot be sent, `invite_sent.error` says why, and the invitation stands. Of the owner alone.',
        body: InviteBody,
        response: {
          200: Type.Object({
            success: Success,
            newsletter: Jid,
            person: Person,
            expires_at: Nullable(Rfc3339),
            invite_sent: Type.Object({
              message_id: Type.Optional(Type.String({ examples: ['3EB0F8A1B2C3D4E5F6'] })),
              error: Type.Optional(ErrorCodeSchema),
            }),
          }),
          ...failures(...DEVICE_FAILURES, ...ADMIN_FAILURES, 'IDEMPOTENCY_CONFLICT'),
        },
      },
    },
    (request, reply) => {
      const newsletter = newsletterJid(request.params.jid);
      return once(idempotency, request, reply, async () => {
        const { person, expiresAt, sent } = await admins.invite(whose(request), newsletter, request.body);
        return {
          success: true as const,
          newsletter,
          person: namesOf(person),
          expires_at: rfc3339OrNull(expiresAt),
          invite_sent: 'messageId' in sent ? { message_id: sent.messageId } : sent,
        };
      });
    },
  );

  app.delete(
    '/newsletters/:jid/admins/invites/:number',
    {
      schema: {
        ...shared,
        operationId: 'revokeNewsletterAdminInvite',
        summary: 'Take such an invitation back',
        params: PersonParams,
        response: { 200: PersonAnswer, ...PERSON_FAILURES },
      },
    },
    async (request) => {
      const newsletter = newsletterJid(request.params.jid);
      const person = await admins.revokeInvite(whose(request), newsletter, request.params.number);
      return { success: true as const, newsletter, person: namesOf(person) };
    },
  );

  app.post(
    '/newsletters/:jid/admins/accept',
    {
      schema: {
        ...shared,
        operationId: 'acceptNewsletterAdminInvite',
        summary: 'Become an admin of a channel, as the account was asked',
        description:
          'The invitation comes as a message of type `newsletter_invite`, whose `details.newsletter_jid` is the channel.',
        body: DeviceBody,
        response: {
          200: Type.Object({ success: Success, newsletter: Jid, role: Type.Literal('admin') }),
          ...FAILURES,
        },
      },
    },
    async (request) => {
      const newsletter = newsletterJid(request.params.jid);
      await admins.accept(whose(request), newsletter);
      return { success: true as const, newsletter, role: 'admin' as const };
    },
  );

  app.delete(
    '/newsletters/:jid/admins/:number',
    {
      schema: {
        ...shared,
        operationId: 'demoteNewsletterAdmin',
        summary: 'Let somebody be an admin no more',
        description: 'They stay a follower. The owner may do it to anybody, an admin to the own account.',
        params: PersonParams,
        response: { 200: PersonAnswer, ...PERSON_FAILURES },
      },
    },
    async (request) => {
      const newsletter = newsletterJid(request.params.jid);
      const person = await admins.demote(whose(request), newsletter, request.params.number);
      return { success: true as const, newsletter, person: namesOf(person) };
    },
  );

  app.put(
    '/newsletters/:jid/owner',
    {
      schema: {
        ...shared,
        operationId: 'changeNewsletterOwner',
        summary: 'Give a channel to one of its admins',
        description: 'The account stays an admin. Only the new owner can give it back.',
        body: OwnerBody,
        response: { 200: PersonAnswer, ...PERSON_FAILURES },
      },
    },
    async (request) => {
      const newsletter = newsletterJid(request.params.jid);
      const person = await admins.changeOwner(whose(request), newsletter, request.body.number);
      return { success: true as const, newsletter, person: namesOf(person) };
    },
  );
};
