/** Tag `webhooks`: where events are pushed, what was delivered, and sending it again. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Deliveries } from '../../../webhooks/deliveries.ts';
import type { Endpoints } from '../../../webhooks/endpoints.ts';
import { configurationRoutes } from './configuration.ts';
import { deliveriesRoutes } from './deliveries.ts';
import { endpointsRoutes } from './endpoints.ts';
import { eventNamesRoutes } from './event-names.ts';
import { type SendingAgainParts, sendingAgainRoutes } from './sending-again.ts';

export interface WebhooksParts extends SendingAgainParts {
  endpoints: Endpoints;
  deliveries: Deliveries;
}

export const webhooksRoutes: FastifyPluginAsyncTypebox<WebhooksParts> = async (app, parts) => {
  await app.register(configurationRoutes, parts);
  await app.register(endpointsRoutes, parts);
  await app.register(deliveriesRoutes, parts);
  await app.register(sendingAgainRoutes, parts);
  await app.register(eventNamesRoutes);
};
