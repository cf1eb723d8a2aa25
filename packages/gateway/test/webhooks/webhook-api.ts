import { pino } from 'pino';
import { instancesRoutes } from '../../src/api/routes/instances/index.ts';
import { webhooksRoutes } from '../../src/api/routes/webhooks/index.ts';
import type { Device } from '../../src/devices/devices.ts';
import type { Caller, Role } from '../../src/tenancy/caller.ts';
import type { Json } from '../api/edge.ts';
import { CallersServer } from '../worlds/callers-server.ts';
import type { Receiver } from './receiver.ts';
import { WebhookWorld } from './webhook-world.ts';

/** The tag's operations over the real server, database and delivery. */
export class WebhookApi {
  readonly world: WebhookWorld;
  readonly #server: CallersServer;

  private constructor(world: WebhookWorld, server: CallersServer) {
    this.world = world;
    this.#server = server;
  }

  static async create(): Promise<WebhookApi> {
    const world = await WebhookWorld.create();
    const server = await CallersServer.create({
      log: pino({ level: 'silent' }),
      clock: world.clock,
      routes: async (server) => {
        await server.register(instancesRoutes, {
          devices: world.base.devices,
          clock: world.clock,
          webhookUrls: world.webhooks.endpoints,
          links: world.base.passkeyLinks,
          publicUrl: null,
        });
        await server.register(webhooksRoutes, world.webhooks);
      },
    });
    return new WebhookApi(world, server);
  }

  async destroy(): Promise<void> {
    await this.#server.close();
    await this.world.destroy();
  }

  /** A new user, of a new tenant unless one is given; the user id is the token. */
  async caller(role: Role = 'admin', tenantId?: string): Promise<Caller> {
    return this.#server.admit(await this.world.base.caller(role, tenantId));
  }

  /** A user with a device. */
  async shop(caller?: Caller): Promise<{ caller: Caller; device: Device }> {
    const owner = caller ?? (await this.caller());
    // Devices are listed by their age.
    this.world.clock.advance(1);
    return this.world.device(owner);
  }

  /** A user with a device, whose endpoint takes two kinds of events and is tried again once. */
  async shopWithWebhook(): Promise<{ caller: Caller; device: Device; receiver: Receiver; webhook: Json }> {
    const receiver = await this.world.receiver();
    const { caller, device } = await this.shop();
    const configured = await this.call(caller, 'POST', '/webhook', {
      webhook_url: receiver.url,
      enabled_events: ['message.received', 'message.read'],
      retry_attempts: 1,
    });
    return { caller, device, receiver, webhook: configured.body.webhook };
  }

  call(
    caller: Caller,
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    url: string,
    payload?: object,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: Json }> {
    return this.#server.call(caller, method, url, { payload, headers });
  }
}
