/** The state that all devices of the account share, fetched anew. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { STATE_SCOPES, type StateScope, type StateSync } from '../../../contacts/state-sync.ts';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import type { Devices } from '../../../devices/devices.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { OneOf } from '../../schemas.ts';

const SCOPES = Object.keys(STATE_SCOPES) as StateScope[];
/** As documented. */
const USUAL: StateScope[] = ['contacts', 'chats', 'settings'];

const Scope = OneOf(SCOPES);

export interface AppStateParts {
  stateSync: StateSync;
  devices: Devices;
}

/** `POST /appstate/sync`. */
export const appStateRoutes: FastifyPluginAsyncTypebox<AppStateParts> = async (
  app,
  { stateSync, devices },
) => {
  app.post(
    '/appstate/sync',
    {
      schema: {
        operationId: 'appstateSync',
        tags: ['contacts'],
        summary: "Fetch the account's state",
        description:
          'What other devices of the account have changed is told by itself; this asks for it now, and answers when ' +
          'it is applied. With `full` all of it is fetched once more: what is stored here and is not in it any more ' +
          'is forgotten.',
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        body: Type.Object({
          scopes: Type.Optional(
            Type.Array(Scope, {
              maxItems: 20,
              description:
                '`contacts`: saved contacts; `chats`: pins, archive, mute, read marks, stars, labels; `pins`: pins ' +
                'and archive alone; `settings`: settings; `critical`: what devices fetch first, the name of the ' +
                'account and saved contacts. Default: contacts, chats and settings',
              examples: [['contacts', 'chats']],
            }),
          ),
          full: Type.Optional(Type.Boolean({ default: false })),
          device_id: DeviceId,
        }),
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            scopes: Type.Array(Scope),
            full_sync: Type.Boolean(),
          }),
          ...failures(...DEVICE_FAILURES, ...SESSION_FAILURES),
        },
      },
    },
    async (request) => {
      const device = await devices.resolve(request.caller, selectedDevice(request));
      const { scopes = USUAL, full = false } = request.body;
      await stateSync.sync(device, scopes, full);
      return { success: true as const, scopes, full_sync: full };
    },
  );
};
