/** Turns whatever was thrown into the one envelope. Only catalogued errors say anything about themselves. */

import type { ErrorObject } from 'ajv';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { rfc3339 } from '../clock.ts';
import {
  AppError,
  type AppErrorDetail,
  ERROR_CATALOGUE,
  type ErrorCode,
  type FieldProblem,
} from '../errors.ts';
import { SEND_LARGE_FILES } from '../media/outgoing/base64.ts';
import { isStorageFailure } from '../storage/failure.ts';
import { ignoredIn } from './request/ignored.ts';

declare module 'fastify' {
  interface FastifyReply {
    /** The code of the error that was answered; null for a success. */
    failure: ErrorCode | null;
  }
}

/** More would help nobody and make the answer larger than the request. */
const MOST_PROBLEMS = 20;
/** Rejected values are shown, but a megabyte of base64 is not sent back. */
const LONGEST_VALUE = 200;
const SECRET_FIELD = /password|token|secret|authorization|proxy/i;

/** The envelope as an object, for places that answer without Fastify. */
export function errorBody(
  code: ErrorCode,
  requestId: string,
  now: number,
  detail: AppErrorDetail = {},
): Record<string, unknown> {
  return {
    success: false,
    error: detail.message ?? ERROR_CATALOGUE[code].text,
    error_code: code,
    timestamp: rfc3339(now),
    ...(detail.validation ? { validation: detail.validation } : {}),
    ...detail.extra,
    request_id: requestId,
  };
}

/** Answers a request with an error of the catalogue. */
export function sendError(reply: FastifyReply, error: AppError, now: number): FastifyReply {
  const { retryAfterSeconds } = error.detail;
  reply.failure = error.code;
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(Math.ceil(retryAfterSeconds)));
  return reply
    .code(error.status)
    .type('application/json; charset=utf-8')
    .send(errorBody(error.code, reply.request.id, now, { ...error.detail, message: error.message }));
}

/** The catalogued error for anything a handler, hook or Fastify itself threw. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (!(error instanceof Error)) return new AppError('INTERNAL_ERROR', { cause: error });
  const { code, validation, validationContext, statusCode } = error as FastifyError & { statusCode?: number };
  if (validation) return validationError(validation as ErrorObject[], validationContext ?? 'body');
  switch (code) {
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return new AppError('INVALID_JSON');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_ERR_CTP_INVALID_TYPE':
      return new AppError('UNSUPPORTED_MEDIA_TYPE');
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new AppError('PAYLOAD_TOO_LARGE', {
        message: 'the request body is larger than this operation accepts',
      });
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new AppError('VALIDATION_ERROR', {
        message: 'the body does not have the length that was announced',
      });
    case 'FST_ERR_BAD_URL':
      return new AppError('VALIDATION_ERROR', { message: 'the URL is not validly percent-encoded' });
    case 'ECONNRESET':
      // What Fastify says of a body whose client hung up in the middle of it: there is nobody to answer.
      if (statusCode === 400) return new AppError('REQUEST_GIVEN_UP', { cause: error });
      break;
    default:
      break;
  }
  // secure-json-parse refuses `__proto__` with a plain SyntaxError carrying 400.
  if (error instanceof SyntaxError && statusCode === 400)
    return new AppError('INVALID_JSON', { cause: error });
  if (isStorageFailure(error)) {
    return new AppError('STORAGE_UNAVAILABLE', { retryAfterSeconds: STORAGE_RETRY_S, cause: error });
  }
  return new AppError('INTERNAL_ERROR', { cause: error });
}

const STORAGE_RETRY_S = 5;

const EXPECTED = new Set<ErrorCode>(['DEVICE_NOT_READY', 'SHUTTING_DOWN']);

/** The server's error handler: logs the failures that we have to repair, and answers all of them. */
export function handleError(now: () => number) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const known = withAdvice(toAppError(error), request);
    if (known.code === 'INTERNAL_ERROR') {
      request.log.error({ err: error, route: request.routeOptions.url }, 'an operation failed unexpectedly');
      return sendError(reply, new AppError('INTERNAL_ERROR'), now());
    }
    if (known.status >= 500) {
      // A device that is not connected is an everyday answer; its own state is logged where it changes.
      const level = EXPECTED.has(known.code) ? 'debug' : 'warn';
      request.log[level]({ err: known, code: known.code }, 'an operation failed');
    }
    return sendError(reply, known, now());
  };
}

/** Where a file was too large for JSON, how to send it. */
function withAdvice(error: AppError, request: FastifyRequest): AppError {
  if (error.code !== 'PAYLOAD_TOO_LARGE' || !request.routeOptions.config.fileMembers) return error;
  const message = `${error.message}; ${SEND_LARGE_FILES}`;
  return new AppError(error.code, { ...error.detail, message, cause: error.cause });
}

/** VALIDATION_ERROR of what a schema found; `context` names the whole, for what is wrong with no member. */
export function validationError(errors: ErrorObject[], context: string): AppError {
  const problems: FieldProblem[] = [];
  const seen = new Set<string>();
  for (const error of errors) {
    const problem = fieldProblem(error, context);
    // A union reports each of its branches and then itself: the first line per field says enough.
    if (seen.has(problem.field)) continue;
    seen.add(problem.field);
    problems.push(problem);
    if (problems.length === MOST_PROBLEMS) break;
  }
  const first = problems[0];
  const text = first ? `${first.field} ${first.message}` : ERROR_CATALOGUE.VALIDATION_ERROR.text;
  // What is missing may be there under a misspelt name.
  const warnings = ignoredIn(errors);
  return new AppError('VALIDATION_ERROR', {
    message: text,
    validation: problems,
    ...(warnings.length > 0 ? { extra: { warnings } } : {}),
  });
}

function fieldProblem(error: ErrorObject, context: string): FieldProblem {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (error.keyword === 'required') {
    path.push(String(error.params.missingProperty));
    return { field: path.join('.'), message: 'is required' };
  }
  const field = path.length > 0 ? path.join('.') : context;
  const message = describe(error);
  if (path.some((part) => SECRET_FIELD.test(part))) return { field, message };
  const value = rejectedValue(error.data);
  return value === undefined ? { field, message } : { field, message, value };
}

/** Of a whole body. Workflow tools send what they call an item in a list. */
const NO_OBJECT = 'must be a JSON object: {…}';

function describe(error: ErrorObject): string {
  switch (error.keyword) {
    case 'enum':
      return `must be one of ${(error.params.allowedValues as unknown[]).join(', ')}`;
    case 'const':
      return `must be ${JSON.stringify(error.params.allowedValue)}`;
    case 'type':
      if (error.instancePath === '' && error.params.type === 'object') return NO_OBJECT;
      return `must be ${[error.params.type].flat().join(' or ')}`;
    default:
      return error.message ?? 'is not valid';
  }
}

/** Scalars as they came, texts cut; an object or array may hold a secret deeper down and is left out. */
function rejectedValue(value: unknown): unknown {
  if (typeof value === 'string') {
    return value.length > LONGEST_VALUE ? `${value.slice(0, LONGEST_VALUE)}…` : value;
  }
  return typeof value === 'object' && value !== null ? undefined : value;
}
