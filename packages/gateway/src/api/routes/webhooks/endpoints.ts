/** Further endpoints beside the documented one. Beyond the documented API. */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import type { Endpoints } from '../../../webhooks/endpoints.ts';
import { DeviceHeaders, DeviceQuery, OnlyDeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import {
  Done,
  EndpointBody,
  EndpointChange,
  EndpointList,
  endpointObject,
  IdPath,
  inputOf,
  OneEndpoint,
} from './schemas.ts';

const tags = ['webhooks'];

/** `/webhooks`. */
export const endpointsRoutes: FastifyPluginAsyncTypebox<{ endpoints: Endpoints }> = async (
  app,
  { endpoints },
) => {
  app.get(
    '/webhooks',
    {
      schema: {
        operationId: 'listWebhooks',
        tags,
        summary: 'List webhooks',
        description:
          'All endpoints of one device, or of every device you may see; the documented one included.',
        querystring: OnlyDeviceQuery,
        headers: DeviceHeaders,
        response: { 200: EndpointList },
      },
    },
    async (request) => {
      const found = await endpoints.list(request.caller, selectedDevice(request));
      return { success: true as const, webhooks: found.map(endpointObject) };
    },
  );

  app.post(
    '/webhooks',
    {
      schema: {
        operationId: 'createWebhook',
        tags,
        summary: 'Add a webhook',
        description: 'A further endpoint for the device, with its own events, secret and retries.',
        querystring: DeviceQuery,
        headers: DeviceHeaders,
        body: EndpointBody,
        response: { 201: OneEndpoint, ...failures(...DEVICE_FAILURES) },
      },
    },
    async (request, reply) => {
      const webhook = await endpoints.create(request.caller, selectedDevice(request), inputOf(request.body));
      return reply.code(201).send({ success: true as const, webhook: endpointObject(webhook) });
    },
  );

  app.get(
    '/webhooks/:id',
    {
      schema: {
        operationId: 'getWebhookById',
        tags,
        summary: 'Read a webhook',
        params: IdPath,
        response: { 200: OneEndpoint, ...failures('NOT_FOUND') },
      },
    },
    async (request) => ({
      success: true as const,
      webhook: endpointObject(await endpoints.get(request.caller, request.params.id)),
    }),
  );

  app.put(
    '/webhooks/:id',
    {
      schema: {
        operationId: 'updateWebhook',
        tags,
        summary: 'Change a webhook',
        description: 'What is left out stays. With `enabled: true` a paused or gone one is active again.',
        params: IdPath,
        body: EndpointChange,
        response: { 200: OneEndpoint, ...failures('NOT_FOUND') },
      },
    },
    async (request) => ({
      success: true as const,
      webhook: endpointObject(
        await endpoints.update(request.caller, request.params.id, inputOf(request.body)),
      ),
    }),
  );

  app.delete(
    '/webhooks/:id',
    {
      schema: {
        operationId: 'deleteWebhookById',
        tags,
        summary: 'Remove a webhook',
        description: 'With its deliveries.',
        params: IdPath,
        response: { 200: Done, ...failures('NOT_FOUND') },
      },
    },
    async (request) => {
      await endpoints.remove(request.caller, request.params.id);
      return { success: true as const, message: 'Webhook deleted' };
    },
  );
};
