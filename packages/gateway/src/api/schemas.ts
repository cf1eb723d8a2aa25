/**
 * The schemas that several tags share. What belongs to one operation stands beside its handler.
 */
import { type TSchema, Type } from 'typebox';
import { parseRfc3339 } from '../clock.ts';
import { ERROR_CATALOGUE } from '../errors.ts';
import { NOT_READY_REASONS } from '../whatsapp/port/not-ready.ts';
import { UNREACHABLE_CAUSES } from '../whatsapp/port/unreachable.ts';

export const Uuid = Type.String({ format: 'uuid', examples: ['7c9e6679-7425-40de-944b-e07fc1f90ae7'] });

/** RFC 3339, UTC. */
export const Rfc3339 = Type.String({ format: 'date-time', examples: ['2026-06-15T12:00:00.000Z'] });

export const Jid = Type.String({
  description: 'WhatsApp address: `…@s.whatsapp.net`, `…@lid`, `…@g.us` or `…@newsletter`',
  examples: ['5511999999999@s.whatsapp.net'],
});

/** `T` or null, as JSON Schema 2020-12 writes it. */
export function Nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}

/** One of a few words. As `enum`, so that a refusal can list them; a union of literals cannot. */
export function OneOf<const V extends string>(values: readonly V[], options: Record<string, unknown> = {}) {
  return Type.Unsafe<V>({ type: 'string', enum: [...values], ...options });
}

/** A code of the catalogue. */
export const ErrorCodeSchema = Type.Unsafe<string>({
  type: 'string',
  title: 'ErrorCode',
  description: 'Stable: branch on this',
  enum: Object.keys(ERROR_CATALOGUE),
});

/** `reason` beside DEVICE_NOT_READY. */
export const NotReadyReasonSchema = OneOf(NOT_READY_REASONS, {
  title: 'NotReadyReason',
  description: 'Why the device cannot be used: branch on this',
});

/** Beside what WhatsApp's server refused. */
export const WhatsAppCodeSchema = Type.Integer({ description: "WhatsApp's own code" });

/** How far a message of the account has come. */
export const MessageStatus = OneOf(['pending', 'delivered', 'read', 'played', 'failed'] as const, {
  title: 'MessageStatus',
  description: '`pending`: no receipt yet. In a group, the first participant counts',
});

/** `warnings` of an answer. */
export const Warnings = Type.Array(
  Type.Object({
    field: Type.String(),
    message: Type.String(),
    did_you_mean: Type.Optional(Type.String()),
  }),
  {
    description: 'What of the request was ignored, or did less than it says; left out when there is nothing',
  },
);

/** Where the way to WhatsApp ends. */
export const Unreachable = Type.Object(
  {
    host: Type.String({ examples: ['web.whatsapp.com'] }),
    cause: Type.String({ enum: [...UNREACHABLE_CAUSES], examples: ['dns'] }),
    detail: Type.String({ examples: ['getaddrinfo ENOTFOUND web.whatsapp.com'] }),
  },
  { title: 'Unreachable', description: "While WhatsApp's server cannot be reached" },
);

/** What the envelope of some codes says beside; each stands in docs/errors.md. */
const furtherOfErrors = {
  hint: Type.Optional(Type.String({ description: 'What to do about it' })),
  did_you_mean: Type.Optional(Type.String({ description: 'The operation whose path is nearest' })),
  device_id: Type.Optional(Type.String({ description: 'Of the device that cannot be used' })),
  device_ids: Type.Optional(Type.Array(Type.String(), { description: 'The devices that could be meant' })),
  reason: Type.Optional(NotReadyReasonSchema),
  unreachable: Type.Optional(Unreachable),
  limited_until: Type.Optional(Type.String({ format: 'date-time' })),
  whatsapp_code: Type.Optional(WhatsAppCodeSchema),
  message_id: Type.Optional(Type.String({ description: 'Of the message that was not sent' })),
};

/** `#/components/schemas/ErrorEnvelope`: what every operation answers when it fails. */
export const ErrorEnvelope = Type.Object(
  {
    success: Type.Literal(false),
    error: Type.String({ description: 'For people and logs; may be reworded, never match on it' }),
    error_code: ErrorCodeSchema,
    timestamp: Rfc3339,
    validation: Type.Optional(
      Type.Array(
        Type.Object(
          {
            field: Type.String(),
            message: Type.String(),
            value: Type.Optional(Type.Unknown({ description: 'The rejected value, never a secret' })),
          },
          { title: 'ValidationProblem' },
        ),
      ),
    ),
    warnings: Type.Optional(Warnings),
    ...furtherOfErrors,
    request_id: Type.String(),
  },
  {
    $id: 'ErrorEnvelope',
    additionalProperties: true,
    examples: [
      {
        success: false,
        error: 'validation failed',
        error_code: 'VALIDATION_ERROR',
        timestamp: '2026-06-15T12:00:00Z',
        request_id: '0196f0c1-7d3e-7c1a-9a43-3f2b8a4c5d6e',
      },
    ],
  },
);

export interface ErrorBody {
  success: false;
  error: string;
  error_code: string;
  timestamp: string;
  request_id: string;
}

/** Milliseconds of a checked member (`format: 'date-time'`) that may be left out. */
export function milliseconds(time: string | undefined): number | undefined {
  return time === undefined ? undefined : (parseRfc3339(time) ?? undefined);
}
