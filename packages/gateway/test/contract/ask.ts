import { expect } from 'vitest';
import { type RawAnswer, rawRequest } from '../bad-input/raw-request.ts';
import { type Cast, PASSWORD } from './cast.ts';
import type { Operation } from './operations.ts';
import type { GeneratedRequest } from './requests.ts';

/** Of the tag `instances`, and breaking nothing: it needs a device that stays connected. */
const OF_ACCOUNT = /^\/(?:privacy|profile)/;

/** Operations that break links, users, tokens and webhooks act on a tenant that is there for it. */
export function inPlayground({ tag, id, path }: Operation): boolean {
  return (
    tag === 'users-and-admin' ||
    tag === 'webhooks' ||
    tag === 'proxy' ||
    (tag === 'instances' && id !== 'checkSessionStatus' && !OF_ACCOUNT.test(path))
  );
}

/** Sends a generated request; what it destroys of the cast is made good. */
export async function ask(cast: Cast, operation: Operation, generated: GeneratedRequest): Promise<RawAnswer> {
  const playground = inPlayground(operation);
  cast.ready(operation);
  const token = cast.token(generated.caller, playground);
  const { segments, query, headers, body } = cast.fill(generated, playground);
  let next = 0;
  const path = operation.path.replace(/\{\w+\}/g, () => segments[next++] ?? '');
  const search = query.map(([name, value]) => `${name}=${value}`).join('&');
  const text = body === null ? undefined : 'json' in body ? JSON.stringify(body.json) : body.text;
  const answer = await rawRequest(
    cast.world.gateway.url,
    operation.method,
    search === '' ? path : `${path}?${search}`,
    {
      headers: {
        ...headers,
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body?.type ? { 'content-type': body.type } : {}),
      },
      ...(text === undefined ? {} : { body: text }),
    },
  );
  for (const secret of [token, PASSWORD]) if (secret) expect(answer.text).not.toContain(secret);
  if (answer.status < 300) await cast.mend(operation.id, answer);
  return answer;
}
