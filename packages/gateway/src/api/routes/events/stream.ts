/** Events as they happen, as Server-Sent Events. */
import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { invalidField } from '../../../errors.ts';
import type { EventReader, StreamItem } from '../../../events/reader.ts';
import { refusing } from '../../description/stated.ts';
import { DeviceHeaders } from '../../request/device.ts';
import { failures } from '../../request/failures.ts';
import type { LongRequest, LongRequests } from '../../request/long-requests.ts';
import { Cursor, type DeviceDirectory, filters, position, scopeOf } from './scope.ts';

export interface StreamParts {
  reader: EventReader;
  devices: DeviceDirectory;
  long: LongRequests;
}

const tags = ['events'];
/** What a client waits before it connects again, as SSE's `retry` tells it. */
const RECONNECT_MS = 2000;

/** `GET /events/stream`. */
export const streamRoutes: FastifyPluginAsyncTypebox<StreamParts> = async (app, parts) => {
  const { reader, devices, long } = parts;
  app.get(
    '/events/stream',
    {
      exposeHeadRoute: false,
      schema: {
        operationId: 'streamEvents',
        tags,
        summary: 'Stream events',
        description:
          'Server-Sent Events: `id` is the cursor, `event` the name, `data` the envelope. A client that comes ' +
          'back with `Last-Event-ID` misses nothing that is still kept; without it (and without `after`) the ' +
          'stream begins now. One that is beyond the newest event, because the database was restored, is refused. A comment every 15 s shows that it lives.',
        headers: Type.Object({
          ...DeviceHeaders.properties,
          'last-event-id': Type.Optional(
            refusing(
              'what is no id of the stream',
              Type.String({ description: 'The `id` of the last event seen' }),
            ),
          ),
        }),
        querystring: Type.Object({ after: Type.Optional(Cursor), ...filters }),
        response: {
          200: { description: 'A stream', content: { 'text/event-stream': { schema: Type.String() } } },
          ...failures('RATE_LIMITED', 'CURSOR_UNKNOWN'),
        },
      },
    },
    async (request, reply) => {
      const scope = await scopeOf(request, devices);
      const last = request.headers['last-event-id']?.trim();
      if (last && !/^\d{1,15}$/.test(last))
        throw invalidField('Last-Event-ID', 'is not an id of this stream');
      const release = long.take(request.caller);
      const connection = long.watch(request);
      const end = (): void => {
        connection.done();
        release();
      };
      const items = await reader
        .stream(scope, {
          after: position(last || undefined) ?? position(request.query.after) ?? 'latest',
          signal: connection.signal,
        })
        .catch((error: unknown) => {
          end();
          throw error;
        });
      const text = Readable.from(lines(items, connection), { objectMode: false });
      text.once('close', end);
      return sendStream(reply, text);
    },
  );
};

/** The stream in the format of https://html.spec.whatwg.org/multipage/server-sent-events.html */
async function* lines(items: AsyncIterable<StreamItem>, connection: LongRequest): AsyncGenerator<string> {
  yield `retry: ${RECONNECT_MS}\n\n`;
  for await (const item of items) {
    if (item.type === 'event') {
      const { position: id, event } = item;
      yield `id: ${id}\nevent: ${event.event}\ndata: ${JSON.stringify(event)}\n\n`;
    } else {
      // When another process (the CLI) changes a user, we hear nothing of it: so we ask.
      try {
        await connection.authorize();
      } catch {
        return;
      }
      yield ': alive\n\n';
    }
  }
}

function sendStream(reply: FastifyReply, text: Readable): FastifyReply {
  return reply
    .headers({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      // nginx would hold it back otherwise.
      'x-accel-buffering': 'no',
      // A connection that turned idle while the server closes would be waited for.
      connection: 'close',
    })
    .send(text);
}
