/** Who sees what of the account. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import { invalidField } from '../../../errors.ts';
import type { Privacy, Profiles } from '../../../profile/profile.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { PRIVACY_SETTINGS, type PrivacySetting } from '../../../whatsapp/port/profile.ts';
import { atLeastOne, stated } from '../../description/stated.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { OneOf } from '../../schemas.ts';

const tags = ['instances'];

/** The names that are documented, and WhatsApp's. */
const NAMES = {
  GroupAdd: 'groupadd',
  LastSeen: 'last',
  Status: 'status',
  Profile: 'profile',
  ReadReceipts: 'readreceipts',
  CallAdd: 'calladd',
  Online: 'online',
  Messages: 'messages',
  Defense: 'defense',
  Stickers: 'stickers',
} as const satisfies Record<string, PrivacySetting>;

type Name = keyof typeof NAMES;
const names = Object.keys(NAMES) as Name[];

const MEANING: Record<Name, string> = {
  GroupAdd: 'Who may add the account to groups',
  LastSeen: 'Who sees when it was last online',
  Status: 'Who sees the about text',
  Profile: 'Who sees the picture',
  ReadReceipts: 'Whether others learn what was read',
  CallAdd: 'Who may call',
  Online: 'Who sees that it is online',
  Messages: 'Who may write',
  Defense: 'Protection against unknown senders',
  Stickers: 'Whose stickers are shown',
};

const Told = Type.Object({
  success: Type.Literal(true),
  data: Type.Object(
    Object.fromEntries(
      names.map((name) => [
        name,
        Type.String({
          description: `${MEANING[name]}; empty when WhatsApp does not say`,
          examples: [PRIVACY_SETTINGS[NAMES[name]][0]],
        }),
      ]),
    ) as Record<Name, ReturnType<typeof Type.String>>,
    { title: 'PrivacySettings' },
  ),
});

const values = Object.fromEntries(
  names.map((name) => [
    name,
    Type.Optional(OneOf(PRIVACY_SETTINGS[NAMES[name]] as readonly string[], { description: MEANING[name] })),
  ]),
) as Record<Name, ReturnType<typeof optionalValue>>;

function optionalValue() {
  return Type.Optional(OneOf([] as readonly string[]));
}

const PrivacyBody = stated(
  Type.Object(
    { ...values, device_id: DeviceId },
    { examples: [{ LastSeen: 'contacts', ReadReceipts: 'none' }] },
  ),
  { allOf: [atLeastOne(...names)] },
);

export const privacyRoutes: FastifyPluginAsyncTypebox<{ profiles: Profiles }> = async (app, { profiles }) => {
  app.get(
    '/privacy',
    {
      schema: {
        operationId: 'getPrivacySettings',
        tags,
        summary: 'Privacy settings of the account',
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        response: { 200: Told, ...failures(...DEVICE_FAILURES, ...SESSION_FAILURES) },
      },
    },
    async (request) => told(await profiles.privacy(request.caller, selectedDevice(request))),
  );

  app.put(
    '/privacy',
    {
      schema: {
        operationId: 'setPrivacySettings',
        tags,
        summary: 'Change privacy settings',
        description:
          'What is given is set, one after the other, and all settings are answered. The lists behind ' +
          '`contact_blacklist` and `contact_allowlist` are kept on the phone. When WhatsApp refuses one, `changed` ' +
          'of the error names those that were set before it.',
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        body: PrivacyBody,
        response: { 200: Told, ...failures(...DEVICE_FAILURES, ...SESSION_FAILURES) },
      },
    },
    async (request) => {
      const wanted = wantedOf(request.body);
      return told(await profiles.setPrivacy(request.caller, selectedDevice(request), wanted));
    },
  );
};

function wantedOf(body: Static<typeof PrivacyBody>): [PrivacySetting, string][] {
  const wanted = names.flatMap((name): [PrivacySetting, string][] => {
    const value = body[name];
    return value === undefined ? [] : [[NAMES[name], value]];
  });
  if (wanted.length === 0) throw invalidField('body', `must have one of ${names.join(', ')}`);
  return wanted;
}

function told(settings: Privacy) {
  const data = Object.fromEntries(names.map((name) => [name, settings[NAMES[name]] ?? '']));
  return { success: true as const, data: data as Record<Name, string> };
}
