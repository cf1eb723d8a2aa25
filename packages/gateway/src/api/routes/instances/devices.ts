/** The caller's devices: create, list, take offline. */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { rfc3339, rfc3339OrNull } from '../../../clock.ts';
import { isLinked } from '../../../devices/device.ts';
import type { Device, Devices } from '../../../devices/devices.ts';
import { notReadyReason } from '../../../devices/readiness.ts';
import { AppError } from '../../../errors.ts';
import { seesWholeTenant } from '../../../tenancy/visibility.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { failures } from '../../request/failures.ts';
import {
  CreateDeviceBody,
  CreatedDevice,
  DeviceList,
  DevicePath,
  ListQuery,
  MyDevices,
  RemovedAnswer,
  RemoveQuery,
  RenamedDevice,
} from './schemas.ts';

export interface DevicesParts {
  devices: Devices;
  /** The webhook of each device that has one. */
  webhookUrls: { urls(tenantId: string, deviceIds: readonly string[]): Promise<Map<string, string>> };
}

const tags = ['instances'];

/** `/devices` and `/user/devices`. */
export const devicesRoutes: FastifyPluginAsyncTypebox<DevicesParts> = async (
  app,
  { devices, webhookUrls },
) => {
  const deviceObjects = async (list: Device[]) => {
    const tenantId = list[0]?.tenantId;
    const ids = list.map((device) => device.id);
    const urls = tenantId === undefined ? new Map<string, string>() : await webhookUrls.urls(tenantId, ids);
    return list.map((device) => deviceObject(device, urls.get(device.id)));
  };

  app.post(
    '/devices',
    {
      schema: {
        operationId: 'createDevice',
        tags,
        summary: 'Create a device',
        description: 'Registers a connection slot; linking a phone to it is the next step.',
        body: CreateDeviceBody,
        response: { 201: CreatedDevice },
      },
    },
    async (request, reply) => {
      const device = await devices.create(request.caller, { name: request.body.name.trim() });
      reply.code(201);
      return {
        success: true as const,
        message: 'Device created successfully',
        device: deviceObject(device),
        data: { device_id: device.id, name: device.name },
      };
    },
  );

  app.get(
    '/devices',
    {
      schema: {
        operationId: 'listDevices',
        tags,
        summary: 'List devices',
        description:
          "The caller's own devices; admins and managers see the whole tenant's with `scope=tenant`.",
        querystring: ListQuery,
        response: { 200: DeviceList },
      },
    },
    async (request) => {
      const tenantWide = request.query.scope === 'tenant';
      if (tenantWide && !seesWholeTenant(request.caller)) throw new AppError('FORBIDDEN');
      const list = await devices.list(request.caller, tenantWide ? 'visible' : 'own');
      return { success: true as const, devices: await deviceObjects(list) };
    },
  );

  app.get(
    '/user/devices',
    {
      schema: {
        operationId: 'getMyDevices',
        tags,
        summary: "List the caller's devices",
        response: { 200: MyDevices },
      },
    },
    async (request) => {
      const list = await deviceObjects(await devices.list(request.caller));
      return {
        success: true as const,
        data: { devices: list, count: list.length, user_id: request.caller.userId },
      };
    },
  );

  app.post(
    '/devices/:deviceID/rename',
    {
      schema: {
        operationId: 'renameDevice',
        tags,
        summary: 'Rename a device',
        description: 'What it is called here. WhatsApp and the phone know nothing of it.',
        params: DevicePath,
        body: CreateDeviceBody,
        response: { 200: RenamedDevice, ...failures('DEVICE_NOT_FOUND') },
      },
    },
    async (request) => {
      const device = await devices.resolve(request.caller, request.params.deviceID);
      const renamed = await devices.rename(device, request.body.name.trim());
      const [object] = await deviceObjects([renamed]);
      return { success: true as const, device: object ?? deviceObject(renamed) };
    },
  );

  app.delete(
    '/devices/:deviceID',
    {
      schema: {
        operationId: 'disconnectDevice',
        tags,
        summary: 'Disconnect a device',
        description:
          'Closes the connection and marks the device offline. It is neither unlinked nor deleted, unless ' +
          '`remove=true`: then it is unlinked, and goes for good with all that it sent and received. A device ' +
          'that is not connected cannot be unlinked: it goes all the same, `unlinked` is false, and the phone ' +
          'lists it until somebody takes it out there.',
        params: DevicePath,
        querystring: RemoveQuery,
        response: { 200: RemovedAnswer, ...failures('DEVICE_NOT_FOUND', ...SESSION_FAILURES) },
      },
    },
    async (request) => {
      const device = await devices.resolve(request.caller, request.params.deviceID);
      if (request.query.remove === true) {
        const removed = await devices.remove(device);
        return { success: true as const, message: 'Device removed', device_id: device.id, ...removed };
      }
      await devices.disconnect(device);
      return { success: true as const, message: 'Device disconnected' };
    },
  );
};

function deviceObject(device: Device, webhookUrl: string | null = null) {
  return {
    id: device.id,
    device_id: device.id,
    user_id: device.userId,
    name: device.name,
    whatsapp_jid: device.jid,
    connected: device.state === 'connected',
    linked: isLinked(device),
    stray: !isLinked(device) && device.state !== 'pairing',
    reason: notReadyReason(device) ?? device.stateReason,
    status: device.state,
    last_seen: rfc3339OrNull(device.lastSeen),
    webhook_url: webhookUrl,
    created_at: rfc3339(device.createdAt),
    updated_at: rfc3339(device.updatedAt),
  };
}
