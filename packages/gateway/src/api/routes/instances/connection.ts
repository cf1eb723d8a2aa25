/** The connection of a device: its state, opening, closing, unlinking. */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { type Clock, rfc3339, rfc3339OrNull } from '../../../clock.ts';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import { isLinked } from '../../../devices/device.ts';
import type { Device, Devices } from '../../../devices/devices.ts';
import { PASSKEY_HINTS } from '../../../devices/passkey-step.ts';
import { AppError } from '../../../errors.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { type NotReady, notReadyMembers } from '../../../whatsapp/port/not-ready.ts';
import { banMembers } from '../../../whatsapp/port/temporary-ban.ts';
import { DeviceHeaders, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { passkeyMembers } from './passkey-schemas.ts';
import { ConnectData, DeviceSelection, DoneData, LogoutQuery, StatusData } from './schemas.ts';

const tags = ['instances'];

/** `/status`, `/connect`, `/disconnect` and `/logout`. */
export const connectionRoutes: FastifyPluginAsyncTypebox<{ devices: Devices; clock: Clock }> = async (
  app,
  { devices, clock },
) => {
  app.get(
    '/status',
    {
      schema: {
        operationId: 'checkSessionStatus',
        tags,
        summary: 'Connection state',
        description:
          'Answers 200 also when no device is meant: `device_id` is then null, `status` is `new`, and `reason` is ' +
          '`no_device` (you have none), `device_not_found` (none that you may see has this id) or ' +
          '`device_ambiguous` (you have several: say which of `device_ids`).',
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        response: { 200: StatusData },
      },
    },
    async (request) => ({ success: true as const, data: await selectedStatus(devices, clock, request) }),
  );

  app.post(
    '/connect',
    {
      schema: {
        operationId: 'connectSession',
        tags,
        summary: 'Reconnect with the stored credentials',
        description:
          '`needs_qr` is true when the device is not linked (any more). Waits up to 20 s for WhatsApp; after a ' +
          '504 the gateway keeps trying.',
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        body: DeviceSelection,
        response: {
          200: ConnectData,
          ...failures(...DEVICE_FAILURES, 'DEVICE_NOT_READY', 'WHATSAPP_TIMEOUT'),
        },
      },
    },
    async (request) => {
      const target = await devices.resolve(request.caller, selectedDevice(request));
      const { device, needsQr } = await devices.connect(target);
      return {
        success: true as const,
        data: { status: device.state, device_id: device.id, needs_qr: needsQr },
      };
    },
  );

  app.post(
    '/disconnect',
    {
      schema: {
        operationId: 'disconnectSession',
        tags,
        summary: 'Close the connection',
        description: 'Keeps the credentials: `POST /connect` brings the device back without a QR.',
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        body: DeviceSelection,
        response: { 200: DoneData, ...failures(...DEVICE_FAILURES) },
      },
    },
    async (request) => {
      const device = await devices.resolve(request.caller, selectedDevice(request));
      const online = ['connected', 'reconnecting', 'pairing'].includes(device.state);
      if (!online) {
        throw new AppError('DEVICE_NOT_FOUND', { message: 'device not found or not connected' });
      }
      await devices.disconnect(device);
      return {
        success: true as const,
        data: { message: 'device disconnected successfully', device_id: device.id },
      };
    },
  );

  app.post(
    '/logout',
    {
      schema: {
        operationId: 'logoutInstance',
        tags,
        summary: 'Unlink the device',
        description:
          'Removes the companion from the account and forgets its credentials; needs an open connection. With ' +
          '`force` the credentials are forgotten without asking WhatsApp, for a device that cannot connect any ' +
          'more: the phone may still list it.',
        querystring: LogoutQuery,
        headers: DeviceHeaders,
        body: DeviceSelection,
        response: { 200: DoneData, ...failures(...DEVICE_FAILURES, ...SESSION_FAILURES) },
      },
    },
    async (request) => {
      const device = await devices.resolve(request.caller, selectedDevice(request));
      await devices.logout(device, request.query.force === true);
      return {
        success: true as const,
        data: { message: 'device logged out successfully', device_id: device.id },
      };
    },
  );
};

/** Of the device that is meant; why there is none is part of the answer, since who polls it expects a 200. */
async function selectedStatus(devices: Devices, clock: Clock, request: FastifyRequest) {
  let named = true;
  try {
    const deviceId = selectedDevice(request);
    named = deviceId !== undefined;
    const device = await devices.resolve(request.caller, deviceId);
    const current = devices.currentPasskey(device);
    const passkey = current && passkeyMembers(current, clock.now());
    const now = status(device, devices.whyNotReady(device));
    return { ...now, hint: current ? PASSKEY_HINTS[current.step] : now.hint, passkey };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === 'DEVICE_AMBIGUOUS') {
      const own = await devices.list(request.caller);
      return { ...NO_DEVICE, reason: 'device_ambiguous', device_ids: own.map(({ id }) => id) };
    }
    if (error.code !== 'DEVICE_NOT_FOUND') throw error;
    return { ...NO_DEVICE, reason: named ? 'device_not_found' : 'no_device' };
  }
}

const NO_DEVICE = {
  connected: false,
  status: 'new' as const,
  device_id: null,
  jid: null,
  phone_number: null,
  is_logged_in: false,
  last_seen: null,
  since: null,
  lid: null,
  push_name: null,
  state_reason: null,
  hint: null,
  unreachable: null,
  passkey: null,
  limit: null,
  ban: null,
};

function status(device: Device, notReady: NotReady | null) {
  return {
    connected: device.state === 'connected',
    status: device.state,
    device_id: device.id,
    jid: device.jid,
    phone_number: device.phoneNumber,
    is_logged_in: isLinked(device),
    last_seen: rfc3339OrNull(device.lastSeen),
    reason: notReady?.reason ?? device.stateReason,
    state_reason: device.stateReason,
    hint: notReady && notReadyMembers(notReady).hint,
    unreachable: notReady?.unreachable ?? null,
    since: rfc3339(device.stateAt),
    lid: device.lid,
    push_name: device.pushName,
    limit: device.limit && {
      since: rfc3339(device.limit.since),
      until: rfc3339(device.limit.until),
      reason: device.limit.reason,
    },
    ban: device.ban && banMembers(device.ban),
  };
}
