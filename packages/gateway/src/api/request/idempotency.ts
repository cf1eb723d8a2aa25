/** `Idempotency-Key`: what was done once is not done again. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { type Idempotency, type KeyedAttempt, requestHash } from '../../sending/idempotency.ts';
import { stated } from '../description/stated.ts';
import { DeviceHeaders, selectedDevice } from './device.ts';

/** Headers of the operations that send. */
export const SendHeaders = Type.Object({
  ...DeviceHeaders.properties,
  'idempotency-key': Type.Optional(
    stated(
      Type.String({
        description: 'The same key and request within 24 h answers as the first time and sends nothing',
      }),
      { pattern: '^[\\x21-\\x7e](?:[\\x20-\\x7e]{0,253}[\\x21-\\x7e])?$' },
    ),
  ),
});

/** Does the work once per `Idempotency-Key`, when the request carries one. */
export async function once<Answer extends Record<string, unknown>>(
  idempotency: Idempotency,
  request: FastifyRequest,
  reply: FastifyReply,
  work: (attempt?: KeyedAttempt) => Promise<Answer>,
): Promise<Answer> {
  const key = idempotencyKey(request);
  if (key === undefined) return work();
  const hash = requestHash({
    method: request.method,
    path: request.url.split('?')[0] ?? '',
    device: selectedDevice(request) ?? null,
    body: comparable(request),
  });
  const answer = await idempotency.run(request.caller, key, hash, async (attempt) => ({
    body: await work(attempt),
    // The work may have said that it is not done yet.
    status: reply.statusCode,
  }));
  if (answer.replayed) reply.header('idempotency-replayed', 'true');
  reply.code(answer.status);
  return answer.body as Answer;
}

function idempotencyKey(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  return typeof key === 'string' ? key : undefined;
}

/** The body with its files by their content: their tokens are new each time. */
function comparable(request: FastifyRequest): unknown {
  if (!request.uploaded) return request.body;
  const contents = new Map(request.uploaded.map(({ token, sha256 }) => [token, `sha256:${sha256}`]));
  return replaced(request.body, contents);
}

function replaced(value: unknown, texts: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') return texts.get(value) ?? value;
  if (Array.isArray(value)) return value.map((each) => replaced(each, texts));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, replaced(each, texts)]));
}
