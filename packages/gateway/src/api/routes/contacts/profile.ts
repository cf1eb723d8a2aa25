/** What a person shows of themselves. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { rfc3339, rfc3339OrNull } from '../../../clock.ts';
import type { ContactProfiles } from '../../../contacts/profiles.ts';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import type { Devices } from '../../../devices/devices.ts';
import { canonicalJid } from '../../../identity/jid.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import type { BusinessProfile, VerifiedName } from '../../../whatsapp/port/contacts.ts';
import { DeviceHeaders, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { Jid, Nullable, Rfc3339 } from '../../schemas.ts';
import { NamedQuery } from './named.ts';
import { namesOf, personNames } from './person.ts';

const Text = Type.String();

/** As whatsmeow's struct is written as JSON: the documented answer shows it so. */
const VerifiedNameShape = Type.Object(
  {
    Certificate: Type.Object({
      details: Type.String({ contentEncoding: 'base64' }),
      signature: Nullable(Type.String({ contentEncoding: 'base64' })),
      serverSignature: Nullable(Type.String({ contentEncoding: 'base64' })),
    }),
    Details: Type.Object({
      serial: Nullable(Text),
      issuer: Nullable(Text),
      verifiedName: Nullable(Text),
      issueTime: Nullable(Type.Number({ description: 'Seconds since the epoch' })),
    }),
    VerifiedLevel: Type.String({ description: "WhatsApp's word: `unknown`, `low` or `high`" }),
    Version: Type.Integer(),
    HostStorage: Type.Integer(),
    ActualActors: Type.Integer(),
    PrivacyModeTS: Nullable(Rfc3339),
  },
  { title: 'VerifiedName' },
);

const BusinessShape = Type.Object(
  {
    JID: Jid,
    Address: Text,
    Email: Text,
    Description: Text,
    Websites: Type.Array(Text),
    Categories: Type.Array(Type.Object({ ID: Text, Name: Text })),
    ProfileOptions: Type.Record(Text, Text),
    BusinessHoursTimeZone: Text,
    BusinessHours: Type.Array(
      Type.Object({
        DayOfWeek: Type.String({ description: '`sun` to `sat`' }),
        Mode: Type.String({ description: '`specific_hours`, `open_24h` or `appointment_only`' }),
        OpenTime: Type.String({ description: 'Minutes since midnight, of `specific_hours`' }),
        CloseTime: Text,
      }),
    ),
  },
  { title: 'BusinessProfile' },
);

const Answer = Type.Object({
  success: Type.Literal(true),
  data: Type.Object({
    ...personNames,
    jid: Jid,
    user_info: Type.Object({
      Status: Type.String({ description: 'The about text; empty when it is not shown' }),
      PictureID: Type.String({ description: 'Empty when there is none, or it is not shown' }),
      Devices: Type.Array(Text),
      LID: Text,
      VerifiedName: Nullable(VerifiedNameShape),
    }),
    business_profile: Nullable(BusinessShape),
    about: Nullable(Text),
    about_set_at: Nullable(Rfc3339),
    verified_name: Nullable(Type.String({ description: 'The name of a business' })),
  }),
});

export interface ProfileParts {
  profiles: ContactProfiles;
  devices: Devices;
}

/** `GET /contacts/profile`. */
export const profileRoutes: FastifyPluginAsyncTypebox<ProfileParts> = async (app, { profiles, devices }) => {
  app.get(
    '/contacts/profile',
    {
      schema: {
        operationId: 'getContactProfile',
        tags: ['contacts'],
        summary: 'What a person or business shows',
        description:
          'About text, picture id, devices and, of a business, its name and profile: asked of WhatsApp now. What ' +
          'the person does not show to this account is empty.',
        querystring: NamedQuery,
        headers: DeviceHeaders,
        response: {
          200: Answer,
          ...failures(...DEVICE_FAILURES, ...SESSION_FAILURES, 'INVALID_RECIPIENT', 'NOT_ON_WHATSAPP'),
        },
      },
    },
    async (request) => {
      const device = await devices.resolve(request.caller, selectedDevice(request));
      const { person, profile } = await profiles.profile(device, request.query);
      return {
        success: true as const,
        data: {
          ...namesOf(person),
          jid: canonicalJid(person) ?? '',
          user_info: {
            Status: profile.about ?? '',
            PictureID: profile.pictureId ?? '',
            Devices: profile.devices,
            LID: person.lid ?? '',
            VerifiedName: profile.verifiedName && verifiedName(profile.verifiedName),
          },
          business_profile: profile.business && business(profile.business),
          about: profile.about,
          about_set_at: rfc3339OrNull(profile.aboutSetAt),
          verified_name: profile.verifiedName?.name ?? null,
        },
      };
    },
  );
};

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

function verifiedName(name: VerifiedName) {
  return {
    Certificate: {
      details: base64(name.details),
      signature: name.signature && base64(name.signature),
      serverSignature: name.serverSignature && base64(name.serverSignature),
    },
    Details: {
      serial: name.serial,
      issuer: name.issuer,
      verifiedName: name.name,
      issueTime: name.issuedAt,
    },
    VerifiedLevel: name.level,
    Version: name.version,
    HostStorage: name.hostStorage,
    ActualActors: name.actualActors,
    PrivacyModeTS: name.privacyModeAt === null ? null : rfc3339(name.privacyModeAt),
  };
}

function business(profile: BusinessProfile) {
  return {
    JID: profile.jid ?? '',
    Address: profile.address,
    Email: profile.email,
    Description: profile.description,
    Websites: profile.websites,
    Categories: profile.categories.map(({ id, name }) => ({ ID: id, Name: name })),
    ProfileOptions: profile.options,
    BusinessHoursTimeZone: profile.timezone,
    BusinessHours: profile.hours.map(({ day, mode, open, close }) => ({
      DayOfWeek: day,
      Mode: mode,
      OpenTime: open,
      CloseTime: close,
    })),
  };
}
