/** Tag `messages`: receipts that we send: a message was delivered, was read, or could not be read. */

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { COPY_FAILURES } from '../../../actions/message-copies.ts';
import type { OutgoingReceipts, ReceiptRequest } from '../../../actions/outgoing-receipts.ts';
import { rfc3339 } from '../../../clock.ts';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { refusing } from '../../description/stated.ts';
import { DeviceHeaders, HoldingDevice, HoldingDeviceQuery, selectedDevice } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import { ChatText, MessageIdParam } from '../../request/message.ts';
import { Jid, milliseconds, Nullable, Rfc3339 } from '../../schemas.ts';

/** One stanza lists them all; clients mark a screenful at a time. */
const MOST_IDS = 500;

const base = {
  chat_jid: ChatText({
    minLength: 1,
    description: 'The chat: JID or phone number',
    examples: ['5511999999999@s.whatsapp.net'],
  }),
  sender_jid: Type.Optional(
    refusing(
      'what is no JID and no number, and nobody where it is needed',
      Type.String({
        description: 'Who wrote them; needed in a group for messages that the gateway does not have',
      }),
    ),
  ),
  message_ids: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
      minItems: 1,
      maxItems: MOST_IDS,
      description: 'Default: the one in the path',
    }),
  ),
  device_id: HoldingDevice,
};
const Body = Type.Object(base);
const ReadBody = Type.Object({
  ...base,
  timestamp: Type.Optional(
    Type.String({ format: 'date-time', description: 'When they were read; default: now' }),
  ),
});

const Answer = Type.Object({
  success: Type.Literal(true),
  chat_jid: Jid,
  sender_jid: Nullable(Type.String()),
  message_ids: Type.Array(Type.String()),
  receipt_type: Type.String({ enum: ['read', 'delivered', 'retry'] }),
  timestamp: Rfc3339,
});
const RetryAnswer = Type.Object({
  ...Answer.properties,
  skipped: Type.Optional(
    Type.Array(Type.String(), {
      description: 'Those that are readable by now: their senders were not asked',
    }),
  ),
});

const operations = {
  read: {
    operationId: 'markMessageRead',
    summary: 'Mark messages as read',
    description:
      'Blue ticks on the side of the sender, and read on the other devices of the account. Where the account ' +
      'hides its read receipts, the sender sees nothing.',
  },
  delivered: {
    operationId: 'markMessageDelivered',
    summary: 'Mark messages as delivered',
    description: 'Two grey ticks on the side of the sender.',
  },
  retry: {
    operationId: 'requestMessageRetry',
    summary: 'Ask the sender for an undecryptable message again',
    description:
      'The gateway asks once by itself. When the sender answers, the message takes the place of the ' +
      'undecryptable one and `message.received` follows.',
  },
} as const;

export interface MarkParts {
  receipts: OutgoingReceipts;
}

export const markRoutes: FastifyPluginAsyncTypebox<MarkParts> = async (app, { receipts }) => {
  const schemaOf = (kind: ReceiptRequest['kind']) => ({
    ...operations[kind],
    tags: ['messages'],
    params: Type.Object({ id: MessageIdParam }),
    querystring: HoldingDeviceQuery,
    headers: DeviceHeaders,
  });
  const failing = failures(...COPY_FAILURES, ...DEVICE_FAILURES, ...SESSION_FAILURES);

  const send = async (
    request: Parameters<typeof selectedDevice>[0] & { params: { id: string } },
    kind: ReceiptRequest['kind'],
    body: { chat_jid: string; sender_jid?: string; message_ids?: string[]; timestamp?: string },
  ) => {
    const sent = await receipts.send(request.caller, {
      kind,
      chat: body.chat_jid,
      sender: body.sender_jid || undefined,
      messageIds: body.message_ids ?? [request.params.id],
      deviceId: selectedDevice(request),
      at: milliseconds(body.timestamp),
    });
    return {
      success: true as const,
      chat_jid: sent.chatJid,
      sender_jid: sent.senderJid,
      message_ids: sent.messageIds,
      receipt_type: kind,
      timestamp: rfc3339(sent.at),
      ...(kind === 'retry' ? { skipped: sent.skipped } : {}),
    };
  };

  app.post(
    '/messages/:id/read',
    { schema: { ...schemaOf('read'), body: ReadBody, response: { 200: Answer, ...failing } } },
    (request) => send(request, 'read', request.body),
  );
  app.post(
    '/messages/:id/delivered',
    { schema: { ...schemaOf('delivered'), body: Body, response: { 200: Answer, ...failing } } },
    (request) => send(request, 'delivered', request.body),
  );
  app.post(
    '/messages/:id/retry',
    { schema: { ...schemaOf('retry'), body: Body, response: { 200: RetryAnswer, ...failing } } },
    (request) => send(request, 'retry', request.body),
  );
};
