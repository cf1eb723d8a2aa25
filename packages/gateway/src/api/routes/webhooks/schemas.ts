/** The requests and answers of the operations that push events. */

import { type Static, Type } from 'typebox';
import { rfc3339, rfc3339OrNull } from '../../../clock.ts';
import { EVENT_NAMES } from '../../../events/catalogue/names.ts';
import { DELIVERY_STATES, type Delivery } from '../../../webhooks/deliveries.ts';
import { ENDPOINT_STATES, type Endpoint } from '../../../webhooks/endpoint.ts';
import {
  DEFAULT_RETRY_ATTEMPTS,
  DEFAULT_TIMEOUT_S,
  type EndpointInput,
  MAX_HEADERS,
  MAX_RETRY_ATTEMPTS,
  MAX_SECRET_LENGTH,
  MAX_TIMEOUT_S,
} from '../../../webhooks/endpoint-input.ts';
import { refusing, stated } from '../../description/stated.ts';
import { EventNameSchema } from '../../event-schemas.ts';
import { DeviceId } from '../../request/device.ts';
import { emptyCounts } from '../../request/given.ts';
import { Nullable, OneOf, Rfc3339, Uuid } from '../../schemas.ts';

/** Any text is allowed: one that is not the id of something of the caller's is answered as unknown. */
export const IdPath = Type.Object({ id: Type.String() });

const HeaderMap = Type.Record(Type.String(), Type.String(), { maxProperties: MAX_HEADERS });
export const Url = refusing(
  'what is no such address, or is not public',
  stated(
    Type.String({
      minLength: 1,
      description: 'https, or http inside a network of your own',
      examples: ['https://example.com/hooks/whatsapp'],
    }),
    { pattern: '^\\s*[Hh][Tt][Tt][Pp][Ss]?://\\S+\\s*$' },
  ),
);
/** Names that are unknown or given twice are taken; more of them than this is a mistake. */
const MOST_EVENTS = 200;
const Events = Type.Array(stated(Type.String(), { enum: EVENT_NAMES }), {
  minItems: 1,
  maxItems: MOST_EVENTS,
  description: 'Names of `GET /webhook/events`',
  examples: [['message.received', 'message.delivered']],
});
const settings = {
  enabled: Type.Optional(Type.Boolean({ description: 'Default true; false holds deliveries back' })),
  retry_attempts: Type.Optional(
    emptyCounts(
      Type.Integer({
        minimum: 0,
        maximum: MAX_RETRY_ATTEMPTS,
        description: `Attempts after the first; default ${DEFAULT_RETRY_ATTEMPTS}`,
      }),
    ),
  ),
  timeout: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MAX_TIMEOUT_S,
      description: `Seconds for one attempt; default ${DEFAULT_TIMEOUT_S}`,
    }),
  ),
  secret: Type.Optional(
    emptyCounts(
      Nullable(
        stated(
          Type.String({ description: 'Signs deliveries; never shown again. Null or empty: no signature' }),
          { maxLength: MAX_SECRET_LENGTH },
        ),
      ),
    ),
  ),
  headers: Type.Optional(
    refusing('names and values that HTTP cannot carry, and those that the delivery needs itself', HeaderMap),
  ),
};

export const EndpointBody = Type.Object(
  { webhook_url: Url, enabled_events: Events, ...settings, device_id: DeviceId },
  {
    examples: [
      {
        webhook_url: 'https://example.com/hooks/whatsapp',
        enabled_events: ['message.received'],
        secret: 'whsec_9f3c1a2b7d4e5f60',
      },
    ],
  },
);
export const EndpointChange = Type.Object({
  webhook_url: Type.Optional(Url),
  enabled_events: Type.Optional(Events),
  ...settings,
});

/** A request's body as the domain takes it. */
export function inputOf(body: Static<typeof EndpointChange>): EndpointInput {
  return {
    url: body.webhook_url,
    events: body.enabled_events,
    enabled: body.enabled,
    retryAttempts: body.retry_attempts,
    timeoutSeconds: body.timeout,
    secret: body.secret,
    headers: body.headers,
  };
}

export const Event = EventNameSchema;

const EndpointObject = Type.Object(
  {
    id: Type.String({ examples: ['wh_0f8fad5bd9cb469fa16570867728950e'] }),
    device_id: Uuid,
    is_default: Type.Boolean({ description: 'The one of `POST /webhook`' }),
    webhook_url: Type.String(),
    enabled_events: Type.Array(Event),
    enabled: Type.Boolean(),
    retry_attempts: Type.Integer(),
    timeout: Type.Integer(),
    headers: HeaderMap,
    has_secret: Type.Boolean(),
    state: OneOf(ENDPOINT_STATES, {
      description: '`paused`: failed for long; `gone`: answered 410. Configure it again to go on',
    }),
    state_reason: Nullable(Type.String()),
    state_at: Rfc3339,
    failing_since: Nullable(Rfc3339),
    failures: Type.Integer({ description: 'Failed attempts since the last success' }),
    waiting: Nullable(
      Type.Object(
        {
          deliveries: Type.Integer(),
          since: Rfc3339,
          expires_at: Rfc3339,
        },
        {
          description:
            'What is pending: how many deliveries, when the oldest was made, and when it is dropped if it still ' +
            'waits by then. Null when nothing is pending',
        },
      ),
    ),
    created_at: Rfc3339,
    updated_at: Rfc3339,
  },
  { title: 'WebhookEndpoint' },
);

export function endpointObject(endpoint: Endpoint): Static<typeof EndpointObject> {
  return {
    id: endpoint.id,
    device_id: endpoint.deviceId,
    is_default: endpoint.isDefault,
    webhook_url: endpoint.url,
    enabled_events: endpoint.events,
    enabled: endpoint.enabled,
    retry_attempts: endpoint.retryAttempts,
    timeout: endpoint.timeoutSeconds,
    headers: endpoint.headers,
    has_secret: endpoint.hasSecret,
    state: endpoint.state,
    state_reason: endpoint.stateReason,
    state_at: rfc3339(endpoint.stateAt),
    failing_since: rfc3339OrNull(endpoint.failingSince),
    failures: endpoint.failures,
    waiting: endpoint.waiting && {
      deliveries: endpoint.waiting.deliveries,
      since: rfc3339(endpoint.waiting.since),
      expires_at: rfc3339(endpoint.waiting.expiresAt),
    },
    created_at: rfc3339(endpoint.createdAt),
    updated_at: rfc3339(endpoint.updatedAt),
  };
}

export const Success = Type.Literal(true);
export const OneEndpoint = Type.Object({ success: Success, webhook: EndpointObject });
export const Configured = Type.Object({ success: Success, message: Type.String(), webhook: EndpointObject });
export const EndpointList = Type.Object({ success: Success, webhooks: Type.Array(EndpointObject) });
export const Done = Type.Object({ success: Success, message: Type.String() });
export const PendingUrl = Type.Object({
  success: Success,
  message: Type.String(),
  data: Type.Object({
    webhook_url: Type.String(),
    available_events: Type.Array(Type.String()),
    events_count: Type.Integer(),
  }),
});

export const DeliveryObject = Type.Object(
  {
    id: Uuid,
    webhook_id: Type.String(),
    device_id: Uuid,
    event_id: Type.String({ description: '`id` of the envelope' }),
    event: Event,
    order_key: Type.String({
      description:
        'Deliveries with the same key keep their order: the chat, which is the LID of a person once that is known',
    }),
    state: OneOf(DELIVERY_STATES),
    attempts: Type.Integer(),
    next_attempt_at: Nullable(Rfc3339),
    waits_for: Nullable(
      Type.Literal('order_or_endpoint', {
        description: 'Waits for an earlier delivery of the same key, or for its endpoint to be active',
      }),
    ),
    created_at: Rfc3339,
    finished_at: Nullable(Rfc3339),
  },
  { title: 'WebhookDelivery' },
);

export function deliveryObject(delivery: Delivery): Static<typeof DeliveryObject> {
  return {
    id: delivery.id,
    webhook_id: delivery.endpointId,
    device_id: delivery.deviceId,
    event_id: delivery.eventId,
    event: delivery.event,
    order_key: delivery.orderKey,
    state: delivery.state,
    attempts: delivery.attempts,
    next_attempt_at: rfc3339OrNull(delivery.nextAttemptAt),
    waits_for: delivery.waitsFor,
    created_at: rfc3339(delivery.createdAt),
    finished_at: rfc3339OrNull(delivery.finishedAt),
  };
}

export const AttemptObject = Type.Object(
  {
    attempt: Type.Integer(),
    at: Rfc3339,
    took_ms: Type.Integer(),
    status: Nullable(Type.Integer({ description: 'HTTP status; null when no answer came' })),
    error: Nullable(
      Type.String({
        description:
          'Null for success, else `status`, `redirect`, `gone`, `timeout`, `refused`, `reset`, `tls`, ' +
          '`unknown_host`, `blocked_address`, `bad_url` or `connection_failed`',
      }),
    ),
    response_head: Nullable(Type.String({ description: 'The first KiB of the answer' })),
  },
  { title: 'WebhookAttempt' },
);

/** An attempt as it is shown, from a row or fresh. */
export function attemptObject(attempt: {
  attempt: number;
  at: number;
  took_ms: number;
  status: number | null;
  error: string | null;
  response_head: string | null;
}): Static<typeof AttemptObject> {
  const { took_ms, status, error, response_head } = attempt;
  return { attempt: attempt.attempt, at: rfc3339(attempt.at), took_ms, status, error, response_head };
}
