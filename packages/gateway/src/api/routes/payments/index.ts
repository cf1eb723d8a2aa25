/** Tag `payments`: asking for money, and the answers to it. They are messages; no money moves. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import {
  paymentCancelContent,
  paymentDeclineContent,
  paymentNotificationContent,
  paymentRequestContent,
} from '../../../sending/content/payment.ts';
import { refusing } from '../../description/stated.ts';
import { messageIdText } from '../../request/message.ts';
import { acceptMultipart } from '../../request/multipart.ts';
import { caption, given, type SendParts, sendRoute } from '../messages/send-kind.ts';

export type PaymentsParts = SendParts;

const money = {
  amount: refusing(
    'one that is more, in thousandths of the currency, than a message can hold',
    Type.Integer({
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'In the smallest unit of the currency: 15000 are 150.00 BRL',
      examples: [15000],
    }),
  ),
  currency: Type.String({ description: 'ISO 4217', pattern: '^[A-Za-z]{3}$', examples: ['BRL'] }),
};
const note = { note_message: caption('Shown with it, at most 1024 characters') };
const request = {
  request_message_key: messageIdText('Id or `record_id` of the message that asks'),
};
const example = { to: '5511999999999', request_message_key: '3EB0F8A1B2C3D4E5F6' };

export const paymentsRoutes: FastifyPluginAsyncTypebox<PaymentsParts> = async (app, parts) => {
  await acceptMultipart(app);
  const route = sendRoute(app, parts, 'payments');

  route({
    path: '/payment/request',
    operationId: 'requestPayment',
    summary: 'Ask for a payment',
    fields: {
      ...money,
      ...note,
      expiry_timestamp: Type.Optional(
        refusing(
          'a time that has passed',
          Type.Integer({
            minimum: 0,
            maximum: Number.MAX_SAFE_INTEGER,
            description: 'Until when, Unix seconds; default: seven days',
          }),
        ),
      ),
    },
    example: { to: '5511999999999', amount: 15000, currency: 'BRL', note_message: 'Order 1042' },
    content: ({ amount, currency, note_message, expiry_timestamp }) =>
      paymentRequestContent({ amount, currency, ...given({ note_message, expiry_timestamp }) }),
    simple: { message: 'Payment request sent successfully', further: ['amount'] },
  });

  route({
    path: '/payment/cancel',
    operationId: 'cancelPayment',
    summary: 'Take a payment request back',
    fields: request,
    example,
    content: ({ request_message_key }) => paymentCancelContent({ request_message_key }),
    simple: { message: 'Payment request cancelled successfully', further: [] },
  });

  route({
    path: '/payment/decline',
    operationId: 'declinePayment',
    summary: 'Decline a payment request',
    fields: request,
    example,
    content: ({ request_message_key }) => paymentDeclineContent({ request_message_key }),
    simple: { message: 'Payment request declined successfully', further: [] },
  });

  route({
    path: '/payment/send',
    operationId: 'sendPaymentNotification',
    summary: 'Say that a payment was made',
    fields: { ...request, ...money, ...note },
    example: { ...example, amount: 15000, currency: 'BRL' },
    content: ({ request_message_key, amount, currency, note_message }) =>
      paymentNotificationContent({ request_message_key, amount, currency, ...given({ note_message }) }),
    warnings: () => [
      {
        field: 'amount',
        message: 'is not in the message, which has no place for it: that of the request stands',
      },
    ],
    simple: { message: 'Payment notification sent successfully', further: [] },
  });
};
