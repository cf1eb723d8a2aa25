/** Tag `business`: what a business says of itself. Beyond the documented API. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { invalidField } from '../../../errors.ts';
import {
  type BusinessChange,
  OPENING_DAYS,
  OPENING_MODES,
  type OpeningHours,
} from '../../../whatsapp/port/business.ts';
import { refusing } from '../../description/stated.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { emptyCounts } from '../../request/given.ts';
import { Nullable, OneOf } from '../../schemas.ts';
import { NamedQuery } from '../contacts/named.ts';
import { namesOf } from '../contacts/person.ts';
import { Owner, ProfileAnswer, profileAnswer } from './schemas.ts';
import { type BusinessParts, FAILURES, tags, whoseIn } from './whose.ts';

/** What WhatsApp takes (developers.facebook.com "Business Profiles": address 256, description 512, email 128, two websites of 256). */
const LONGEST = { address: 256, description: 512, email: 128, website: 256 };
const MOST_WEBSITES = 2;
const MOST_CATEGORIES = 3;
/** Two spans of each day. */
const MOST_SPANS = 14;

const Answer = Type.Object({
  success: Type.Literal(true),
  business: Owner,
  profile: Nullable(Type.Object(ProfileAnswer.properties, { title: 'BusinessDetailsOrNone' })),
});

const text = (most: number, description: string) =>
  Type.Optional(emptyCounts(Type.String({ maxLength: most, description })));

const TIME = /^(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/;
const Time = (description: string) =>
  Type.Optional(refusing('what is no time of a day', Type.String({ maxLength: 5, description })));

const Hours = Type.Object(
  {
    timezone: refusing(
      'what is no name of a time zone',
      Type.String({ maxLength: 64, examples: ['America/Sao_Paulo'] }),
    ),
    days: emptyCounts(
      Type.Array(
        refusing(
          '`specific_hours` without times, or that close before they open',
          Type.Object({
            day: OneOf(OPENING_DAYS),
            mode: OneOf(OPENING_MODES),
            opens_at: Time('`HH:MM`, of `specific_hours`'),
            closes_at: Time('`HH:MM`, up to `24:00`'),
          }),
        ),
        { maxItems: MOST_SPANS, description: 'A day that is not listed is closed' },
      ),
    ),
  },
  { title: 'OpeningHours' },
);

const ChangeBody = refusing(
  'one that changes nothing',
  Type.Object(
    {
      address: text(LONGEST.address, 'Empty takes it off, as of the others'),
      description: text(LONGEST.description, 'What it is about'),
      email: text(LONGEST.email, 'Where to write to'),
      websites: Type.Optional(
        emptyCounts(
          Type.Array(Type.String({ minLength: 1, maxLength: LONGEST.website }), { maxItems: MOST_WEBSITES }),
        ),
      ),
      category_ids: Type.Optional(
        Type.Array(Type.String({ minLength: 1, maxLength: 40 }), {
          minItems: 1,
          maxItems: MOST_CATEGORIES,
          description: "WhatsApp's ids, as `profile.categories` of businesses has them",
        }),
      ),
      hours: Type.Optional(Hours),
      device_id: DeviceId,
    },
    {
      examples: [
        {
          description: 'Hats since 1906',
          websites: ['https://hats.example'],
          hours: {
            timezone: 'America/Sao_Paulo',
            days: [{ day: 'mon', mode: 'specific_hours', opens_at: '09:00', closes_at: '18:00' }],
          },
        },
      ],
    },
  ),
);

export const businessProfileRoutes: FastifyPluginAsyncTypebox<BusinessParts> = async (
  app,
  { businesses },
) => {
  app.get(
    '/business/profile',
    {
      schema: {
        tags,
        headers: DeviceHeaders,
        operationId: 'getBusinessProfile',
        summary: 'What a business says of itself',
        description:
          'Of the one that `jid` or `number` names, or of the account. `profile` is null for who is no business.',
        querystring: NamedQuery,
        response: { 200: Answer, ...FAILURES },
      },
    },
    async (request) => {
      const { owner, found } = await businesses.profile(whoseIn(request, request.query));
      return {
        success: true as const,
        business: namesOf(owner),
        profile: found && profileAnswer(found),
      };
    },
  );

  app.put(
    '/business/profile',
    {
      schema: {
        tags,
        headers: DeviceHeaders,
        operationId: 'updateBusinessProfile',
        summary: 'Change what the account says of itself as a business',
        description:
          'What is left out stays as it is. WhatsApp refuses it of an account that is no business (422).',
        querystring: DeviceQuery,
        body: ChangeBody,
        response: { 200: Answer, ...FAILURES },
      },
    },
    async (request) => {
      const change = changeIn(request.body);
      if (Object.keys(change).length === 0) {
        const members = 'address, description, email, websites, category_ids, hours';
        throw invalidField('body', `must have one of ${members}`);
      }
      const deviceId = selectedDevice(request);
      const { owner, found } = await businesses.change({ caller: request.caller, deviceId }, change);
      return {
        success: true as const,
        business: namesOf(owner),
        profile: found && profileAnswer(found),
      };
    },
  );
};

function changeIn(body: Static<typeof ChangeBody>): BusinessChange {
  const { address, description, email, websites, category_ids: categoryIds, hours } = body;
  return {
    ...(address === undefined ? {} : { address }),
    ...(description === undefined ? {} : { description }),
    ...(email === undefined ? {} : { email }),
    ...(websites === undefined ? {} : { websites }),
    ...(categoryIds === undefined ? {} : { categoryIds }),
    ...(hours === undefined ? {} : { hours: openingHours(hours) }),
  };
}

function openingHours({ timezone, days }: Static<typeof Hours>): NonNullable<BusinessChange['hours']> {
  if (!isTimeZone(timezone)) {
    throw invalidField(
      'hours.timezone',
      'must be the name of a time zone, such as America/Sao_Paulo',
      timezone,
    );
  }
  return {
    timezone,
    days: days.map(({ day, mode, opens_at, closes_at }, index): OpeningHours => {
      if (mode !== 'specific_hours') return { day, mode };
      const open = minutes(`hours.days.${index}.opens_at`, opens_at);
      const close = minutes(`hours.days.${index}.closes_at`, closes_at);
      if (close > open) return { day, mode, open, close };
      throw invalidField(`hours.days.${index}.closes_at`, 'must be after opens_at', closes_at);
    }),
  };
}

function minutes(field: string, time: string | undefined): number {
  const match = time === undefined ? null : TIME.exec(time);
  if (!match) throw invalidField(field, 'must be a time of a day, HH:MM', time);
  return match[1] === undefined ? 24 * 60 : Number(match[1]) * 60 + Number(match[2]);
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
