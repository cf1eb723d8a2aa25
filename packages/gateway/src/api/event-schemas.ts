/** Events as the API's description of itself shows them. */
import { type TSchema, Type } from 'typebox';
import { EVENT_NAMES, type EventName } from '../events/catalogue/names.ts';
import { EVENT_CATALOGUE } from '../events/catalogue.ts';
import type { EventEnvelope } from '../events/envelope.ts';
import { OneOf, Uuid } from './schemas.ts';

/** One of the catalogue. */
export const EventNameSchema = OneOf(EVENT_NAMES, { title: 'EventName', examples: ['message.received'] });

/** What is told of the one event, pushed or pulled. */
function eventSchema(name: EventName) {
  const title = typeName(name);
  return Type.Object(
    {
      id: Type.String({
        format: 'uuid',
        description: 'The same for every delivery: recognise duplicates by it',
      }),
      timestamp: Type.Integer({ description: 'Unix seconds' }),
      device_id: Uuid,
      user_id: Uuid,
      event: Type.Literal(name),
      data: { title: `${title}Data`, ...EVENT_CATALOGUE[name].schema },
      signature: Type.Optional(
        Type.String({
          description: '`sha256=…`, always the last member; only when pushed to an endpoint with a secret',
        }),
      ),
    },
    { title: `Event${title}` },
  );
}

const SCHEMAS = EVENT_NAMES.map((name) => [name, eventSchema(name)] as const);

/** Any event, pulled: which one its name tells. */
export const Envelope = Type.Unsafe<EventEnvelope>({
  title: 'Event',
  oneOf: SCHEMAS.map(([, schema]) => schema),
  discriminator: {
    propertyName: 'event',
    mapping: Object.fromEntries(
      EVENT_NAMES.map((name) => [name, `#/components/schemas/Event${typeName(name)}`]),
    ),
  },
});

/** The `webhooks` section of OpenAPI 3.1: what the gateway sends to subscribed endpoints. */
export function describedWebhooks(): Record<string, object> {
  return Object.fromEntries(SCHEMAS.map(([name, schema]) => [name, describedWebhook(name, schema)]));
}

function describedWebhook(name: EventName, schema: TSchema): object {
  const { summary, cause, example, occurs } = EVENT_CATALOGUE[name];
  return {
    post: {
      operationId: `on_${name.replaceAll('.', '_')}`,
      tags: ['webhooks'],
      // We call; what we are known by is the signature.
      security: [],
      summary,
      description: occurs === true ? cause : `${cause} Does not occur: ${occurs}`,
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema,
            examples: { [name]: { value: envelopeExample(name, example) } },
          },
        },
      },
      responses: { '2XX': { description: 'Taken; anything else is tried again' } },
    },
  };
}

/** `message.received` as the name of a type. */
function typeName(event: EventName): string {
  return event.replaceAll(/(?:^|[._])([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function envelopeExample(name: EventName, data: unknown): object {
  return {
    id: '0b3d7c52-4e0a-4c8b-9a57-2f3f0a7f0c11',
    event: name,
    timestamp: 1_781_524_800,
    device_id: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
    user_id: '3f0e2a64-8a54-4f07-9b43-1a7f1f3d1b22',
    data,
  };
}
