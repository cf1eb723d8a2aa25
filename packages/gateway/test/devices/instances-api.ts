import type { FastifyInstance, InjectOptions } from 'fastify';
import { pino } from 'pino';
import { passkeyPage } from '../../src/api/passkey-page/index.ts';
import { instancesRoutes } from '../../src/api/routes/instances/index.ts';
import { buildServer } from '../../src/api/server.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import type { Caller, Role } from '../../src/tenancy/caller.ts';
import { DevicesWorld } from './devices-world.ts';

export interface Answer {
  status: number;
  body: Record<string, unknown> & { data: Record<string, unknown> };
}

/** The tag's operations over the real server, database and device part. */
export class InstancesApi {
  readonly world: DevicesWorld;
  readonly #app: FastifyInstance;
  readonly #callers: Map<string, Caller>;

  private constructor(world: DevicesWorld, app: FastifyInstance, callers: Map<string, Caller>) {
    this.world = world;
    this.#app = app;
    this.#callers = callers;
  }

  static async create({ publicUrl = null }: { publicUrl?: string | null } = {}): Promise<InstancesApi> {
    const world = await DevicesWorld.create();
    const callers = new Map<string, Caller>();
    const app = await buildServer({
      log: pino({ level: 'debug' }, { write: (line) => void world.logLines.push(line) }),
      clock: world.clock,
      authenticator: {
        authenticate: async (token) => callers.get(token) ?? null,
        isMasterToken: () => false,
      },
      lifecycle: { phase: 'ready' },
      metrics: createMetrics(),
      version: '0.0.0',
      routes: async (server) => {
        await server.register(instancesRoutes, {
          devices: world.devices,
          clock: world.clock,
          webhookUrls: { urls: async () => new Map() },
          links: world.passkeyLinks,
          publicUrl,
        });
        await server.register(passkeyPage, {
          devices: world.devices,
          clock: world.clock,
          links: world.passkeyLinks,
        });
      },
    });
    return new InstancesApi(world, app, callers);
  }

  async destroy(): Promise<void> {
    await this.#app.close();
    await this.world.destroy();
  }

  /** A new user, of a new tenant unless one is given; the user id is the token. */
  async user(role: Role = 'admin', tenantId?: string): Promise<Caller> {
    const caller = await this.world.caller(role, tenantId);
    this.#callers.set(caller.userId, caller);
    return caller;
  }

  async call(
    caller: Caller,
    method: 'GET' | 'POST' | 'DELETE',
    url: string,
    payload?: object,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const options: InjectOptions = {
      method,
      url,
      headers: { authorization: `Bearer ${caller.userId}`, ...headers },
      ...(payload && { payload }),
    };
    const answer = await this.#app.inject(options);
    return { status: answer.statusCode, body: answer.json() };
  }

  /** Where it answers real requests. */
  listen(): Promise<string> {
    return this.#app.listen({ host: '127.0.0.1', port: 0 });
  }

  /** A request without a token, as browsers make them. */
  browser(options: InjectOptions) {
    return this.#app.inject(options);
  }

  /** Asks for a QR and lets the network give `code`, valid for 60 s. */
  async askQr(caller: Caller, url: string, code: string): Promise<Answer> {
    const { network, clock } = this.world;
    const next = network.sessions.length;
    const asked = this.call(caller, 'GET', url);
    await (await network.started(next)).qr(code, clock.now() + 60_000);
    return asked;
  }
}
