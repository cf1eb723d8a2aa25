/** Tag `chats`: when the messages of a chat disappear. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { CHAT_CHANGE_FAILURES } from '../../../chats/targets.ts';
import {
  type ChatTimerSettings,
  LONGEST_SECONDS,
  PRESETS,
  type Preset,
  presetOf,
} from '../../../chats/timer-settings.ts';
import { rfc3339 } from '../../../clock.ts';
import { atLeastOne, REFUSED_FURTHER, stated } from '../../description/stated.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { emptyCounts } from '../../request/given.ts';
import { Jid, Nullable, OneOf, Rfc3339 } from '../../schemas.ts';
import { SEND_FAILURES } from '../messages/send-request.ts';
import { ChatPath } from './schemas.ts';

export interface DisappearingParts {
  timers: ChatTimerSettings;
}

const PRESET_NAMES = Object.keys(PRESETS) as Preset[];

export const disappearingRoutes: FastifyPluginAsyncTypebox<DisappearingParts> = async (app, { timers }) => {
  app.put(
    '/chats/:jid/disappearing',
    {
      schema: {
        operationId: 'updateChatDisappearing',
        tags: ['chats'],
        summary: 'Set when the messages of a chat disappear',
        description:
          'For everybody in the chat, and for messages from now on. In a group it may be for admins alone.',
        headers: DeviceHeaders,
        params: ChatPath,
        querystring: DeviceQuery,
        body: stated(
          Type.Object(
            {
              device_id: DeviceId,
              preset: Type.Optional(OneOf(PRESET_NAMES)),
              seconds: Type.Optional(
                emptyCounts(
                  Type.Integer({
                    minimum: 0,
                    maximum: LONGEST_SECONDS,
                    description: '0 is off. The apps know the times of the presets and may ignore others',
                    examples: [604_800],
                  }),
                ),
              ),
            },
            { examples: [{ preset: '7d' }] },
          ),
          {
            allOf: [atLeastOne('preset', 'seconds')],
            [REFUSED_FURTHER]: 'a preset beside other seconds',
          },
        ),
        response: {
          200: Type.Object({
            success: Type.Literal(true),
            chat_jid: Jid,
            preset: Nullable(OneOf(PRESET_NAMES)),
            seconds: Type.Integer(),
            timestamp: Rfc3339,
          }),
          ...failures(...CHAT_CHANGE_FAILURES, ...SEND_FAILURES),
        },
      },
    },
    async (request) => {
      const name = { deviceId: selectedDevice(request), jid: request.params.jid };
      const { preset, seconds: wanted } = request.body;
      const { jid, seconds, at } = await timers.set(request.caller, name, { preset, seconds: wanted });
      return {
        success: true as const,
        chat_jid: jid,
        preset: presetOf(seconds),
        seconds,
        timestamp: rfc3339(at),
      };
    },
  );
};
