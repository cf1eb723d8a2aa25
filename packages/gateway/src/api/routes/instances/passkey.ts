/** The passkey step of linking: what to sign, what was signed, the code to compare. */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Clock } from '../../../clock.ts';
import type { Devices } from '../../../devices/devices.ts';
import {
  PASSKEY_ANSWER_FAILURES,
  PASSKEY_CONFIRM_FAILURES,
  PASSKEY_FAILURES,
} from '../../../devices/passkey.ts';
import type { PasskeyStep } from '../../../devices/passkey-step.ts';
import { failures } from '../../request/failures.ts';
import { PasskeyAssertionBody, PasskeyData, PasskeyProgressData, passkeyMembers } from './passkey-schemas.ts';
import { DevicePath, DoneData } from './schemas.ts';

const tags = ['instances'];

/** `/devices/{deviceID}/passkey`. */
export const passkeyRoutes: FastifyPluginAsyncTypebox<{ devices: Devices; clock: Clock }> = async (
  app,
  { devices, clock },
) => {
  const progress = (deviceId: string, current: PasskeyStep | null) => ({
    success: true as const,
    data: { device_id: deviceId, passkey: current && passkeyMembers(current, clock.now()) },
  });

  app.get(
    '/devices/:deviceID/passkey',
    {
      schema: {
        operationId: 'getDevicePasskey',
        tags,
        summary: 'What a passkey has to sign before the device is linked',
        description:
          'WhatsApp asks it of some accounts, once a phone has scanned the QR or its user has typed the code. Only a ' +
          "browser on https://web.whatsapp.com can sign, with the passkey that the account's owner has made in " +
          'WhatsApp.',
        params: DevicePath,
        response: { 200: PasskeyData, ...failures('DEVICE_NOT_FOUND', ...PASSKEY_FAILURES) },
      },
    },
    async (request) => {
      const device = await devices.resolve(request.caller, request.params.deviceID);
      const current = devices.passkey(device);
      return {
        success: true as const,
        data: {
          device_id: device.id,
          ...passkeyMembers(current, clock.now()),
          request_options: { ...current.options },
        },
      };
    },
  );

  app.post(
    '/devices/:deviceID/passkey',
    {
      schema: {
        operationId: 'answerDevicePasskey',
        tags,
        summary: 'Hand in what the passkey signed',
        description:
          'What cannot be right (another challenge, site or passkey) is refused before WhatsApp hears of it. Within ' +
          '5 minutes of the demand the linking then goes on by itself; later the step `confirm` follows.',
        params: DevicePath,
        body: PasskeyAssertionBody,
        response: {
          200: PasskeyProgressData,
          ...failures('DEVICE_NOT_FOUND', ...PASSKEY_ANSWER_FAILURES),
        },
      },
    },
    async (request) => {
      const device = await devices.resolve(request.caller, request.params.deviceID);
      return progress(device.id, await devices.answerPasskey(device, request.body));
    },
  );

  app.post(
    '/devices/:deviceID/passkey/confirm',
    {
      schema: {
        operationId: 'confirmDevicePasskey',
        tags,
        summary: 'Say that the phone shows the same code',
        description:
          'Needed with `code_required` alone. Whoever confirms a code that differs may link a stranger.',
        params: DevicePath,
        response: {
          200: PasskeyProgressData,
          ...failures('DEVICE_NOT_FOUND', ...PASSKEY_CONFIRM_FAILURES),
        },
      },
    },
    async (request) => {
      const device = await devices.resolve(request.caller, request.params.deviceID);
      return progress(device.id, await devices.confirmPasskey(device));
    },
  );

  app.delete(
    '/devices/:deviceID/passkey',
    {
      schema: {
        operationId: 'giveUpDevicePasskey',
        tags,
        summary: 'Give up a linking that waits for a passkey',
        description: 'The device is `disconnected` then, with the reason `passkey_given_up`: link it anew.',
        params: DevicePath,
        response: { 200: DoneData, ...failures('DEVICE_NOT_FOUND', ...PASSKEY_FAILURES) },
      },
    },
    async (request) => {
      const device = await devices.resolve(request.caller, request.params.deviceID);
      await devices.giveUpPasskey(device);
      return {
        success: true as const,
        data: { message: 'the linking was given up', device_id: device.id },
      };
    },
  );
};
