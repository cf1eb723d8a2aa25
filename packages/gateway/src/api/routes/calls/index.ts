/** Tag `calls`: refusing them. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { type Calls, type DeviceCallSettings, LONGEST_MESSAGE } from '../../../calls/calls.ts';
import { rfc3339OrNull } from '../../../clock.ts';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { refusing } from '../../description/stated.ts';
import { DeviceHeaders, DeviceId, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { Nullable, Rfc3339, Uuid } from '../../schemas.ts';

export interface CallsParts {
  calls: Calls;
}

const tags = ['calls'];
const Success = Type.Literal(true);

const RejectBody = Type.Object(
  {
    call_id: Type.String({
      minLength: 1,
      maxLength: 128,
      description: '`call_id` of the event `call.offer`',
      examples: ['5F3A9C0B1D2E4F60718293A4B5C6D7E8'],
    }),
    from: refusing(
      'what is no phone number and no JID of a person',
      Type.String({
        minLength: 1,
        description: 'Who calls, by phone number, JID or LID',
        examples: ['5511999999999@s.whatsapp.net'],
      }),
    ),
    device_id: DeviceId,
  },
  { examples: [{ call_id: '5F3A9C0B1D2E4F60718293A4B5C6D7E8', from: '5511999999999@s.whatsapp.net' }] },
);

const RejectAnswer = Type.Object({
  success: Success,
  call_id: Type.String(),
  device_id: Uuid,
});

const DevicePath = Type.Object({ deviceID: Type.String() });

const SettingsBody = Type.Object(
  {
    reject: Type.Boolean({ description: 'Refuse every call as it comes' }),
    message: Type.Optional(
      Nullable(
        Type.String({
          maxLength: LONGEST_MESSAGE,
          pattern: '\\S',
          description:
            'What the caller is sent, at most once an hour; default nothing. Groups are sent nothing',
          examples: ['We take no calls here: please write.'],
        }),
      ),
    ),
  },
  { examples: [{ reject: true, message: 'We take no calls here: please write.' }] },
);

const SettingsAnswer = Type.Object({
  success: Success,
  device_id: Uuid,
  reject: Type.Boolean(),
  message: Nullable(Type.String()),
  updated_at: Nullable(Rfc3339),
});

export const callsRoutes: FastifyPluginAsyncTypebox<CallsParts> = async (app, parts) => {
  await app.register(rejectRoutes, parts);
  await app.register(settingsRoutes, parts);
};

const rejectRoutes: FastifyPluginAsyncTypebox<CallsParts> = async (app, { calls }) => {
  app.post(
    '/calls/reject',
    {
      schema: {
        operationId: 'rejectCall',
        tags,
        summary: 'Reject a call',
        description:
          'Tells the caller that the account does not take the call. WhatsApp takes it from a linked device ' +
          'without saying whether the call was still ringing, and may let the phone ring on.',
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        body: RejectBody,
        response: {
          200: RejectAnswer,
          ...failures(...DEVICE_FAILURES, 'INVALID_RECIPIENT', 'NOT_ON_WHATSAPP', ...SESSION_FAILURES),
        },
      },
    },
    async (request) => {
      const { call_id: callId, from } = request.body;
      const device = await calls.reject(request.caller, { deviceId: selectedDevice(request), callId, from });
      return { success: true as const, call_id: callId, device_id: device.id };
    },
  );
};

const settingsRoutes: FastifyPluginAsyncTypebox<CallsParts> = async (app, { calls }) => {
  app.get(
    '/devices/:deviceID/calls',
    {
      schema: {
        operationId: 'getCallSettings',
        tags,
        summary: 'What a device does with calls',
        params: DevicePath,
        response: { 200: SettingsAnswer, ...failures('DEVICE_NOT_FOUND') },
      },
    },
    async (request) => answer(await calls.settings(request.caller, request.params.deviceID)),
  );

  app.put(
    '/devices/:deviceID/calls',
    {
      schema: {
        operationId: 'setCallSettings',
        tags,
        summary: 'Refuse calls automatically',
        description:
          'Every call that comes while the device is connected is refused, and its caller is sent the message, if ' +
          'there is one: once an hour, however often it rings. `call.offer` is told all the same.',
        params: DevicePath,
        body: SettingsBody,
        response: { 200: SettingsAnswer, ...failures('DEVICE_NOT_FOUND') },
      },
    },
    async (request) => {
      const { reject, message = null } = request.body;
      return answer(await calls.set(request.caller, request.params.deviceID, { reject, message }));
    },
  );
};

function answer({ deviceId, reject, message, updatedAt }: DeviceCallSettings) {
  return {
    success: true as const,
    device_id: deviceId,
    reject,
    message,
    updated_at: rfc3339OrNull(updatedAt),
  };
}
