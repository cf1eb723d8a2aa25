/**
 * How an operation fails, as data. A route lists beside its answers the codes that its own work can end with; what
 * follows from how the route is built (who may call it, what it reads) is added here. Out of both come the failing
 * answers of the OpenAPI document, and `isDocumented` tells whether an answer is among them.
 */
import type { RouteOptions } from 'fastify';
import { Type } from 'typebox';
import { ERROR_CATALOGUE, type ErrorCode } from '../../errors.ts';
import type { Access } from '../auth.ts';
import type { ErrorBody } from '../schemas.ts';

/** The codes of one failing status, beside what the document says of it; symbols are left out of JSON. */
const CODES = Symbol('codes');

interface Failure {
  description: string;
  $ref: string;
  [CODES]: readonly ErrorCode[];
}

/** The failing half of a route's `response`, spread beside its successes: `{ 200: Answer, ...failures('NOT_FOUND') }`. */
export function failures(...codes: ErrorCode[]): Record<string, ReturnType<typeof reference>> {
  const byStatus = Map.groupBy(new Set(codes), (code) => String(ERROR_CATALOGUE[code].status));
  return Object.fromEntries([...byStatus].map(([status, those]) => [status, reference(those)]));
}

/** The route's `response` with the failures that the server answers for it. */
export function withFailuresOfServer(route: RouteOptions): Record<string, unknown> {
  const response = { ...(route.schema?.response as Record<string, unknown> | undefined) };
  const declared = Object.values(response).flatMap((each) => codesOf(each));
  return { ...response, ...failures(...declared, ...failuresOfServer(route)) };
}

/** Whether the document says that the route answers so; `code` is null for a success. */
export function isDocumented(
  response: Readonly<Record<string, unknown>> | undefined,
  status: number,
  code: ErrorCode | null,
): boolean {
  const documented = response?.[String(status)];
  return documented !== undefined && (code === null || codesOf(documented).includes(code));
}

function reference(codes: readonly ErrorCode[]) {
  const failure: Failure = { description: codes.join(', '), $ref: 'ErrorEnvelope#', [CODES]: codes };
  return Type.Unsafe<ErrorBody>(failure);
}

function codesOf(answer: unknown): readonly ErrorCode[] {
  return typeof answer === 'object' && answer !== null && CODES in answer ? (answer as Failure)[CODES] : [];
}

/** Whatever is not read or deleted makes something new, and needs room for it. */
export const KEEPS: readonly string[] = ['POST', 'PUT', 'PATCH'];

function failuresOfServer(route: RouteOptions): ErrorCode[] {
  const { querystring } = route.schema ?? {};
  const access: Access = route.config?.access ?? 'user';
  const methods = [route.method].flat();
  // A body that nobody asked for is read and may be refused, except where HTTP gives it no meaning.
  const readsBody = !methods.some((method) => method === 'GET' || method === 'HEAD');
  // Every operation may be asked with a parameter that nobody knows, which `WUTS_STRICT` refuses.
  const codes: ErrorCode[] = ['INTERNAL_ERROR', 'SHUTTING_DOWN', 'STORAGE_UNAVAILABLE', 'VALIDATION_ERROR'];
  // Of requests that are refused while they are read, before it is known what they ask for.
  codes.push('REQUEST_TIMEOUT', 'HEADERS_TOO_LARGE');
  if (readsBody) codes.push('INVALID_JSON', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE');
  if (route.config?.fileMembers) codes.push('INVALID_MEDIA', 'RATE_LIMITED');
  if (methods.some((method) => KEEPS.includes(method))) codes.push('STORAGE_FULL');
  if (takesDevice(querystring)) codes.push('DEVICE_NOT_FOUND');
  if (access !== 'public') codes.push('UNAUTHORIZED');
  // A user who was deactivated or has another role, and the requests of his tenant.
  if (access !== 'public' && access !== 'master') codes.push('FORBIDDEN', 'QUOTA_EXCEEDED');
  return codes;
}

function takesDevice(querystring: unknown): boolean {
  const { properties } = (querystring ?? {}) as { properties?: object };
  return properties !== undefined && 'device_id' in properties;
}
