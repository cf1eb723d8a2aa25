/** Tag `business`: what was ordered. Beyond the documented API. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { MESSAGE_ORDER_FAILURES } from '../../../business/business.ts';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import { DeviceHeaders } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { opaqueInQuery } from '../../request/given.ts';
import { MessageIdParam, MessageQuery, messageName } from '../../request/message.ts';
import { NamedQuery } from '../contacts/named.ts';
import { OrderAnswer, orderAnswer } from './schemas.ts';
import { type BusinessParts, FAILURES, tags, whoseIn } from './whose.ts';

const Answer = Type.Object({ success: Type.Literal(true), order: OrderAnswer });

export const orderRoutes: FastifyPluginAsyncTypebox<BusinessParts> = async (app, { businesses }) => {
  app.get(
    '/orders/:orderId',
    {
      schema: {
        tags,
        headers: DeviceHeaders,
        operationId: 'getOrder',
        summary: 'What was ordered, by the token of the order',
        description:
          'Both stand in `details` of the message that brought the order. `jid` or `number` names the seller, where ' +
          'it is not the account itself. `GET /messages/{id}/order` finds all of it by the message.',
        params: Type.Object({ orderId: Type.String({ maxLength: 100, examples: ['1234567890123456'] }) }),
        querystring: Type.Object({
          ...NamedQuery.properties,
          token: opaqueInQuery({
            maxLength: 1000,
            description: '`details.token` of the message',
            examples: ['AR5v…'],
          }),
        }),
        response: { 200: Answer, ...FAILURES },
      },
    },
    async (request) => {
      const { token } = request.query;
      const { orderId: id } = request.params;
      const order = await businesses.order(whoseIn(request, request.query), { id, token });
      return { success: true as const, order: orderAnswer(order) };
    },
  );

  app.get(
    '/messages/:id/order',
    {
      schema: {
        tags,
        headers: DeviceHeaders,
        operationId: 'getMessageOrder',
        summary: 'What was ordered, by the message that brought it',
        params: Type.Object({ id: MessageIdParam }),
        querystring: MessageQuery,
        response: { 200: Answer, ...failures(...DEVICE_FAILURES, ...MESSAGE_ORDER_FAILURES) },
      },
    },
    async (request) => {
      const order = await businesses.orderOf(request.caller, messageName(request, request.params.id));
      return { success: true as const, order: orderAnswer(order) };
    },
  );
};
