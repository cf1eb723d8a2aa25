import type { FastifyInstance } from 'fastify';
import type { Kysely } from 'kysely';
import { platformRoutes } from '../../src/api/routes/platform/index.ts';
import { usersAndAdminRoutes } from '../../src/api/routes/users-and-admin/index.ts';
import { buildServer, type Lifecycle } from '../../src/api/server.ts';
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/observability/log.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { noQuotas } from '../../src/quotas/quotas.ts';
import type { Database } from '../../src/storage/schema.ts';
import { Authentication } from '../../src/tenancy/authentication.ts';
import { Deletions } from '../../src/tenancy/deletions.ts';
import { Tenants } from '../../src/tenancy/tenants.ts';
import { Users } from '../../src/tenancy/users.ts';
import { openTestDatabase } from '../worlds/database.ts';

export const MASTER = 'Zk3Vx9qLw2Rt7Yp4Nb8Hs6Df1Gj5Mc0A';

/** JSON as a test walks it: whatever the parser gives. */
export type Json = ReturnType<typeof JSON.parse>;

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  body: Json;
}

/** The HTTP edge with tenancy behind it, on a real port and a real database file. */
export interface Edge {
  url: string;
  db: Kysely<Database>;
  lifecycle: Lifecycle;
  /** Lines the log wrote. */
  logLines: string[];
  /** Ids given to the hooks that run before rows are deleted. */
  released: string[];
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  close(): Promise<void>;
}

export interface CallOptions {
  token?: string | undefined;
  body?: unknown;
  headers?: Record<string, string>;
}

export async function startEdge(
  more?: (app: FastifyInstance) => Promise<void>,
  { strict = false }: { strict?: boolean } = {},
): Promise<Edge> {
  const store = await openTestDatabase();
  const { db } = store;
  const authenticator = new Authentication(db, MASTER);
  const changed = (tenantId: string): void => authenticator.forget(tenantId);
  const released: string[] = [];
  const deletions = deletionsOf(db, released, changed);
  const tenants = new Tenants({ db, clock: systemClock, deletions });
  const users = new Users({
    db,
    quotas: noQuotas,
    clock: systemClock,
    deletions,
    changed,
  });
  const lifecycle: Lifecycle = { phase: 'ready' };
  const metrics = createMetrics();
  const logLines: string[] = [];
  const log = createLog({
    level: 'info',
    format: 'json',
    destination: { write: (line) => void logLines.push(line) },
  });
  const app = await buildServer({
    log,
    clock: systemClock,
    authenticator,
    lifecycle,
    metrics,
    strict,
    version: '0.0.0-test',
    async routes(server) {
      await server.register(platformRoutes, {
        lifecycle,
        metrics,
        version: '0.0.0-test',
        databaseAnswers: async () => true,
      });
      await server.register(usersAndAdminRoutes, { tenants, users });
      if (more) await more(server);
    },
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    db,
    lifecycle,
    logLines,
    released,
    call: (method, path, options = {}) => call(`${url}${path}`, method, options),
    async close() {
      await app.close();
      await store.close();
    },
  };
}

/** Whose ids are given to `released` before their rows go. */
export function deletionsOf(
  db: Kysely<Database>,
  released: string[],
  forget: (tenantId: string) => void = () => undefined,
): Deletions {
  return new Deletions({
    db,
    clock: systemClock,
    log: createLog({ level: 'silent', format: 'json' }),
    files: { blob: async () => undefined, kept: async () => undefined },
    beforeDelete: async (tenantId, userId) => void released.push(userId ?? tenantId),
    forget,
  });
}

async function call(url: string, method: string, options: CallOptions): Promise<Answer> {
  const { token, body, headers } = options;
  const response = await fetch(url, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('application/json') && text !== '';
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : undefined,
  };
}

/** Registers a tenant and returns what it answered. */
export async function register(edge: Edge, name: string): Promise<Json> {
  const answer = await edge.call('POST', '/register', {
    token: MASTER,
    body: { tenant_name: name, email: `admin@${name}.example`, password: 'correct horse battery' },
  });
  if (answer.status !== 201) throw new Error(`register: ${answer.status} ${answer.text}`);
  return answer.body;
}

/** Creates a user in the admin's tenant and returns it with its token. */
export async function addUser(edge: Edge, adminToken: string, email: string, role: string): Promise<Json> {
  const answer = await edge.call('POST', '/users', {
    token: adminToken,
    body: { email, password: 'correct horse battery', role },
  });
  if (answer.status !== 201) throw new Error(`user: ${answer.status} ${answer.text}`);
  return answer.body.user;
}
