import type { InjectOptions } from 'fastify';
import { pino } from 'pino';
import { passkeyPage } from '../../src/api/passkey-page/index.ts';
import { instancesRoutes } from '../../src/api/routes/instances/index.ts';
import type { Caller, Role } from '../../src/tenancy/caller.ts';
import { CallersServer } from '../worlds/callers-server.ts';
import { DevicesWorld } from './devices-world.ts';

export interface Answer {
  status: number;
  body: Record<string, unknown> & { data: Record<string, unknown> };
}

/** The tag's operations over the real server, database and device part. */
export class InstancesApi {
  readonly world: DevicesWorld;
  readonly #server: CallersServer;

  private constructor(world: DevicesWorld, server: CallersServer) {
    this.world = world;
    this.#server = server;
  }

  static async create({ publicUrl = null }: { publicUrl?: string | null } = {}): Promise<InstancesApi> {
    const world = await DevicesWorld.create();
    const server = await CallersServer.create({
      log: pino({ level: 'debug' }, { write: (line) => void world.logLines.push(line) }),
      clock: world.clock,
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
    return new InstancesApi(world, server);
  }

  async destroy(): Promise<void> {
    await this.#server.close();
    await this.world.destroy();
  }

  /** A new user, of a new tenant unless one is given; the user id is the token. */
  async user(role: Role = 'admin', tenantId?: string): Promise<Caller> {
    return this.#server.admit(await this.world.caller(role, tenantId));
  }

  call(
    caller: Caller,
    method: 'GET' | 'POST' | 'DELETE',
    url: string,
    payload?: object,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    return this.#server.call(caller, method, url, { payload, headers });
  }

  /** Where it answers real requests. */
  listen(): Promise<string> {
    return this.#server.listen();
  }

  /** A request without a token, as browsers make them. */
  browser(options: InjectOptions) {
    return this.#server.inject(options);
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
