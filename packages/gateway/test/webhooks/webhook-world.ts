import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { Device } from '../../src/devices/devices.ts';
import type { EventName } from '../../src/events/catalogue/names.ts';
import { composeEvents } from '../../src/events/composition.ts';
import type { OrderKey } from '../../src/events/order-key.ts';
import type { EventOutbox } from '../../src/events/outbox.ts';
import { GuardedClient } from '../../src/net/guarded-client.ts';
import { noQuotas } from '../../src/quotas/quotas.ts';
import { Vault } from '../../src/storage/vault.ts';
import type { Caller } from '../../src/tenancy/caller.ts';
import { composeWebhooks, type WebhooksRoom } from '../../src/webhooks/composition.ts';
import type { Endpoint } from '../../src/webhooks/endpoint.ts';
import type { EndpointInput } from '../../src/webhooks/endpoint-input.ts';
import { PARKED } from '../../src/webhooks/queue.ts';
import type { Webhooks, WebhooksParts } from '../../src/webhooks/webhooks.ts';
import { DevicesWorld } from '../devices/devices-world.ts';
import { Receiver } from './receiver.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** Their jitter is 0 with `random` at one half. */
export const SCHEDULE = [
  5000,
  30_000,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  ...Array<number>(6).fill(10 * HOUR),
];

type Settings = WebhooksParts['settings'];

/** Pushing on a real database, to real receivers, with a clock that stands still. */
export class WebhookWorld {
  readonly base: DevicesWorld;
  readonly #client = new GuardedClient({ allowNetworks: ['127.0.0.0/8'] });
  readonly #vault = new Vault(new Uint8Array(32).fill(9));
  readonly #receivers: Receiver[] = [];
  readonly #settings: Settings;
  readonly #retention = { eventMs: 7 * DAY, failedMs: 30 * DAY };
  registry = new Registry();
  outbox: EventOutbox;
  #room: WebhooksRoom;

  private constructor(base: DevicesWorld, settings: Settings) {
    this.base = base;
    this.#settings = settings;
    [this.#room, this.outbox] = this.#compose();
  }

  static async create(settings: Partial<Settings> = {}): Promise<WebhookWorld> {
    const world = new WebhookWorld(await DevicesWorld.create(), {
      concurrency: 64,
      pauseAfterMs: 5 * DAY,
      pauseAfterFailures: 10,
      ...settings,
    });
    world.#room.step.start?.();
    return world;
  }

  #compose(): [WebhooksRoom, EventOutbox] {
    const { db, clock } = this.base;
    const log = pino({ level: 'info' }, { write: (line) => void this.base.logLines.push(line) });
    this.registry = new Registry();
    const events = composeEvents({
      db,
      clock,
      vault: this.#vault,
      log,
      retention: this.#retention,
    });
    const room = composeWebhooks({
      quotas: noQuotas,
      db,
      clock,
      vault: this.#vault,
      log,
      client: this.#client,
      allowNetworks: ['127.0.0.0/8'],
      registry: this.registry,
      store: events.store,
      settings: this.#settings,
      retention: this.#retention,
      events: events.outbox,
      devices: this.base.devices,
      random: () => 0.5,
    });
    return [room, events.outbox];
  }

  get webhooks(): Webhooks {
    return this.#room.webhooks;
  }

  get clock() {
    return this.base.clock;
  }

  get db() {
    return this.base.db;
  }

  /** Ends as the process does on SIGTERM: what is under way is given its time, then broken off. */
  async stop(): Promise<void> {
    const stopped = this.#room.step.stop?.();
    this.clock.advance(2500);
    await stopped;
  }

  /** As a new process: nothing but the database remains. */
  async restart(): Promise<void> {
    await this.stop();
    [this.#room, this.outbox] = this.#compose();
    this.#room.step.start?.();
  }

  async destroy(): Promise<void> {
    await this.stop();
    await this.#client.close();
    await Promise.all(this.#receivers.map((receiver) => receiver.stop()));
    await this.base.destroy();
  }

  async receiver(): Promise<Receiver> {
    const receiver = await Receiver.start();
    this.#receivers.push(receiver);
    return receiver;
  }

  /** A new tenant with an admin and a device. */
  async device(caller?: Caller): Promise<{ caller: Caller; device: Device }> {
    const owner = caller ?? (await this.base.caller());
    return { caller: owner, device: await this.base.devices.create(owner, { name: 'shop' }) };
  }

  /** A tenant, a device and a webhook on a receiver. */
  async connected(input: Partial<EndpointInput> = {}) {
    const receiver = await this.receiver();
    const { caller, device } = await this.device();
    const endpoint = await this.configure(caller, device, { url: receiver.url, ...input });
    return { receiver, caller, device, endpoint };
  }

  configure(caller: Caller, device: Device, input: EndpointInput): Promise<Endpoint> {
    return this.webhooks.endpoints.configure(caller, device.id, { events: ['message.received'], ...input });
  }

  /** Records events as the archive does: each in its own transaction, numbered by `n`. */
  async record(device: Device, chat: OrderKey, ...numbers: number[]): Promise<void> {
    for (const n of numbers) await this.recordEvent(device, 'message.received', chat, { n });
  }

  async recordEvent(device: Device, name: EventName, orderKey: OrderKey, data: object): Promise<void> {
    await this.db
      .transaction()
      .execute((trx) => this.outbox.record(trx, eventDevice(device), { name, orderKey, data }));
    this.outbox.committed();
  }

  deliveries(endpoint: { id: string }) {
    return this.db
      .selectFrom('webhook_deliveries')
      .selectAll()
      .where('endpoint_id', '=', endpoint.id)
      .orderBy('event_seq')
      .orderBy('created_at')
      .execute();
  }

  endpoint(id: string) {
    return this.db.selectFrom('webhook_endpoints').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  }

  /** Asks the database until it holds what is expected. */
  async until<T>(ask: () => Promise<T | false | null | undefined>): Promise<T> {
    for (;;) {
      const answer = await ask();
      if (answer) return answer;
      // The loop and the machine are left to what is waited for.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Resolves when the endpoint's deliveries are in these states, in the order of their events. */
  untilStates(endpoint: { id: string }, ...states: string[]): Promise<true> {
    return this.until(async () => {
      const found = (await this.deliveries(endpoint)).map((row) => row.state);
      return found.join() === states.join();
    });
  }

  /** Resolves when every chat has delivered all, waits for its retry, or is held up by its endpoint. */
  settled(): Promise<true> {
    return this.until(async () => {
      const lanes = await this.db
        .selectFrom('webhook_deliveries as delivery')
        .innerJoin('webhook_endpoints as endpoint', 'endpoint.id', 'delivery.endpoint_id')
        .select((eb) => eb.fn.min('delivery.next_attempt_at').as('due'))
        .where('delivery.state', '=', 'pending')
        .where('endpoint.state', '=', 'active')
        .where('endpoint.enabled', '=', 1)
        .groupBy(['delivery.endpoint_id', 'delivery.order_key'])
        .execute();
      return lanes.every(({ due }) => due > this.clock.now() && due !== PARKED);
    });
  }

  /** Moves time forward step by step, as it passes for a receiver that answers at once. */
  async pass(ms: number, step: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += step) {
      await this.settled();
      this.clock.advance(step);
    }
    await this.settled();
  }

  /** Resolves when the endpoint's earliest delivery has been attempted so often, with its due time. */
  untilAttempts(endpoint: { id: string }, attempts: number): Promise<{ state: string; dueIn: number }> {
    return this.until(async () => {
      const [first] = await this.deliveries(endpoint);
      if (first?.attempts !== attempts) return null;
      return { state: first.state, dueIn: first.next_attempt_at - this.clock.now() };
    });
  }
}

export function eventDevice(device: Device) {
  return { id: device.id, tenantId: device.tenantId, userId: device.userId };
}

/** A promise that the test resolves. */
export function gate(): { opened: Promise<void>; open(): void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

export const unknownId = (): string => randomUUID();
