/** The log of deliveries, and delivering one again. Beyond the documented API. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { DELIVERY_STATES, type Deliveries } from '../../../webhooks/deliveries.ts';
import { Envelope } from '../../event-schemas.ts';
import { DeviceHeaders, OnlyDevice, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { nextPage, pageQuery } from '../../request/page.ts';
import { milliseconds, OneOf, Rfc3339 } from '../../schemas.ts';
import {
  AttemptObject,
  attemptObject,
  DeliveryObject,
  deliveryObject,
  Event,
  IdPath,
  Success,
} from './schemas.ts';

const tags = ['webhooks'];

/** `/webhook/deliveries`. */
export const deliveriesRoutes: FastifyPluginAsyncTypebox<{ deliveries: Deliveries }> = async (
  app,
  { deliveries },
) => {
  app.get(
    '/webhook/deliveries',
    {
      schema: {
        operationId: 'listWebhookDeliveries',
        tags,
        summary: 'List deliveries',
        description:
          'Newest first. Admins and managers see those of the whole tenant, users those of their devices.',
        headers: DeviceHeaders,
        querystring: Type.Object({
          device_id: OnlyDevice,
          endpoint_id: Type.Optional(Type.String()),
          state: Type.Optional(OneOf(DELIVERY_STATES)),
          event: Type.Optional(Event),
          from: Type.Optional(Rfc3339),
          to: Type.Optional(Rfc3339),
          ...pageQuery({ usual: 50, most: 200 }),
        }),
        response: {
          200: Type.Object({
            success: Success,
            deliveries: Type.Array(DeliveryObject),
            ...nextPage,
          }),
        },
      },
    },
    async (request) => {
      const { endpoint_id, state, event, from, to, cursor, limit = 50 } = request.query;
      const page = await deliveries.list(request.caller, {
        deviceId: selectedDevice(request),
        endpointId: endpoint_id,
        state,
        event,
        fromMs: milliseconds(from),
        toMs: milliseconds(to),
        cursor,
        limit,
      });
      return {
        success: true as const,
        deliveries: page.deliveries.map(deliveryObject),
        next_cursor: page.nextCursor,
      };
    },
  );

  app.get(
    '/webhook/deliveries/:id',
    {
      schema: {
        operationId: 'getWebhookDelivery',
        tags,
        summary: 'Read a delivery with its attempts',
        params: IdPath,
        response: {
          200: Type.Object({
            success: Success,
            delivery: DeliveryObject,
            attempts: Type.Array(AttemptObject),
            payload: Envelope,
          }),
          ...failures('NOT_FOUND'),
        },
      },
    },
    async (request) => {
      const { delivery, attempts, payload } = await deliveries.get(request.caller, request.params.id);
      return {
        success: true as const,
        delivery: deliveryObject(delivery),
        attempts: attempts.map(attemptObject),
        payload,
      };
    },
  );

  app.post(
    '/webhook/deliveries/:id/redeliver',
    {
      schema: {
        operationId: 'redeliverWebhook',
        tags,
        summary: 'Deliver an event once more',
        description:
          'A new delivery with the same event id, in the order of its chat. One that waits for its next attempt ' +
          'is made due now instead.',
        params: IdPath,
        response: {
          202: Type.Object({ success: Success, delivery: DeliveryObject }),
          ...failures('NOT_FOUND'),
        },
      },
    },
    async (request, reply) => {
      const delivery = await deliveries.redeliver(request.caller, request.params.id);
      return reply.code(202).send({ success: true as const, delivery: deliveryObject(delivery) });
    },
  );
};
