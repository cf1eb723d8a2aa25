/** The names one may subscribe to. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { DOCUMENTED_EVENTS, EVENT_NAMES } from '../../../events/catalogue/names.ts';
import { EVENT_CATALOGUE } from '../../../events/catalogue.ts';

const tags = ['webhooks'];

const Names = Type.Object({
  success: Type.Literal(true),
  events: Type.Array(Type.String(), { description: 'The documented names, in the documented order' }),
  own_events: Type.Array(Type.String(), { description: 'Names that this gateway adds' }),
  catalogue: Type.Optional(
    Type.Record(
      Type.String(),
      Type.Object({
        summary: Type.String(),
        cause: Type.String(),
        occurs: Type.Boolean(),
        reason: Type.Optional(Type.String({ description: 'Why it does not occur' })),
        schema: Type.Unknown({ description: 'JSON Schema of `data`' }),
        example: Type.Unknown({ description: 'A `data`' }),
      }),
      { description: 'Only with `schemas=true`' },
    ),
  ),
});

const CATALOGUE = Object.fromEntries(
  Object.entries(EVENT_CATALOGUE).map(([name, { occurs, ...entry }]) => [
    name,
    { ...entry, occurs: occurs === true, ...(occurs === true ? {} : { reason: occurs }) },
  ]),
);

/** `GET /webhook/events`. */
export const eventNamesRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/webhook/events',
    {
      schema: {
        operationId: 'getAvailableWebhookEvents',
        tags,
        summary: 'List the events there are',
        querystring: Type.Object({
          schemas: Type.Optional(
            Type.Boolean({
              description: 'Also what each means, with the schema of its `data` and an example',
            }),
          ),
        }),
        response: { 200: Names },
      },
    },
    async (request) => ({
      success: true as const,
      events: [...DOCUMENTED_EVENTS],
      own_events: EVENT_NAMES.slice(DOCUMENTED_EVENTS.length),
      ...(request.query.schemas ? { catalogue: CATALOGUE } : {}),
    }),
  );
};
