/** The HTTP edge: limits, request ids, authentication, the error envelope. Knows no domain folder. */
import { randomUUID } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
  type RouteOptions,
} from 'fastify';
import type { TSchema } from 'typebox';
import type { Clock } from '../clock.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import { notedDevice } from '../tenancy/caller.ts';
import { Operations } from './absent.ts';
import { type Authenticator, authorize } from './auth.ts';
import { handleError, sendError, toAppError } from './error-envelope.ts';
import { MalformedRequests, refuseUnmeantHeaders } from './malformed.ts';
import { registerOpenApi } from './openapi.ts';
import { bounded } from './request/bounds.ts';
import { selectedDevice } from './request/device.ts';
import { isDocumented, KEEPS } from './request/failures.ts';
import { acceptJson, saysNothing } from './request/json-body.ts';
import { LARGEST_JSON_BYTES } from './request/json-measure.ts';
import { validatorCompiler } from './request/validation.ts';
import { warnOfIgnored } from './request/warnings.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The id of a device that the request names, whether it exists or not. */
    namedDevice: string | undefined;
  }
}

/** Where the process stands; the edge refuses work while it stops. */
export interface Lifecycle {
  phase: 'starting' | 'ready' | 'stopping';
}

/** `QuotasRoom` of `quotas/` fits. */
export interface Traffic {
  /** Lets a request of the tenant in; call the returned function once the request is over. Throws QUOTA_EXCEEDED. */
  admission: { enter(tenantId: string): () => void };
  /** Throws STORAGE_FULL. */
  disk: { demand(): Promise<void> };
}

export interface ServerParts {
  log: Log;
  clock: Clock;
  authenticator: Authenticator;
  lifecycle: Lifecycle;
  /** What a tenant may ask for at a time, and whether anything new is accepted; default: all. */
  quotas?: Traffic;
  metrics: Metrics;
  /** Whether members and parameters that nobody knows are refused; default: ignored, with a warning. */
  strict?: boolean;
  version: string;
  publicUrl?: string | null;
  /** The tags that the OpenAPI document lists. */
  tags?: readonly { name: string; description: string }[];
  /** Registers the routes of each tag, with the parts they call. */
  routes(app: FastifyInstance): Promise<void>;
}

/** Documented limits of the API (rate limits page): read 60 s, write 120 s, idle 65 s, headers 1 MB. */
const READ_TIMEOUT_MS = 60_000;
const WRITE_TIMEOUT_MS = 120_000;
const KEEP_ALIVE_MS = 65_000;
const MAX_HEADER_BYTES = 1024 * 1024;

/** One answer of an operation, on the diagnostics channel `wuts:answer`: tests hold it against the document. */
export interface Answered {
  operation: string;
  status: number;
  /** Null for a success. */
  code: ErrorCode | null;
  documented: boolean;
}
const ANSWERS = channel('wuts:answer');

/** Of an id in the log: anybody may write anything there. */
const LONGEST_ID = 64;
const REQUEST_ID = /^[\w.:+/=-]{1,128}$/;

/** Builds the server with its routes, ready for `listen` or `inject`. */
export async function buildServer(parts: ServerParts): Promise<FastifyInstance> {
  const { clock, lifecycle, metrics } = parts;
  const now = (): number => clock.now();
  const malformed = new MalformedRequests(parts);
  const app = Fastify({
    // As the narrower type, so that every plugin's `FastifyInstance` is this one.
    loggerInstance: parts.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    // Operations that take base64 media say their own.
    bodyLimit: LARGEST_JSON_BYTES,
    requestTimeout: READ_TIMEOUT_MS,
    connectionTimeout: WRITE_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: READ_TIMEOUT_MS,
      // Node would answer without a word: `refuseUnmeantHeaders` says it.
      requireHostHeader: false,
    },
    // A path parameter of any length reaches its operation, which answers "no such id".
    routerOptions: { maxParamLength: MAX_HEADER_BYTES },
    requestIdHeader: false,
    genReqId: (request) => requestId(request.headers['x-request-id']),
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => {
      reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
      sendError(reply, toAppError(error), now());
    },
    clientErrorHandler: (error, socket) => malformed.refuse(error, socket),
  });
  malformed.follow(app.server);
  app.setValidatorCompiler(validatorCompiler());
  // Handlers shape their answers; the response schemas describe them and must not silently drop members.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  app.setErrorHandler(handleError(now));
  acceptJson(app);

  const operations = new Operations();
  app.addHook('onRoute', (route) => operations.add(route.url, [route.method].flat()));
  app.addHook('onRoute', boundRequest);
  app.decorateReply('failure', null);
  app.decorateRequest('authenticatedCaller', null);
  app.decorateRequest('caller', {
    getter(this: FastifyRequest) {
      if (!this.authenticatedCaller) throw new Error('the route has no authenticated user');
      return this.authenticatedCaller;
    },
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    reply.header('x-content-type-options', 'nosniff');
    const { config } = request.routeOptions;
    if (lifecycle.phase === 'stopping' && config.whileStopping !== true) {
      reply.header('connection', 'close');
      throw new AppError('SHUTTING_DOWN');
    }
    refuseUnmeantHeaders(request.raw);
    if (request.is404) throw operations.absent(request, reply);
    await authorize(request, config.access ?? 'user', parts.authenticator);
    if (parts.quotas) await admit(request, reply, parts.quotas);
  });
  app.addHook('preValidation', async (request) => {
    // Every member may be optional; then no body at all is the same as an empty one.
    if (request.routeOptions.schema?.body && saysNothing(request.body)) request.body = {};
  });
  // Said at once, whatever else the operation would find wrong.
  app.decorateRequest('namedDevice', undefined);
  app.addHook('preValidation', async (request) => {
    request.namedDevice = selectedDevice(request);
  });
  warnOfIgnored(app, { strict: parts.strict ?? false });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.is404 ? 'unknown' : (request.routeOptions.url ?? 'unknown');
    const seconds = reply.elapsedTime / 1000;
    metrics.httpRequests.inc({ method: request.method, route, status: String(reply.statusCode) });
    metrics.httpSeconds.observe({ method: request.method, route }, seconds);
    const warned = (request.warnings ?? []).map(({ field }) => field);
    request.log.info(
      {
        method: request.method,
        route,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        ...whoseRequest(request, reply),
        ...(warned.length > 0 ? { warned } : {}),
      },
      'request answered',
    );
    if (ANSWERS.hasSubscribers) publishAnswer(request, reply);
  });
  app.setNotFoundHandler((_request, reply) => sendError(reply, new AppError('NOT_FOUND'), now()));

  await registerOpenApi(app, {
    version: parts.version,
    publicUrl: parts.publicUrl ?? null,
    tags: parts.tags ?? [],
  });
  await parts.routes(app);
  return app;
}

/** Who asked, on which device (named or chosen), and the code of an error. Members without a value are left out. */
function whoseRequest(request: FastifyRequest, { failure }: FastifyReply): Record<string, unknown> {
  const { authenticatedCaller: caller, params } = request;
  const { deviceID } = (params ?? {}) as { deviceID?: string };
  return {
    tenant_id: caller?.tenantId,
    user_id: caller?.userId,
    device_id: (request.namedDevice ?? deviceID ?? (caller && notedDevice(caller)))?.slice(0, LONGEST_ID),
    error_code: failure ?? undefined,
  };
}

function publishAnswer(request: FastifyRequest, { statusCode: status, failure: code }: FastifyReply): void {
  const { operationId: operation, response } = request.routeOptions.schema ?? {};
  // Nobody reads the answer to a request that was given up.
  if (operation === undefined || code === 'REQUEST_GIVEN_UP') return;
  const documented = isDocumented(response as Record<string, unknown>, status, code);
  ANSWERS.publish({ operation, status, code, documented } satisfies Answered);
}

/** Before the body is read. */
async function admit(
  request: FastifyRequest,
  reply: FastifyReply,
  { admission, disk }: Traffic,
): Promise<void> {
  const { authenticatedCaller: caller, method } = request;
  if (caller) reply.raw.once('close', admission.enter(caller.tenantId));
  if (KEEPS.includes(method)) await disk.demand();
}

function requestId(header: string | string[] | undefined): string {
  return typeof header === 'string' && REQUEST_ID.test(header) ? header : randomUUID();
}

/** Every part of a request is bounded before anything reads it, ids in its path too. */
function boundRequest(route: RouteOptions): void {
  const { schema } = route;
  if (route.url.includes(':') && !schema?.params)
    throw new Error(`${route.url}: its parameters need a schema`);
  if (!schema) return;
  for (const part of ['body', 'querystring', 'params', 'headers'] as const) {
    const given = schema[part];
    if (given) schema[part] = bounded(given as TSchema, `${route.url} ${part}`);
  }
}
