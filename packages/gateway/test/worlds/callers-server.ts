/** Operations behind the real server, asked by callers whose user id is their token. */
import type { FastifyInstance, InjectOptions } from 'fastify';
import type { Logger } from 'pino';
import { buildServer } from '../../src/api/server.ts';
import type { Clock } from '../../src/clock.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import type { Caller } from '../../src/tenancy/caller.ts';
import type { Json } from '../api/edge.ts';

type ServerParts = Parameters<typeof buildServer>[0];

export class CallersServer {
  readonly #app: FastifyInstance;
  readonly #callers: Map<string, Caller>;

  private constructor(app: FastifyInstance, callers: Map<string, Caller>) {
    this.#app = app;
    this.#callers = callers;
  }

  static async create(parts: {
    log: Logger;
    clock: Clock;
    routes: ServerParts['routes'];
  }): Promise<CallersServer> {
    const callers = new Map<string, Caller>();
    const app = await buildServer({
      ...parts,
      authenticator: {
        authenticate: async (token) => callers.get(token) ?? null,
        isMasterToken: () => false,
      },
      lifecycle: { phase: 'ready' },
      metrics: createMetrics(),
      version: '0.0.0',
    });
    return new CallersServer(app, callers);
  }

  /** From now on the id of the user is a token. */
  admit(caller: Caller): Caller {
    this.#callers.set(caller.userId, caller);
    return caller;
  }

  async call(
    caller: Caller,
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    { payload, headers }: { payload?: object | undefined; headers?: Record<string, string> },
  ): Promise<{ status: number; body: Json }> {
    const answer = await this.#app.inject({
      method,
      url,
      headers: { authorization: `Bearer ${caller.userId}`, ...headers },
      ...(payload && { payload }),
    });
    return { status: answer.statusCode, body: answer.json() };
  }

  /** A request as it is. */
  inject(options: InjectOptions) {
    return this.#app.inject(options);
  }

  /** Where it answers real requests. */
  listen(): Promise<string> {
    return this.#app.listen({ host: '127.0.0.1', port: 0 });
  }

  close(): Promise<void> {
    return this.#app.close();
  }
}
