/** Tag `proxy`: the way to WhatsApp. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { rfc3339 } from '../../../clock.ts';
import type { MaskedProxy, Proxies, Rerouted } from '../../../proxies/proxies.ts';
import { DeviceHeaders, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import {
  DevicePath,
  DeviceProxyAnswer,
  DeviceProxyDeleted,
  DeviceProxySet,
  ProxyBody,
  TenantProxyAnswer,
  TenantProxyDeleted,
  TenantProxySet,
  TestAnswer,
  TestBody,
} from './schemas.ts';

export interface ProxyParts {
  proxies: Proxies;
}

const tags = ['proxy'];

export const proxyRoutes: FastifyPluginAsyncTypebox<ProxyParts> = async (app, parts) => {
  await app.register(tenantRoutes, parts);
  await app.register(deviceRoutes, parts);
  await app.register(testRoutes, parts);
};

const tenantRoutes: FastifyPluginAsyncTypebox<ProxyParts> = async (app, { proxies }) => {
  app.get(
    '/proxy',
    {
      schema: {
        operationId: 'getTenantProxy',
        tags,
        summary: 'Get the proxies of the tenant',
        response: { 200: TenantProxyAnswer },
      },
    },
    async (request) => {
      const { tenant, devices } = await proxies.ofTenant(request.caller);
      return {
        success: true as const,
        tenant_proxy: tenant && proxyAnswer(tenant),
        device_overrides: devices.map((each) => ({ device_id: each.deviceId, ...proxyAnswer(each) })),
      };
    },
  );

  app.put(
    '/proxy',
    {
      schema: {
        operationId: 'setTenantProxy',
        tags,
        summary: "Set the tenant's proxy",
        description:
          'For admins and managers. Devices that are online and have no proxy of their own are connected anew in ' +
          'the background, the others take it with their next connection.',
        body: ProxyBody,
        response: { 200: TenantProxySet, ...failures('FORBIDDEN') },
      },
    },
    async (request) => {
      const { proxyUrl, reconnecting } = await proxies.setTenant(request.caller, request.body.proxy_url);
      return {
        success: true as const,
        scope: 'tenant' as const,
        proxy_url: proxyUrl,
        reconnecting_devices: reconnecting,
      };
    },
  );

  app.delete(
    '/proxy',
    {
      schema: {
        operationId: 'deleteTenantProxy',
        tags,
        summary: "Delete the tenant's proxy",
        description: 'For admins and managers. Reconnects as `PUT /proxy` does.',
        response: { 200: TenantProxyDeleted, ...failures('FORBIDDEN') },
      },
    },
    async (request) => {
      const { deleted, reconnecting } = await proxies.deleteTenant(request.caller);
      return {
        success: true as const,
        scope: 'tenant' as const,
        deleted,
        reconnecting_devices: reconnecting,
      };
    },
  );
};

const deviceRoutes: FastifyPluginAsyncTypebox<ProxyParts> = async (app, { proxies }) => {
  app.get(
    '/devices/:deviceID/proxy',
    {
      schema: {
        operationId: 'getDeviceProxy',
        tags,
        summary: 'Get the proxy of a device',
        params: DevicePath,
        response: { 200: DeviceProxyAnswer, ...failures('DEVICE_NOT_FOUND') },
      },
    },
    async (request) => {
      const found = await proxies.ofDevice(request.caller, request.params.deviceID);
      return {
        success: true as const,
        device_id: found.deviceId,
        override: found.override && proxyAnswer(found.override),
        effective: { proxy_url: found.effective.proxyUrl, source: found.effective.source },
      };
    },
  );

  app.put(
    '/devices/:deviceID/proxy',
    {
      schema: {
        operationId: 'setDeviceProxy',
        tags,
        summary: 'Set the proxy of a device',
        description:
          "Goes before the tenant's. A device that is online is connected anew; the answer waits for that, 20 s at " +
          'most. A proxy that fails stays set: the device is never connected without it.',
        params: DevicePath,
        body: ProxyBody,
        response: { 200: DeviceProxySet, ...failures('DEVICE_NOT_FOUND') },
      },
    },
    async (request) => {
      const set = await proxies.setDevice(request.caller, request.params.deviceID, request.body.proxy_url);
      return { success: true as const, scope: 'device' as const, proxy_url: set.proxyUrl, ...rerouted(set) };
    },
  );

  app.delete(
    '/devices/:deviceID/proxy',
    {
      schema: {
        operationId: 'deleteDeviceProxy',
        tags,
        summary: 'Delete the proxy of a device',
        description: "The tenant's takes its place. Reconnects as `PUT` does.",
        params: DevicePath,
        response: { 200: DeviceProxyDeleted, ...failures('DEVICE_NOT_FOUND') },
      },
    },
    async (request) => {
      const done = await proxies.deleteDevice(request.caller, request.params.deviceID);
      return {
        success: true as const,
        scope: 'device' as const,
        deleted: done.deleted,
        ...rerouted(done),
      };
    },
  );
};

const testRoutes: FastifyPluginAsyncTypebox<ProxyParts> = async (app, { proxies }) => {
  app.post(
    '/proxy/test',
    {
      schema: {
        operationId: 'testProxy',
        tags,
        summary: 'Try a proxy',
        description:
          'Asks WhatsApp for a connection through the proxy and closes it: no device is touched. Without ' +
          "`proxy_url` what is set is tried: the device's, or the tenant's when none is named.",
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        body: TestBody,
        response: { 200: TestAnswer, ...failures('DEVICE_NOT_FOUND') },
      },
    },
    async (request) => {
      const trial = await proxies.test(request.caller, {
        url: request.body?.proxy_url,
        deviceId: selectedDevice(request),
      });
      return {
        success: true as const,
        ok: trial.ok,
        proxy_url: trial.proxyUrl,
        took_ms: trial.tookMs,
        unreachable: trial.unreachable,
        hint: trial.hint,
      };
    },
  );
};

function proxyAnswer({ proxyUrl, updatedAt }: MaskedProxy) {
  return { proxy_url: proxyUrl, updated_at: rfc3339(updatedAt) };
}

function rerouted({ id, state, stateReason }: Rerouted) {
  return { device_id: id, reconnect: state, reason: stateReason };
}
