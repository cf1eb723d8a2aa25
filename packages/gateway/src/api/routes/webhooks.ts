/** Tag "webhooks": where the events of a device are pushed. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { AppError } from '../../errors.ts';
import { EVENT_NAMES } from '../../events/names.ts';
import type { Endpoints } from '../../webhooks/endpoints.ts';
import { errorResponses } from '../schemas.ts';
import {
  Configured,
  DeviceFilter,
  DeviceHeader,
  DeviceQuery,
  Done,
  EndpointBody,
  EndpointChange,
  EndpointList,
  IdPath,
  inputOf,
  OneEndpoint,
  PendingUrl,
  selectedDevice,
  shownEndpoint,
} from './webhooks-schemas.ts';

const tags = ['webhooks'];

/** `/webhook`, `/user/webhook` and `/webhooks`. */
export const webhooksRoutes: FastifyPluginAsyncTypebox<{ endpoints: Endpoints }> = async (app, parts) => {
  await app.register(singleRoutes, parts);
  await app.register(manyRoutes, parts);
};

/** The documented operations: one configuration per device. */
const singleRoutes: FastifyPluginAsyncTypebox<{ endpoints: Endpoints }> = async (app, { endpoints }) => {
  app.post(
    '/webhook',
    {
      schema: {
        operationId: 'configureWebhook',
        tags,
        summary: "Configure a device's webhook",
        description:
          'Creates or changes the single configuration of the device; it applies at once. On a change, `secret`, ' +
          '`headers`, `retry_attempts` and `timeout` stay as they are when left out. A paused webhook is active ' +
          'again, and what waited for it is delivered.',
        querystring: DeviceQuery,
        headers: DeviceHeader,
        body: EndpointBody,
        response: { 200: Configured, ...errorResponses('400', '401', '404') },
      },
    },
    async (request) => {
      const webhook = await endpoints.configure(
        request.caller,
        selectedDevice(request),
        inputOf(request.body),
      );
      return {
        success: true as const,
        message: 'Webhook configured successfully',
        webhook: shownEndpoint(webhook),
      };
    },
  );

  app.get(
    '/webhook',
    {
      schema: {
        operationId: 'getWebhook',
        tags,
        summary: "Read a device's webhook",
        querystring: DeviceQuery,
        headers: DeviceHeader,
        response: { 200: OneEndpoint, ...errorResponses('400', '401', '404') },
      },
    },
    async (request) => {
      const webhook = await endpoints.default(request.caller, selectedDevice(request));
      if (webhook === null) throw new AppError('NOT_FOUND', { message: 'no webhook is configured' });
      return { success: true as const, webhook: shownEndpoint(webhook) };
    },
  );

  app.delete(
    '/webhook',
    {
      schema: {
        operationId: 'deleteWebhook',
        tags,
        summary: "Remove a device's webhook",
        description:
          'Deliveries stop, and those that are pending are dropped. Nothing to remove is no error.',
        querystring: DeviceQuery,
        headers: DeviceHeader,
        response: { 200: Done, ...errorResponses('400', '401', '404') },
      },
    },
    async (request) => {
      await endpoints.removeDefault(request.caller, selectedDevice(request));
      return { success: true as const, message: 'Webhook configuration deleted successfully' };
    },
  );

  app.post(
    '/user/webhook',
    {
      schema: {
        operationId: 'setUserWebhookURL',
        tags,
        summary: 'Set the webhook of your next devices',
        description:
          'Applied, with all events, when a device of yours connects for the first time and has no webhook yet.',
        body: Type.Object(
          { webhook_url: Type.String({ minLength: 1 }) },
          { examples: [{ webhook_url: 'https://example.com/hooks/whatsapp' }] },
        ),
        response: { 200: PendingUrl, ...errorResponses('400', '401') },
      },
    },
    async (request) => {
      const url = await endpoints.setPendingUrl(request.caller, request.body.webhook_url);
      return {
        success: true as const,
        message:
          'Webhook URL configured. It will be automatically applied to new devices with ALL available events',
        data: {
          webhook_url: url,
          available_events: [...EVENT_NAMES],
          events_count: EVENT_NAMES.length,
        },
      };
    },
  );
};

/** Ours: further endpoints beside the documented one. */
const manyRoutes: FastifyPluginAsyncTypebox<{ endpoints: Endpoints }> = async (app, { endpoints }) => {
  app.get(
    '/webhooks',
    {
      schema: {
        operationId: 'listWebhooks',
        tags,
        summary: 'List webhooks',
        description:
          'All endpoints of one device, or of every device you may see; the documented one included.',
        querystring: DeviceFilter,
        headers: DeviceHeader,
        response: { 200: EndpointList, ...errorResponses('401', '404') },
      },
    },
    async (request) => {
      const found = await endpoints.list(request.caller, selectedDevice(request));
      return { success: true as const, webhooks: found.map(shownEndpoint) };
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
        headers: DeviceHeader,
        body: EndpointBody,
        response: { 201: OneEndpoint, ...errorResponses('400', '401', '404') },
      },
    },
    async (request, reply) => {
      const webhook = await endpoints.create(request.caller, selectedDevice(request), inputOf(request.body));
      return reply.code(201).send({ success: true as const, webhook: shownEndpoint(webhook) });
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
        response: { 200: OneEndpoint, ...errorResponses('401', '404') },
      },
    },
    async (request) => ({
      success: true as const,
      webhook: shownEndpoint(await endpoints.get(request.caller, request.params.id)),
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
        response: { 200: OneEndpoint, ...errorResponses('400', '401', '404') },
      },
    },
    async (request) => ({
      success: true as const,
      webhook: shownEndpoint(
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
        response: { 200: Done, ...errorResponses('401', '404') },
      },
    },
    async (request) => {
      await endpoints.remove(request.caller, request.params.id);
      return { success: true as const, message: 'Webhook deleted' };
    },
  );
};
