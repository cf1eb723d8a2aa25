/** What the operations that send have in common: recipient, device, options, repeats, and their answers. */

import { type Static, Type } from 'typebox';
import { rfc3339 } from '../../../clock.ts';
import { DEVICE_FAILURES } from '../../../devices/choice.ts';
import type { ErrorCode } from '../../../errors.ts';
import { checkedTimer, TIMERS_SECONDS } from '../../../sending/disappearing.ts';
import type { CommonRequest } from '../../../sending/jobs/operations.ts';
import { chosenMessageId } from '../../../sending/message-key.ts';
import { LONGEST_HOLD_SECONDS, LONGEST_PAUSE_SECONDS, type SentMessage } from '../../../sending/pipeline.ts';
import { parseQuote, type QuotedInput } from '../../../sending/quoting.ts';
import { mentionedJids, recipientOf } from '../../../sending/recipients.ts';
import { SESSION_FAILURES } from '../../../whatsapp/port/app-errors.ts';
import { atLeastOne, refusing, stated } from '../../description/stated.ts';
import { DeviceId } from '../../request/device.ts';
import { emptyCounts } from '../../request/given.ts';
import { RecordId } from '../../request/message.ts';
import { Jid, Rfc3339 } from '../../schemas.ts';
import { SendAt } from './send-later.ts';

const Optional = {
  text: (description: string) => Type.Optional(Type.String({ description })),
  flag: (description: string) => Type.Optional(Type.Boolean({ description })),
};

const RECIPIENT =
  'Phone number with country code (spaces, dashes, parentheses and a leading + are ignored), or the JID of a ' +
  'user, LID, group or channel';

const Author = (description: string) =>
  Type.Optional(refusing('what is no JID and no number', Type.String({ description })));

const QuoteObject = Type.Object(
  {
    key: Type.Optional(
      Type.Object({
        id: Type.Optional(Type.String({ examples: ['3EB0F8A1B2C3D4E5F6'] })),
        fromMe: Optional.flag('The quoted message is ours'),
        participant: Author('Its author, in a group'),
      }),
    ),
    message: Type.Optional(Type.Object({}, { description: 'Its content: `{"conversation": "…"}`' })),
    message_id: Optional.text('Its id or `record_id`, in the short form'),
    participant: Author('Its author, in the short form'),
    body: Optional.text('Its text, in the short form'),
  },
  {
    title: 'Quote',
    description: 'The message to answer to: `{key, message}` or `{message_id, participant, body}`',
  },
);
export const Quoted = refusing(
  'a quote that names no message, unless nothing of it is set and it may be left out',
  QuoteObject,
);

/** How a body names its recipient: at least once. */
export const SOME_RECIPIENT = atLeastOne('number', 'to');
const Recipient = (options: { description: string; examples?: string[] }) =>
  Type.Optional(refusing('what is no phone number and no JID, and two that differ', Type.String(options)));

/** Members that every operation of the send family takes. */
export const sendFields = {
  number: Recipient({ description: RECIPIENT, examples: ['5511999999999'] }),
  to: Recipient({ description: 'Same as `number`' }),
  device_id: DeviceId,
  message_id: Type.Optional(
    stated(
      Type.String({
        description:
          'Id to send it under: 8 to 64 letters, digits, `-` or `_`, new to the device; default: one is made',
      }),
      { pattern: '^([A-Za-z0-9_-]{8,64})?$' },
    ),
  ),
  delay: Type.Optional(
    Type.Number({ minimum: 0, description: 'Seconds to wait first; at most 60 are waited' }),
  ),
  typingDuration: Type.Optional(
    Type.Number({ minimum: 0, description: 'Seconds of "typing…" or "recording…"; at most 60' }),
  ),
  ephemeral_seconds: Type.Optional(
    emptyCounts(
      Type.Integer({
        enum: [...TIMERS_SECONDS],
        description:
          'Seconds after which the message disappears: 0 (it stays), 86400, 604800 or 7776000; default: as the ' +
          "chat's own timer says",
      }),
    ),
  ),
  send_at: SendAt,
  quoted: Type.Optional(Quoted),
  mentioned: Type.Optional(
    Type.Array(refusing('what is no JID and no number of a person', Type.String()), {
      maxItems: 2048,
      description: 'JIDs or numbers of the people mentioned',
    }),
  ),
};

const SendFields = Type.Object(sendFields);
export type SendFields = Static<typeof SendFields>;

/** How every operation that sends can end. */
export const SEND_FAILURES = [
  ...DEVICE_FAILURES,
  ...SESSION_FAILURES,
  'INVALID_RECIPIENT',
  'NOT_ON_WHATSAPP',
  'MESSAGE_NOT_FOUND',
  'ACCOUNT_CHANGED',
  'ALREADY_EXISTS',
  'NOT_QUOTABLE',
  'IDEMPOTENCY_CONFLICT',
] as const satisfies readonly ErrorCode[];
/** Beside, where a file is sent. */
export const FILE_FAILURES = [
  'INVALID_MEDIA',
  'CONVERSION_UNAVAILABLE',
  'UPLOAD_FAILED',
] as const satisfies readonly ErrorCode[];

/** Answer of the rich sends. */
export const RichAnswer = Type.Object(
  {
    success: Type.Literal(true),
    message_id: Type.String({ examples: ['3EB0F8A1B2C3D4E5F6'] }),
    record_id: Type.Optional(RecordId),
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
        not_measured: Type.Optional(Type.Array(Type.String())),
      },
      { description: 'What was measured; a figure that could not be is 0, and named in `not_measured`' },
    ),
  },
  { title: 'SentMessage' },
);

/** Answer of the simple sends and of the edit. */
export const SimpleAnswer = Type.Object(
  {
    success: Type.Literal(true),
    message_id: Type.String({ examples: ['3EB0F8A1B2C3D4E5F6'] }),
    record_id: Type.Optional(RecordId),
    timestamp: Rfc3339,
    message: Type.String(),
  },
  { title: 'SentMessageNotice' },
);

/** The part of a send request that every kind reads alike; refuses a bad recipient, quote or mention. */
export function commonRequest(body: SendFields): CommonRequest {
  const { message_id: chosen } = body;
  return {
    address: recipientOf(body),
    messageId: chosen ? chosenMessageId('message_id', chosen) : undefined,
    delay: body.delay,
    typingDuration: body.typingDuration,
    quote: parseQuote(body.quoted as QuotedInput | undefined),
    mentions: mentionedJids(body.mentioned),
    ephemeralSeconds: checkedTimer('ephemeral_seconds', body.ephemeral_seconds),
  };
}

/** What the answer has to warn of: pauses that were asked for and are cut. */
export function cutPauses({ delay = 0, typingDuration = 0 }: Pick<SendFields, 'delay' | 'typingDuration'>) {
  const longest = Math.min(
    LONGEST_PAUSE_SECONDS,
    LONGEST_HOLD_SECONDS - Math.min(delay, LONGEST_PAUSE_SECONDS),
  );
  return [
    ...(delay > LONGEST_PAUSE_SECONDS
      ? [{ field: 'delay', message: `was cut: at most ${LONGEST_PAUSE_SECONDS} seconds are waited` }]
      : []),
    ...(typingDuration > longest
      ? [{ field: 'typingDuration', message: `was cut: at most ${longest} seconds are shown here` }]
      : []),
  ];
}

export function richAnswer(sent: SentMessage): Static<typeof RichAnswer> {
  const at = rfc3339(sent.timestamp);
  return {
    success: true,
    message_id: sent.messageId,
    record_id: sent.recordId,
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
      ...figures(sent.metadata),
      sent_at: at,
    },
  };
}

/** Documented figures are numbers: 0 for what nothing told, with its name beside. */
function figures(measured: Record<string, unknown>): Record<string, unknown> {
  const unknown = Object.keys(measured).filter((name) => measured[name] === null);
  if (unknown.length === 0) return measured;
  return { ...measured, ...Object.fromEntries(unknown.map((name) => [name, 0])), not_measured: unknown };
}
