/** What the operations that send have in common: recipient, device, options, repeats, and their answers. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { AppError } from '../../../errors.ts';
import type { SendAttempt } from '../../../sending/delivery.ts';
import { type Idempotency, requestHash } from '../../../sending/idempotency.ts';
import type { ReadRequest } from '../../../sending/jobs/operations.ts';
import { chosenMessageId } from '../../../sending/message-key.ts';
import type { SentMessage } from '../../../sending/pipeline.ts';
import { parseQuote, type QuotedInput } from '../../../sending/quoting.ts';
import { mentionedJids, recipientOf } from '../../../sending/recipients.ts';
import { Jid, Rfc3339, rfc3339 } from '../../schemas.ts';
import { SendAt } from './send-later.ts';

const Optional = {
  text: (description: string) => Type.Optional(Type.String({ description })),
  flag: (description: string) => Type.Optional(Type.Boolean({ description })),
};

export const DeviceQuery = Type.Object({
  device_id: Optional.text('Device to use; default: the only connected one'),
});

export const DeviceHeaders = Type.Object({ 'x-device-id': Optional.text('Like `device_id`') });

export const SendHeaders = Type.Object({
  'x-device-id': Optional.text('Like `device_id`'),
  'idempotency-key': Optional.text(
    'The same key and request within 24 h answers as the first time and sends nothing',
  ),
});

const RECIPIENT =
  'Phone number with country code (spaces, dashes, parentheses and a leading + are ignored), or the JID of a ' +
  'user, LID, group or channel';

export const Quoted = Type.Object(
  {
    key: Type.Optional(
      Type.Object({
        id: Type.String({ examples: ['3EB0F8A1B2C3D4E5F6'] }),
        fromMe: Optional.flag('The quoted message is ours'),
        from_me: Optional.flag('Same as `fromMe`'),
        participant: Optional.text('Its author, in a group'),
      }),
    ),
    message: Type.Optional(Type.Object({}, { description: 'Its content: `{"conversation": "…"}`' })),
    message_id: Optional.text('Its id, in the short form'),
    participant: Optional.text('Its author, in the short form'),
    body: Optional.text('Its text, in the short form'),
  },
  { description: 'The message to answer to: `{key, message}` or `{message_id, participant, body}`' },
);

/** Members that every operation of the send family takes. */
export const sendFields = {
  number: Type.Optional(Type.String({ description: RECIPIENT, examples: ['5511999999999'] })),
  to: Optional.text('Same as `number`'),
  device_id: Optional.text('Device to use; default: the only connected one'),
  message_id: Optional.text(
    'Id to send it under: 8 to 64 letters, digits, `-` or `_`, new to the device; default: one is made',
  ),
  delay: Type.Optional(
    Type.Number({ minimum: 0, description: 'Seconds to wait first; at most 60 are waited' }),
  ),
  typingDuration: Type.Optional(
    Type.Number({ minimum: 0, description: 'Seconds of "typing…" or "recording…"; at most 60' }),
  ),
  typing_duration: Type.Optional(Type.Number({ minimum: 0, description: 'Same as `typingDuration`' })),
  send_at: SendAt,
  quoted: Type.Optional(Quoted),
  mentioned: Type.Optional(
    Type.Array(Type.String(), { maxItems: 2048, description: 'JIDs or numbers of the people mentioned' }),
  ),
};

const SendFields = Type.Object(sendFields);
export type SendFields = Static<typeof SendFields>;

/** Answer of the rich sends. */
export const RichAnswer = Type.Object({
  success: Type.Literal(true),
  message_id: Type.String({ examples: ['3EB0F8A1B2C3D4E5F6'] }),
  timestamp: Rfc3339,
  status: Type.Literal('sent'),
  chat_jid: Jid,
  metadata: Type.Object(
    {
      device_id: Type.String(),
      user_id: Type.String(),
      processing_time_ms: Type.Integer(),
      presence_sent: Type.Boolean(),
      presence_duration_seconds: Type.Number(),
      mentions_processed: Type.Integer(),
      quoted_message_found: Type.Boolean(),
      sent_at: Rfc3339,
    },
    { description: 'Figures that were measured; null where nothing was' },
  ),
});

/** Answer of the simple sends and of the edit. */
export const SimpleAnswer = Type.Object({
  success: Type.Literal(true),
  message_id: Type.String({ examples: ['3EB0F8A1B2C3D4E5F6'] }),
  timestamp: Rfc3339,
  message: Type.String(),
});

/** The part of a send request that every kind reads alike; refuses a bad recipient, quote or mention. */
export function commonRequest(
  body: SendFields,
  { namesTarget }: { namesTarget?: boolean | undefined } = {},
): Omit<ReadRequest, 'content'> {
  const { message_id: chosen } = body;
  return {
    address: recipientOf(body),
    messageId: chosen && !namesTarget ? chosenMessageId('message_id', chosen) : undefined,
    delay: body.delay,
    typingDuration: body.typingDuration ?? body.typing_duration,
    quote: parseQuote(body.quoted as QuotedInput | undefined),
    mentions: mentionedJids(body.mentioned),
  };
}

export function richAnswer(sent: SentMessage): Static<typeof RichAnswer> {
  const at = rfc3339(sent.timestamp);
  return {
    success: true,
    message_id: sent.messageId,
    timestamp: at,
    status: 'sent',
    chat_jid: sent.chatJid,
    metadata: {
      device_id: sent.deviceId,
      user_id: sent.userId,
      processing_time_ms: sent.processingMs,
      presence_sent: sent.presenceSent,
      presence_duration_seconds: sent.presenceSeconds,
      mentions_processed: sent.mentionsProcessed,
      quoted_message_found: sent.quotedFound,
      ...sent.metadata,
      sent_at: at,
    },
  };
}

/** The device a request names: query, then body, then header `X-Device-Id`; an empty text names none. */
export function selectedDevice(request: FastifyRequest): string | undefined {
  const query = request.query as { device_id?: string };
  const body = (request.body ?? {}) as { device_id?: string };
  const header = request.headers['x-device-id'];
  const id = query.device_id || body.device_id || (typeof header === 'string' && header) || undefined;
  // No id contains it, and PostgreSQL cannot even be asked.
  if (id?.includes('\0')) throw new AppError('DEVICE_NOT_FOUND');
  return id;
}

/** Does the work once per `Idempotency-Key`, when the request carries one. */
export async function once<Answer extends Record<string, unknown>>(
  idempotency: Idempotency,
  request: FastifyRequest,
  reply: FastifyReply,
  work: (attempt?: SendAttempt) => Promise<Answer>,
): Promise<Answer> {
  const key = idempotencyKey(request);
  if (key === undefined) return work();
  const hash = requestHash({
    method: request.method,
    path: request.url.split('?')[0] ?? '',
    device: selectedDevice(request) ?? null,
    body: comparable(request),
  });
  const answer = await idempotency.run(request.caller, key, hash, async (attempt) => ({
    body: await work(attempt),
    // The work may have said that it is not done yet.
    status: reply.statusCode,
  }));
  if (answer.replayed) reply.header('idempotency-replayed', 'true');
  reply.code(answer.status);
  return answer.body as Answer;
}

export function idempotencyKey(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  return typeof key === 'string' ? key : undefined;
}

/** The body with its files by their content: their tokens are new each time. */
function comparable(request: FastifyRequest): unknown {
  if (!request.uploaded) return request.body;
  const files = [...request.uploaded].map(([member, { sha256 }]) => [member, `sha256:${sha256}`]);
  return { ...(request.body as object), ...Object.fromEntries(files) };
}

/** Many clients write `null` for what they do not say; it means the same as leaving the member out. */
export function acceptNulls(app: FastifyInstance): void {
  app.addHook('preValidation', async (request) => {
    const body = request.body;
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) request.body = withoutNulls(body);
  });
}

/** The members that say something. */
export function withoutNulls(body: object): object {
  const kept = Object.entries(body).filter(([, value]) => value !== null);
  return kept.length < Object.keys(body).length ? Object.fromEntries(kept) : body;
}
