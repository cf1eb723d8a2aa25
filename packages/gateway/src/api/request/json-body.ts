/**
 * Reads JSON bodies. How deep they nest, how many items stand in a row, and how much of them is no file is
 * found before they are parsed; files in base64 are decoded by a thread, and their tokens take their place.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ContentTypeParserDoneFunction } from 'fastify/types/content-type-parser.d.ts';
import { AppError, ERROR_CATALOGUE, invalidField } from '../../errors.ts';
import type { InlineFiles } from '../../media/outgoing/inline-files.ts';
import { inUtf8 } from './body-charset.ts';
import { BodySlots } from './body-slots.ts';
import { jsonFault, placeOf } from './json-fault.ts';
import {
  DEEPEST_JSON,
  type JsonMeasure,
  LARGEST_JSON_BYTES,
  MOST_JSON_ITEMS,
  measureJson,
} from './json-measure.ts';
import { plain, type RouteScope } from './scope.ts';
import { holdUploads } from './uploaded.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Gives back the place that a large body takes in memory. */
    leaveBodySlot: (() => void) | null;
  }
}

const NONE: ReadonlySet<string> = new Set();
const TYPE = 'application/json';

/**
 * JSON is the only body there is, beside multipart where an operation takes it. An empty one counts as absent:
 * clients send the header regardless.
 */
export function acceptJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser('error', 'error');
  addParser(app, (request, body, done) => {
    const refused = refusal(measureJson(body, NONE));
    if (refused) return done(refused);
    return parsed({ text: body.toString('utf8'), asItCame: true }, request, parse, done);
  });
}

/**
 * What programs send that mean no member at all: nothing, `null` (of Go, a map or pointer that is nil) or `[]` (of PHP,
 * an array without members).
 */
export function saysNothing(body: unknown): boolean {
  return body === undefined || body === null || (Array.isArray(body) && body.length === 0);
}

/** Lets the bodies of this scope carry files as base64, where their route says which members are files. */
export function acceptFilesInJson(scope: RouteScope, files: InlineFiles): void {
  const app = plain(scope);
  const slots = new BodySlots();
  holdUploads(app);
  app.decorateRequest('leaveBodySlot', null);
  const leave = async (request: FastifyRequest): Promise<void> => request.leaveBodySlot?.();
  app.addHook('preParsing', async (request) => {
    if (!request.routeOptions.config.fileMembers || !isLarge(request)) return;
    request.leaveBodySlot = await slots.take(request.caller.tenantId);
    // Gone while it waited: nothing would give the place back.
    if (request.raw.destroyed) request.leaveBodySlot();
  });
  app.addHook('preValidation', leave);
  app.addHook('onResponse', leave);
  app.addHook('onRequestAbort', leave);
  app.removeContentTypeParser(TYPE);
  const parse = app.getDefaultJsonParser('error', 'error');
  addParser(app, (request, body, done) => {
    const measure = measureJson(body, request.routeOptions.config.fileMembers?.() ?? NONE);
    const refused = refusal(measure);
    if (refused) return done(refused);
    if (measure.files.length === 0)
      return parsed({ text: body.toString('utf8'), asItCame: true }, request, parse, done);
    const around = textsAround(body, measure.files);
    files.decode(body, measure.files).then(
      (uploads) => {
        request.uploaded = uploads;
        const text = around.map((piece, index) => piece + (uploads[index]?.token ?? '')).join('');
        // Where it stops being JSON is told of what came, which it is not any more.
        parsed({ text, asItCame: false }, request, parse, done);
      },
      (error: Error) => done(error),
    );
  });
}

function addParser(
  app: FastifyInstance,
  read: (request: FastifyRequest, body: Buffer<ArrayBuffer>, done: ContentTypeParserDoneFunction) => void,
): void {
  app.addContentTypeParser(TYPE, { parseAs: 'buffer' }, (request, body: Buffer<ArrayBuffer>, done) => {
    let written: Buffer<ArrayBuffer>;
    try {
      written = inUtf8(body, request);
    } catch (error) {
      // Fastify hears of a failure by `done` alone.
      done(error as Error);
      return;
    }
    read(request, written, done);
  });
}

/** Small ones wait for nobody. One that does not say its size may be of any. */
function isLarge(request: FastifyRequest): boolean {
  const length = request.headers['content-length'];
  const isMultipart = request.headers['content-type']?.startsWith('multipart/') ?? false;
  return !isMultipart && (length === undefined || Number(length) > LARGEST_JSON_BYTES);
}

/** `asItCame`: the text is the caller's own, so that a place in it means something to them. */
function parsed(
  { text, asItCame }: { text: string; asItCame: boolean },
  request: FastifyRequest,
  parse: ReturnType<FastifyInstance['getDefaultJsonParser']>,
  done: ContentTypeParserDoneFunction,
): void {
  if (text.trim() === '') {
    done(null, undefined);
    return;
  }
  void parse(request, text, (error, value) => {
    if (error) done(asItCame ? explained(text, error) : error, undefined);
    else done(null, value);
  });
}

/** What is wrong and where, without a word of what stands there. A name that must not be is no fault of JSON. */
function explained(text: string, cause: Error): Error {
  const fault = jsonFault(text);
  if (!fault) return cause;
  const { text: said } = ERROR_CATALOGUE.INVALID_JSON;
  return new AppError('INVALID_JSON', {
    message: `${said}: ${fault.why} (${placeOf(text, fault.at)})`,
    cause,
  });
}

/** What stands before each file, and after the last. */
function textsAround(body: Buffer, files: JsonMeasure['files']): string[] {
  let from = 0;
  const texts = files.map(({ start, end }) => {
    const text = body.toString('utf8', from, start);
    from = end;
    return text;
  });
  return [...texts, body.toString('utf8', from)];
}

function refusal({ excess }: JsonMeasure): AppError | null {
  switch (excess) {
    case 'depth':
      return invalidField('body', `must not nest deeper than ${DEEPEST_JSON} levels`);
    case 'items':
      return invalidField('body', `must not have more than ${MOST_JSON_ITEMS} items in a list or object`);
    case 'bytes':
      return new AppError('PAYLOAD_TOO_LARGE', {
        message: `the body is larger than ${LARGEST_JSON_BYTES} bytes, its files not counted`,
      });
    default:
      return null;
  }
}
