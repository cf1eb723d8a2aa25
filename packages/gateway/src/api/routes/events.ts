/** Events for those who pull: pages, long polls and a stream. Also the list of names, for those who subscribe. */
import { setMaxListeners } from 'node:events';
import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Device } from '../../devices/devices.ts';
import { AppError, invalidField } from '../../errors.ts';
import { EVENT_CATALOGUE } from '../../events/catalogue.ts';
import { DOCUMENTED_EVENTS, EVENT_NAMES, type EventName } from '../../events/names.ts';
import type { EventReader, EventScope, Position, StreamItem } from '../../events/reader.ts';
import type { Caller } from '../../tenancy/caller.ts';
import { type Authenticator, bearerToken } from '../auth.ts';
import { Envelope } from '../event-schemas.ts';
import { errorResponses } from '../schemas.ts';

export interface EventsDeps {
  reader: EventReader;
  devices: { resolve(caller: Caller, deviceId?: string): Promise<Pick<Device, 'id'>> };
  /** Asked again while a stream is open: a token may be taken back meanwhile. */
  authenticator: Pick<Authenticator, 'authenticate'>;
}

/** Streams and waiting polls of one user at a time: each holds a connection. */
const MOST_OPEN = 20;
const LONGEST_WAIT_SECONDS = 60;
const MOST_EVENTS = 1000;
/** What a client waits before it connects again, as SSE's `retry` tells it. */
const RECONNECT_MS = 2000;

const Cursor = Type.String({
  pattern: '^(\\d{1,15}|latest)$',
  description: 'A `next` or `id` of an earlier answer; `latest`: only what comes from now on',
  examples: ['4711'],
});

const filters = {
  event: Type.Optional(
    Type.Array(Type.String(), { description: 'Only these events; may be repeated or separated by commas' }),
  ),
  device_id: Type.Optional(Type.String({ description: 'Only those of this device' })),
};

const DeviceHeader = Type.Object({
  'x-device-id': Type.Optional(Type.String({ description: 'Like `device_id`' })),
});

const Page = Type.Object({
  success: Type.Literal(true),
  events: Type.Array(Envelope),
  next: Type.String({ description: 'Pass it as `after` to go on' }),
  has_more: Type.Boolean({ description: 'There is more already' }),
});

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

/** `GET /events`, `GET /events/stream`, `GET /webhook/events`. */
export const eventsRoutes: FastifyPluginAsyncTypebox<EventsDeps> = async (app, deps) => {
  const { reader, devices, authenticator } = deps;
  const tags = ['webhooks'];
  const open = new OpenConnections();
  const stopping = new AbortController();
  // Each waiting client listens.
  setMaxListeners(0, stopping.signal);
  // Polls and streams would otherwise be what the closing server waits for.
  app.addHook('preClose', async () => stopping.abort());

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
        headers: DeviceHeader,
        querystring: Type.Object({
          after: Type.Optional(Cursor),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST_EVENTS, default: 100 })),
          wait: Type.Optional(
            Type.Number({ minimum: 0, maximum: LONGEST_WAIT_SECONDS, description: 'Seconds; default 0' }),
          ),
          ...filters,
        }),
        response: { 200: Page, ...errorResponses('400', '401', '404', '429') },
      },
    },
    async (request, reply) => {
      const { after, limit = 100, wait = 0 } = request.query;
      const scope = await scopeOf(request, devices);
      const release = wait > 0 ? open.take(request.caller) : () => undefined;
      const connection = closing(request, stopping.signal);
      try {
        const page = await reader.page(scope, {
          after: position(after) ?? 0,
          limit,
          waitMs: wait * 1000,
          signal: connection.signal,
        });
        if (stopping.signal.aborted) reply.header('connection', 'close');
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
          'stream begins now. A comment every 15 s shows that it lives.',
        headers: Type.Object({
          ...DeviceHeader.properties,
          'last-event-id': Type.Optional(Type.String({ description: 'The `id` of the last event seen' })),
        }),
        querystring: Type.Object({ after: Type.Optional(Cursor), ...filters }),
        response: {
          200: { description: 'A stream', content: { 'text/event-stream': { schema: Type.String() } } },
          ...errorResponses('400', '401', '404', '429'),
        },
      },
    },
    async (request, reply) => {
      const scope = await scopeOf(request, devices);
      const last = request.headers['last-event-id']?.trim();
      if (last && !/^\d{1,15}$/.test(last))
        throw invalidField('Last-Event-ID', 'is not an id of this stream');
      const release = open.take(request.caller);
      const connection = closing(request, stopping.signal);
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
      const text = Readable.from(
        lines(items, () => stillAllowed(request, authenticator)),
        {
          objectMode: false,
        },
      );
      text.once('close', end);
      return sendStream(reply, text);
    },
  );

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
        response: { 200: Names, ...errorResponses('401') },
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

const CATALOGUE = Object.fromEntries(
  Object.entries(EVENT_CATALOGUE).map(([name, { occurs, ...entry }]) => [
    name,
    { ...entry, occurs: occurs === true, ...(occurs === true ? {} : { reason: occurs }) },
  ]),
);

async function scopeOf(request: FastifyRequest, devices: EventsDeps['devices']): Promise<EventScope> {
  const query = request.query as { event?: string[]; device_id?: string };
  const { caller } = request;
  const header = request.headers['x-device-id'];
  const deviceId = query.device_id ?? (typeof header === 'string' ? header : undefined);
  const names = query.event?.flatMap((each) => each.split(',')).map((each) => eventName(each.trim()));
  return {
    tenantId: caller.tenantId,
    ...(caller.role === 'user' ? { userId: caller.userId } : {}),
    ...(deviceId === undefined ? {} : { deviceIds: [(await devices.resolve(caller, deviceId)).id] }),
    ...(names ? { names } : {}),
  };
}

function eventName(text: string): EventName {
  const name = EVENT_NAMES.find((each) => each === text);
  if (!name) throw invalidField('event', 'is not the name of an event: see GET /webhook/events', text);
  return name;
}

function position(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined;
  return cursor === 'latest' ? 'latest' : Number(cursor);
}

/** Aborts when the client goes or the server stops. `done` must be called. */
function closing(request: FastifyRequest, stopping: AbortSignal): { signal: AbortSignal; done(): void } {
  const gone = new AbortController();
  const { socket } = request.raw;
  const leave = (): void => gone.abort();
  socket.once('close', leave);
  stopping.addEventListener('abort', leave);
  if (stopping.aborted) leave();
  return {
    signal: gone.signal,
    done: () => {
      socket.off('close', leave);
      stopping.removeEventListener('abort', leave);
    },
  };
}

/** The stream in the format of https://html.spec.whatwg.org/multipage/server-sent-events.html */
async function* lines(
  items: AsyncIterable<StreamItem>,
  allowed: () => Promise<boolean>,
): AsyncGenerator<string> {
  yield `retry: ${RECONNECT_MS}\n\n`;
  for await (const item of items) {
    if (item.type === 'event') {
      const { position: id, event } = item;
      yield `id: ${id}\nevent: ${event.event}\ndata: ${JSON.stringify(event)}\n\n`;
    } else {
      if (!(await allowed())) return;
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

async function stillAllowed(
  request: FastifyRequest,
  authenticator: EventsDeps['authenticator'],
): Promise<boolean> {
  const token = bearerToken(request.headers.authorization);
  if (token === null) return false;
  try {
    const { userId, role } = request.caller;
    const caller = await authenticator.authenticate(token);
    return caller?.userId === userId && caller.role === role;
  } catch {
    return false;
  }
}

class OpenConnections {
  readonly #counts = new Map<string, number>();

  /** Counts one more of the caller's; throws RATE_LIMITED at the bound. The returned function gives it back. */
  take({ userId }: Caller): () => void {
    const count = this.#counts.get(userId) ?? 0;
    if (count >= MOST_OPEN) {
      throw new AppError('RATE_LIMITED', {
        message: `at most ${MOST_OPEN} streams and waiting requests at a time`,
        retryAfterSeconds: 5,
      });
    }
    this.#counts.set(userId, count + 1);
    return () => {
      const left = (this.#counts.get(userId) ?? 1) - 1;
      if (left > 0) this.#counts.set(userId, left);
      else this.#counts.delete(userId);
    };
  }
}
