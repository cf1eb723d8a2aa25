/** Events in pages, waited for if asked. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { EventReader } from '../../../events/reader.ts';
import { Envelope } from '../../event-schemas.ts';
import { DeviceHeaders } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import type { LongRequests } from '../../request/long-requests.ts';
import { Cursor, type DeviceDirectory, filters, position, scopeOf } from './scope.ts';

export interface PullParts {
  reader: EventReader;
  devices: DeviceDirectory;
  long: LongRequests;
}

const tags = ['events'];
const LONGEST_WAIT_SECONDS = 60;
const MOST_EVENTS = 1000;

const Page = Type.Object({
  success: Type.Literal(true),
  events: Type.Array(Envelope),
  next: Type.String({ description: 'Pass it as `after` to go on' }),
  has_more: Type.Boolean({
    description: 'There is more already: a page ends at `limit`, or at 4 MiB of data',
  }),
});

/** `GET /events`. */
export const pullRoutes: FastifyPluginAsyncTypebox<PullParts> = async (app, { reader, devices, long }) => {
  app.get(
    '/events',
    {
      schema: {
        operationId: 'listEvents',
        tags,
        summary: 'Pull events',
        description:
          'What webhooks push, for those who rather ask: oldest first, from `after` on. With `wait` an empty ' +
          'answer is held until there is something. Admins and managers see the events of the whole tenant, ' +
          'users those of their own devices.',
        headers: DeviceHeaders,
        querystring: Type.Object({
          after: Type.Optional(Cursor),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST_EVENTS, default: 100 })),
          wait: Type.Optional(
            Type.Number({ minimum: 0, maximum: LONGEST_WAIT_SECONDS, description: 'Seconds; default 0' }),
          ),
          ...filters,
        }),
        response: { 200: Page, ...failures('RATE_LIMITED', 'CURSOR_UNKNOWN') },
      },
    },
    async (request, reply) => {
      const { after, limit = 100, wait = 0 } = request.query;
      const scope = await scopeOf(request, devices);
      const release = wait > 0 ? long.take(request.caller) : () => undefined;
      const connection = long.watch(request);
      try {
        const page = await reader.page(scope, {
          after: position(after) ?? 0,
          limit,
          waitMs: wait * 1000,
          signal: connection.signal,
        });
        await connection.authorize();
        if (long.stopping) reply.header('connection', 'close');
        return {
          success: true as const,
          events: page.events,
          next: String(page.next),
          has_more: page.hasMore,
        };
      } finally {
        connection.done();
        release();
      }
    },
  );
};
