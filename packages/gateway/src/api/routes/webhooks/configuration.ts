/** The documented operations: one configuration per device. */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import { AppError } from '../../../errors.ts';
import { EVENT_NAMES } from '../../../events/catalogue/names.ts';
import type { Endpoints } from '../../../webhooks/endpoints.ts';
import { DeviceHeaders, DeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import {
  Configured,
  Done,
  EndpointBody,
  endpointObject,
  inputOf,
  OneEndpoint,
  PendingUrl,
  Url,
} from './schemas.ts';

const tags = ['webhooks'];

/** `/webhook` and `/user/webhook`. */
export const configurationRoutes: FastifyPluginAsyncTypebox<{ endpoints: Endpoints }> = async (
  app,
  { endpoints },
) => {
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
        headers: DeviceHeaders,
        body: EndpointBody,
        response: { 200: Configured, ...failures(...DEVICE_FAILURES) },
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
        webhook: endpointObject(webhook),
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
        headers: DeviceHeaders,
        response: { 200: OneEndpoint, ...failures(...DEVICE_FAILURES, 'NOT_FOUND') },
      },
    },
    async (request) => {
      const webhook = await endpoints.default(request.caller, selectedDevice(request));
      if (webhook === null) throw new AppError('NOT_FOUND', { message: 'no webhook is configured' });
      return { success: true as const, webhook: endpointObject(webhook) };
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
        headers: DeviceHeaders,
        response: { 200: Done, ...failures(...DEVICE_FAILURES) },
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
          { webhook_url: Url },
          { examples: [{ webhook_url: 'https://example.com/hooks/whatsapp' }] },
        ),
        response: { 200: PendingUrl },
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
