/** The parts of pushing events, tied together. */
import type { Kysely } from 'kysely';
import type { Registry } from 'prom-client';
import type { Clock } from '../clock.ts';
import type { WebhookConfig } from '../config.ts';
import type { Devices } from '../devices/devices.ts';
import type { EventSubscribers } from '../events/outbox.ts';
import type { EventRecorder } from '../events/recorder.ts';
import type { EventStore } from '../events/store.ts';
import { AddressPolicy } from '../net/address-policy.ts';
import type { GuardedClient } from '../net/guarded-client.ts';
import type { Log } from '../observability/log.ts';
import type { Database } from '../storage/schema.ts';
import type { Vault } from '../storage/vault.ts';
import { Attempts } from './attempt.ts';
import { Deliveries } from './deliveries.ts';
import { Endpoints } from './endpoints.ts';
import { WebhookSubscribers } from './enlist.ts';
import { WebhookMetrics } from './metrics.ts';
import { Replay } from './replay.ts';
import { Subscriptions } from './subscriptions.ts';
import { Trial } from './trial.ts';
import { DeliveryWorker } from './worker.ts';

export interface WebhooksParts {
  db: Kysely<Database>;
  vault: Vault;
  clock: Clock;
  log: Log;
  client: GuardedClient;
  allowNetworks: readonly string[];
  registry: Registry;
  store: EventStore;
  settings: WebhookConfig;
  /** Both are asked for when they are needed: they are made after this, and know it. */
  events(): EventRecorder;
  devices(): Pick<Devices, 'resolve' | 'list'>;
  random?: () => number;
}

/**
 * In a flood the worker looks for due deliveries once per this time, not once per event: each look is two
 * queries. The first event of a calm time is delivered at once.
 */
const GATHER_MS = 5;

export class Webhooks {
  /** For the outbox: writes the deliveries of an event. */
  readonly subscribers: EventSubscribers;
  readonly endpoints: Endpoints;
  readonly deliveries: Deliveries;
  readonly replay: Replay;
  readonly trial: Trial;
  readonly #worker: DeliveryWorker;
  #gathering: NodeJS.Timeout | null = null;
  #missed = false;
  readonly #subscribers: WebhookSubscribers;

  constructor(parts: WebhooksParts) {
    const { settings } = parts;
    const subscriptions = new Subscriptions();
    const devices: Pick<Devices, 'resolve' | 'list'> = {
      resolve: (caller, id) => parts.devices().resolve(caller, id),
      list: (caller, scope) => parts.devices().list(caller, scope),
    };
    const events: EventRecorder = {
      record: (trx, device, event) => parts.events().record(trx, device, event),
      committed: () => parts.events().committed(),
    };
    this.#subscribers = new WebhookSubscribers({ subscriptions, clock: parts.clock });
    this.subscribers = this.#subscribers;
    const worker = new DeliveryWorker({
      ...parts,
      events,
      subscriptions,
      metrics: new WebhookMetrics(parts),
      concurrency: settings.concurrency,
      pause: { afterMs: settings.pauseAfterMs, failures: settings.pauseAfterFailures },
    });
    this.#worker = worker;
    const wake = () => worker.wake();
    this.endpoints = new Endpoints({
      ...parts,
      devices,
      policy: new AddressPolicy(parts.allowNetworks),
      subscriptions,
      changed: (endpointId) => worker.endpointChanged(endpointId),
    });
    this.deliveries = new Deliveries({ ...parts, devices, wake });
    this.replay = new Replay({ ...parts, wake });
    this.trial = new Trial({ ...parts, attempts: new Attempts(parts) });
  }

  /** Takes up what an earlier process left open. */
  start(): void {
    this.#worker.start();
  }

  /** Ends within 2.5 s; what was not answered by then stays pending. */
  stop(): Promise<void> {
    return this.#worker.stop();
  }

  /** Events were committed. Never throws and does not wait. */
  committed(): void {
    if (!this.#subscribers.enlistedLately()) return;
    if (this.#gathering) {
      this.#missed = true;
      return;
    }
    this.#worker.wake();
    this.#gathering = setTimeout(() => {
      this.#gathering = null;
      if (!this.#missed) return;
      this.#missed = false;
      this.#worker.wake();
    }, GATHER_MS);
    this.#gathering.unref();
  }
}
