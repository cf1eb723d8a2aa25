/** What a device does by itself. Beyond the documented API. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { rfc3339OrNull } from '../../../clock.ts';
import { IGNORABLE, READABLE } from '../../../device-settings/chat-kind.ts';
import type { Settings, SettingsOfDevice } from '../../../device-settings/settings.ts';
import { PRESENCES } from '../../../device-settings/settings-store.ts';
import { failures } from '../../request/failures.ts';
import { emptyCounts } from '../../request/given.ts';
import { Nullable, OneOf, Rfc3339, Uuid } from '../../schemas.ts';
import { DevicePath } from './schemas.ts';

export interface SettingsParts {
  settings: Settings;
}

const tags = ['instances'];

const ignore = (description: string) =>
  Type.Array(OneOf(IGNORABLE), { maxItems: IGNORABLE.length, description, examples: [['status', 'groups']] });
const markRead = (description: string) =>
  Type.Array(OneOf(READABLE), { maxItems: READABLE.length, description, examples: [['people']] });
const ReadReceipts = Type.Boolean({
  description:
    "False: what is read is told to the account's own devices alone. Default true: as its privacy setting says",
});
const Presence = OneOf(PRESENCES, {
  description:
    '`as_asked`: as requests say, and offline otherwise. `online`: always, while it is connected. `offline`: never: ' +
    'what would show it is refused with KEPT_OFFLINE. `daily`: for 20 seconds each day, because accounts that never ' +
    'appear online age badly',
});

const Body = Type.Object(
  {
    ignore: Type.Optional(
      emptyCounts(
        ignore('Chats whose messages are acknowledged and not stored: no event, no webhook, no file'),
      ),
    ),
    mark_read: Type.Optional(
      emptyCounts(markRead('Chats whose messages are marked as read once they are stored')),
    ),
    read_receipts: Type.Optional(ReadReceipts),
    presence: Type.Optional(Presence),
  },
  { examples: [{ ignore: ['status', 'newsletters'], mark_read: ['people'] }] },
);

const Answer = Type.Object({
  success: Type.Literal(true),
  device_id: Uuid,
  ignore: ignore('Chats whose messages are not stored'),
  mark_read: markRead('Chats whose messages are marked as read'),
  read_receipts: ReadReceipts,
  presence: Presence,
  updated_at: Nullable(Rfc3339),
});

export const settingsRoutes: FastifyPluginAsyncTypebox<SettingsParts> = async (app, { settings }) => {
  app.get(
    '/devices/:deviceID/settings',
    {
      schema: {
        operationId: 'getDeviceSettings',
        tags,
        summary: 'What a device does by itself',
        params: DevicePath,
        response: { 200: Answer, ...failures('DEVICE_NOT_FOUND') },
      },
    },
    async (request) => answer(await settings.of(request.caller, request.params.deviceID)),
  );

  app.put(
    '/devices/:deviceID/settings',
    {
      schema: {
        operationId: 'setDeviceSettings',
        tags,
        summary: 'Change what a device does by itself',
        description:
          'Members that are left out stay as they are. In force at once, for what comes from then on.',
        params: DevicePath,
        body: Body,
        response: { 200: Answer, ...failures('DEVICE_NOT_FOUND') },
      },
    },
    async (request) => {
      const { ignore, mark_read: read, read_receipts: showsReading, presence } = request.body;
      const change = {
        ignored: ignore && [...new Set(ignore)],
        read: read && [...new Set(read)],
        showsReading,
        presence,
      };
      return answer(await settings.change(request.caller, request.params.deviceID, change));
    },
  );
};

function answer(settings: SettingsOfDevice): Static<typeof Answer> {
  return {
    success: true as const,
    device_id: settings.deviceId,
    ignore: [...settings.ignored],
    mark_read: [...settings.read],
    read_receipts: settings.showsReading,
    presence: settings.presence,
    updated_at: rfc3339OrNull(settings.updatedAt),
  };
}
