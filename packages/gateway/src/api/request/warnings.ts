/**
 * `warnings` of an answer: what of the request was ignored, or did less than it says. One mechanism for every
 * operation, driven by the schemas of its parts; with `WUTS_STRICT` what nobody knows is refused instead.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../../errors.ts';
import { gathered, Ignored, ignoredIn, placedWarning, type Warning } from './ignored.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What its answer warns of. */
    warnings: readonly Warning[] | null;
    /** Whether what nobody knows is refused. */
    refusesUnknown: boolean;
  }
}

/** Adds `warnings` to the answers of all routes that come after. */
export function warnOfIgnored(app: FastifyInstance, { strict }: { strict: boolean }): void {
  app.decorateRequest('warnings', null);
  app.decorateRequest('refusesUnknown', strict);
  app.addHook('preHandler', async (request) => {
    const { schema } = request.routeOptions;
    if (schema?.operationId === undefined) return;
    const query = schema.querystring ? ignoredIn(request.query) : allOf(request.query, []);
    const body = schema.body
      ? ignoredIn(request.body)
      : allOf(request.body, takesDevice(schema.querystring) ? ['device_id'] : []);
    noteIgnored(request, gathered(query, body));
  });
  app.addHook('preSerialization', async (request, reply, payload) => {
    const { warnings: own } = request;
    if (!own?.length || reply.failure === 'INTERNAL_ERROR') return payload;
    if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return payload;
    const { warnings = [], ...rest } = payload as { warnings?: Warning[] };
    return { ...rest, warnings: gathered(own, warnings) };
  });
}

/** Warns of members that nobody knows, found in the part of the body at `place`. Throws VALIDATION_ERROR when strict. */
export function noteIgnored(request: FastifyRequest, ignored: readonly Warning[], place = ''): void {
  if (ignored.length === 0) return;
  const placed = place === '' ? ignored : ignored.map((each) => placedWarning(each, place));
  if (request.refusesUnknown) throw refusal(placed);
  warn(request, placed);
}

/** Warns of members that do less than they say. */
export function warn(request: FastifyRequest, warnings: readonly Warning[]): void {
  request.warnings = gathered(request.warnings ?? [], warnings);
}

function refusal(ignored: readonly Warning[]): AppError {
  const validation = ignored.map(({ field, did_you_mean: meant }) => ({
    field,
    message: meant === undefined ? 'is not known here' : `is not known here: did you mean ${meant}?`,
  }));
  const [first] = validation;
  return new AppError('VALIDATION_ERROR', { message: `${first?.field} ${first?.message}`, validation });
}

/** Of a part for which the operation has no schema. */
function allOf(part: unknown, known: readonly string[]): readonly Warning[] {
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return [];
  const ignored = new Ignored();
  for (const name of Object.keys(part)) if (!known.includes(name)) ignored.add([], name, known);
  return ignored.warnings;
}

/** The device of such an operation is taken from a body as well: see `selectedDevice`. */
function takesDevice(query: unknown): boolean {
  const { properties } = (query ?? {}) as { properties?: object };
  return properties !== undefined && Object.hasOwn(properties, 'device_id');
}
