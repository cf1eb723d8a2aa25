/** Tag "instances": devices, pairing, connection state. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import type { Clock } from '../../clock.ts';
import { isLinked } from '../../devices/device.ts';
import type { Device, Devices } from '../../devices/devices.ts';
import { AppError, invalidField } from '../../errors.ts';
import { errorResponses, rfc3339, rfc3339OrNull } from '../schemas.ts';
import {
  ConnectData,
  CreateDeviceBody,
  CreatedDevice,
  DeviceHeader,
  DeviceList,
  DevicePath,
  DeviceQuery,
  DeviceSelection,
  DoneData,
  freshQr,
  ListQuery,
  LogoutQuery,
  MessageAnswer,
  MyDevices,
  PairCodeBody,
  PairCodeData,
  QrData,
  QrQuery,
  QrStatusData,
  RefreshQuery,
  StatusData,
} from './instances-schemas.ts';

export interface InstancesDeps {
  devices: Devices;
  clock: Clock;
  /** The webhook of each device that has one. */
  webhookUrls: { urls(tenantId: string, deviceIds: readonly string[]): Promise<Map<string, string>> };
}

const PAIR_INSTRUCTIONS =
  'No celular, abra o WhatsApp > Configurações > Dispositivos conectados > Conectar dispositivo > ' +
  'Conectar com número de telefone e digite este código.';

/** The operations on a caller's linked devices. */
export const instancesRoutes: FastifyPluginAsyncTypebox<InstancesDeps> = async (app, deps) => {
  const { devices, clock, webhookUrls } = deps;
  const tags = ['instances'];
  const shownAll = async (list: Device[]) => {
    const tenantId = list[0]?.tenantId;
    const ids = list.map((device) => device.id);
    const urls = tenantId === undefined ? new Map<string, string>() : await webhookUrls.urls(tenantId, ids);
    return list.map((device) => shown(device, urls.get(device.id)));
  };
  const secondsUntil = (at: number) => Math.max(0, Math.ceil((at - clock.now()) / 1000));

  app.post(
    '/devices',
    {
      schema: {
        operationId: 'createDevice',
        tags,
        summary: 'Create a device',
        description: 'Registers a connection slot; linking a phone to it is the next step.',
        body: CreateDeviceBody,
        response: { 201: CreatedDevice, ...errorResponses('400', '401') },
      },
    },
    async (request, reply) => {
      const device = await devices.create(request.caller, { name: request.body.name.trim() });
      reply.code(201);
      return {
        success: true as const,
        message: 'Device created successfully',
        device: shown(device),
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
        response: { 200: DeviceList, ...errorResponses('400', '401', '403') },
      },
    },
    async (request) => {
      const tenantWide = request.query.scope === 'tenant';
      if (tenantWide && request.caller.role === 'user') throw new AppError('FORBIDDEN');
      const list = await devices.list(request.caller, tenantWide ? 'visible' : 'own');
      return { success: true as const, devices: await shownAll(list) };
    },
  );

  app.get(
    '/user/devices',
    {
      schema: {
        operationId: 'getMyDevices',
        tags,
        summary: "List the caller's devices",
        response: { 200: MyDevices, ...errorResponses('401') },
      },
    },
    async (request) => {
      const list = await shownAll(await devices.list(request.caller));
      return {
        success: true as const,
        data: { devices: list, count: list.length, user_id: request.caller.userId },
      };
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
          'Closes the connection and marks the device offline. It is neither unlinked nor deleted.',
        params: DevicePath,
        response: { 200: MessageAnswer, ...errorResponses('401', '404') },
      },
    },
    async (request) => {
      await devices.disconnect(await devices.resolve(request.caller, request.params.deviceID));
      return { success: true as const, message: 'Device disconnected' };
    },
  );

  app.get(
    '/qr',
    {
      schema: {
        operationId: 'generateSessionQrCode',
        tags,
        summary: 'Get a pairing QR code',
        description:
          'Starts connecting in the background and answers with the QR to scan, which may be polled. A caller ' +
          'without a device gets a new one.',
        querystring: QrQuery,
        headers: DeviceHeader,
        response: { 200: QrData, ...errorResponses('400', '401', '404', '408', '409', '503') },
      },
    },
    async (request) => {
      const device = await devices.resolveForPairing(request.caller, selected(request));
      const qr = await devices.qr(device, freshQr(request.query));
      return {
        success: true as const,
        data: {
          qr_code: qr.code,
          image: qr.image,
          cached: qr.cached,
          expires_at: rfc3339(qr.expiresAt),
          ttl: secondsUntil(qr.expiresAt),
          device_id: device.id,
        },
      };
    },
  );

  app.get(
    '/qr/status',
    {
      schema: {
        operationId: 'getSessionQrStatus',
        tags,
        summary: 'Is a QR code waiting to be scanned',
        querystring: DeviceQuery,
        headers: DeviceHeader,
        response: { 200: QrStatusData, ...errorResponses('400', '401', '404') },
      },
    },
    async (request) => {
      const deviceId = selected(request);
      if (deviceId === undefined) {
        const { detail } = invalidField('device_id', 'is required');
        throw new AppError('VALIDATION_ERROR', { ...detail, message: 'device_id is required' });
      }
      const qr = devices.currentQr(await devices.resolve(request.caller, deviceId));
      if (qr === null) return { success: true as const, data: { exists: false } };
      return {
        success: true as const,
        data: {
          exists: true,
          generated_at: rfc3339(qr.generatedAt),
          expires_at: rfc3339(qr.expiresAt),
        },
      };
    },
  );

  app.post(
    '/paircode',
    {
      schema: {
        operationId: 'generateSessionPairCode',
        tags,
        summary: 'Get a pairing code',
        description:
          'A code that the user types on the phone with this number, instead of scanning a QR. The same code is ' +
          'given again while it is valid. A caller without a device gets a new one.',
        querystring: RefreshQuery,
        headers: DeviceHeader,
        body: PairCodeBody,
        response: { 200: PairCodeData, ...errorResponses('400', '401', '404', '409', '503', '504') },
      },
    },
    async (request) => {
      const { phone, reuse_cache: reuse } = request.body;
      devices.checkPhone(phone);
      const device = await devices.resolveForPairing(request.caller, selected(request));
      const fresh = freshQr({ ...request.query, ...(reuse !== undefined && { reuse_cache: reuse }) });
      const answer = await devices.pairCode(device, phone, fresh);
      return {
        success: true as const,
        data: {
          code: answer.code,
          phone: answer.phone,
          expires_in: secondsUntil(answer.expiresAt),
          cached: answer.cached,
          instructions: PAIR_INSTRUCTIONS,
          device_id: device.id,
        },
      };
    },
  );

  app.get(
    '/status',
    {
      schema: {
        operationId: 'checkSessionStatus',
        tags,
        summary: 'Connection state',
        description:
          'Answers 200 also for a caller who has no device yet: `device_id` is then null and `status` is `new`.',
        querystring: DeviceQuery,
        headers: DeviceHeader,
        response: { 200: StatusData, ...errorResponses('400', '401', '404') },
      },
    },
    async (request) => {
      const device = await selectedOrNone(devices, request);
      return { success: true as const, data: device === null ? NO_DEVICE : status(device) };
    },
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
        headers: DeviceHeader,
        body: DeviceSelection,
        response: { 200: ConnectData, ...errorResponses('400', '401', '404', '503', '504') },
      },
    },
    async (request) => {
      const target = await devices.resolve(request.caller, selected(request));
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
        headers: DeviceHeader,
        body: DeviceSelection,
        response: { 200: DoneData, ...errorResponses('400', '401', '404') },
      },
    },
    async (request) => {
      const device = await devices.resolve(request.caller, selected(request));
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
        headers: DeviceHeader,
        body: DeviceSelection,
        response: { 200: DoneData, ...errorResponses('400', '401', '404', '503', '504') },
      },
    },
    async (request) => {
      const device = await devices.resolve(request.caller, selected(request));
      await devices.logout(device, request.query.force === true);
      return {
        success: true as const,
        data: { message: 'device logged out successfully', device_id: device.id },
      };
    },
  );
};

/** The device the request names: query, then body, then header `X-Device-Id`. An empty text names none. */
function selected(request: FastifyRequest): string | undefined {
  const query = request.query as { device_id?: string };
  const body = (request.body ?? {}) as { device_id?: string };
  const header = request.headers['x-device-id'];
  return query.device_id || body.device_id || (typeof header === 'string' && header) || undefined;
}

async function selectedOrNone(devices: Devices, request: FastifyRequest): Promise<Device | null> {
  const deviceId = selected(request);
  try {
    return await devices.resolve(request.caller, deviceId);
  } catch (error) {
    const none = deviceId === undefined && error instanceof AppError && error.code === 'DEVICE_NOT_FOUND';
    if (none) return null;
    throw error;
  }
}

function shown(device: Device, webhookUrl: string | null = null) {
  return {
    id: device.id,
    device_id: device.id,
    user_id: device.userId,
    name: device.name,
    whatsapp_jid: device.jid,
    connected: device.state === 'connected',
    status: device.state,
    last_seen: rfc3339OrNull(device.lastSeen),
    webhook_url: webhookUrl,
    created_at: rfc3339(device.createdAt),
    updated_at: rfc3339(device.updatedAt),
  };
}

const NO_DEVICE = {
  connected: false,
  status: 'new' as const,
  device_id: null,
  jid: null,
  phone_number: null,
  is_logged_in: false,
  last_seen: null,
  reason: null,
  since: null,
  lid: null,
  push_name: null,
  limit: null,
};

function status(device: Device) {
  return {
    connected: device.state === 'connected',
    status: device.state,
    device_id: device.id,
    jid: device.jid,
    phone_number: device.phoneNumber,
    is_logged_in: isLinked(device),
    last_seen: rfc3339OrNull(device.lastSeen),
    reason: device.stateReason,
    since: rfc3339(device.stateAt),
    lid: device.lid,
    push_name: device.pushName,
    limit: device.limit && {
      since: rfc3339(device.limit.since),
      until: rfc3339(device.limit.until),
      reason: device.limit.reason,
    },
  };
}
