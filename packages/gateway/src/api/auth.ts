/**
 * Who may call an operation, decided before its body is read. A route says it in
 * `config.access`; one that says nothing needs a user's token, so that forgetting is safe.
 */
import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors.ts';
import type { Caller, Role } from '../tenancy/caller.ts';

/** `user`: any active user's token; `master`: the platform's master token; `user or master`: either; `public`: none. */
export type Access = 'user' | 'master' | 'user or master' | 'public' | { readonly roles: readonly Role[] };

export const requireMaster: Access = 'master';

/** Only users with one of these roles; others are answered 403. Used as `config: { access: requireRole('admin') }`. */
export function requireRole(...roles: Role[]): Access {
  return { roles };
}

/** What the edge asks of tenancy to know a caller. */
export interface Authenticator {
  /** The caller a token belongs to; null for an unknown one. Throws FORBIDDEN for a deactivated user. */
  authenticate(token: string): Promise<Caller | null>;
  isMasterToken(token: string): boolean;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
    /** Lets a request without a token in, by what its address proves; null when that proves nothing. */
    byLink?: (request: FastifyRequest) => Promise<Caller | null>;
    /** Answered while the server stops: probes and metrics. */
    whileStopping?: boolean;
    /** Members of its body with files as base64, as `plainName` has them; they do not count for its size. */
    fileMembers?: () => ReadonlySet<string>;
  }
  interface FastifyRequest {
    /** The authenticated user. Reading it on a route without one is a programming error and throws. */
    caller: Caller;
    authenticatedCaller: Caller | null;
  }
}

/**
 * The token of an `Authorization` header: the scheme in any case, or no scheme at all
 * (both documented). Null when there is none.
 */
function bearerToken(header: string | undefined): string | null {
  if (header === undefined) return null;
  const token = header
    .trim()
    .replace(/^bearer(?:\s|$)/i, '')
    .trim();
  return token === '' ? null : token;
}

/** A program that sends HTTP's own credentials to a proxy, and ours beside them. */
const BASIC = /^basic\s/i;

/**
 * The token that came with a request: in `Authorization`, else in `X-Api-Key` or `apikey`, as other gateways take
 * it. From headers alone: an address ends up in logs. Null when there is none.
 */
export function tokenOf({ headers }: FastifyRequest): string | null {
  const { authorization, 'x-api-key': xApiKey, apikey } = headers;
  const keys = [xApiKey, apikey].map((each) => (typeof each === 'string' ? bearerToken(each) : null));
  const key = keys.find((each) => each !== null) ?? null;
  if (key !== null && authorization !== undefined && BASIC.test(authorization)) return key;
  return bearerToken(authorization) ?? key;
}

/** Authenticates a request for a route's access rule; throws UNAUTHORIZED or FORBIDDEN. */
export async function authorize(
  request: FastifyRequest,
  access: Access,
  authenticator: Authenticator,
): Promise<void> {
  if (access === 'public') return;
  const token = tokenOf(request);
  if (access === 'master') {
    if (token === null) throw new AppError('UNAUTHORIZED', { message: 'master token required' });
    if (!authenticator.isMasterToken(token)) {
      throw new AppError('UNAUTHORIZED', { message: 'invalid master token' });
    }
    return;
  }
  if (token === null) {
    const byLink = await request.routeOptions.config.byLink?.(request);
    if (!byLink) throw new AppError('UNAUTHORIZED');
    request.authenticatedCaller = byLink;
    return;
  }
  if (access === 'user or master' && authenticator.isMasterToken(token)) return;
  const caller = await authenticator.authenticate(token);
  if (caller === null) throw unknownToken(authenticator.isMasterToken(token));
  // Its own, since the same one is given to every request with this token.
  request.authenticatedCaller = { ...caller };
  if (typeof access === 'object' && !access.roles.includes(caller.role)) throw new AppError('FORBIDDEN');
}

function unknownToken(isMaster: boolean): AppError {
  const hint =
    "this is the platform's master token: it manages tenants; here it takes the token of a user, as POST /register answers with";
  return new AppError('UNAUTHORIZED', { message: 'Invalid token', ...(isMaster ? { extra: { hint } } : {}) });
}
