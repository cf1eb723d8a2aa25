/** The parts of pushing events, tied together. */

import type { Kysely, Transaction } from 'kysely';
import type { Registry } from 'prom-client';
import { type Clock, systemClock } from '../clock.ts';
import type { RetentionConfig, WebhookConfig } from '../config.ts';
import type { Devices } from '../devices/devices.ts';
import type { EventStore } from '../events/event-store.ts';
import type { MediaUrls } from '../events/media-urls.ts';
import type { EventSubscriber, RecordedEvent } from '../events/outbox.ts';
import type { EventDevice, EventRecorder } from '../events/recorder.ts';
import { AddressPolicy } from '../net/address-policy.ts';
import type { GuardedClient } from '../net/guarded-client.ts';
import type { Log } from '../observability/log.ts';
import type { StockPlaces } from '../quotas/quotas.ts';
import type { Database } from '../storage/schema.ts';
import type { Vault } from '../storage/vault.ts';
import { Attempts } from './attempt.ts';
import { Deliveries } from './deliveries.ts';
import { Endpoints } from './endpoints.ts';
import { WebhookSubscribers } from './enlist.ts';
import { Expiry, Patience } from './expiry.ts';
import { WebhookMetrics } from './metrics.ts';
import { Replay } from './replay.ts';
import { Subscriptions } from './subscriptions.ts';
import { Trial } from './trial.ts';
import { DeliveryWorker } from './worker.ts';

export interface WebhooksParts {
  db: Kysely<Database>;
  vault: Vault;
  quotas: StockPlaces;
  mediaUrls?: MediaUrls;
  clock: Clock;
  log: Log;
  client: GuardedClient;
  allowNetworks: readonly string[];
  registry: Registry;
  store: EventStore;
  settings: WebhookConfig;
  retention: RetentionConfig;
  events: EventRecorder;
  devices: Pick<Devices, 'resolve' | 'list'>;
  random?: () => number;
}

/**
 * In a flood the worker looks for due deliveries once per this time, not once per event: each look is two
 * queries. The first event of a calm time is delivered at once.
 */
const GATHER_MS = 5;

/** Subscribes to the outbox. */
export class Webhooks implements EventSubscriber {
  readonly endpoints: Endpoints;
  readonly deliveries: Deliveries;
  readonly replay: Replay;
  readonly trial: Trial;
  readonly expiry: Expiry;
  readonly #worker: DeliveryWorker;
  #gathering: (() => void) | null = null;
  #missed = false;
  readonly #subscribers: WebhookSubscribers;

  constructor(parts: WebhooksParts) {
    const { settings } = parts;
    const subscriptions = new Subscriptions();
    const metrics = new WebhookMetrics(parts);
    const patience = new Patience(parts.retention);
    const worker = new DeliveryWorker({
      ...parts,
      subscriptions,
      metrics,
      concurrency: settings.concurrency,
      pause: { afterMs: settings.pauseAfterMs, failures: settings.pauseAfterFailures },
    });
    this.#worker = worker;
    this.#subscribers = new WebhookSubscribers({
      subscriptions,
      clock: parts.clock,
      joined: (lanes) => worker.lanesJoined(lanes),
    });
    const wake = () => worker.wake();
    this.expiry = new Expiry({ ...parts, metrics, patience, wake });
    this.endpoints = new Endpoints({
      ...parts,
      policy: new AddressPolicy(parts.allowNetworks),
      subscriptions,
      patience,
      changed: (endpointId) => worker.endpointChanged(endpointId),
    });
    this.deliveries = new Deliveries({ ...parts, wake });
    this.replay = new Replay({ ...parts, wake });
    this.trial = new Trial({ ...parts, attempts: new Attempts(parts) });
  }

  /** Takes up what an earlier process left open. */
  start(): void {
    this.#worker.start();
    this.expiry.start();
  }

  /** Ends within 2.5 s; what was not answered by then stays pending. */
  async stop(): Promise<void> {
    await Promise.all([this.#worker.stop(), this.expiry.stop()]);
  }

  /** Writes the deliveries of an event. */
  enlist(trx: Transaction<Database>, device: EventDevice, event: RecordedEvent): Promise<void> {
    return this.#subscribers.enlist(trx, device, event);
  }

  /** Events were committed. Never throws and does not wait. */
  committed(): void {
    if (!this.#subscribers.enlistedLately()) return;
    if (this.#gathering) {
      this.#missed = true;
      return;
    }
    this.#worker.wake();
    this.#gathering = systemClock.after(GATHER_MS, () => {
      this.#gathering = null;
      if (!this.#missed) return;
      this.#missed = false;
      this.#worker.wake();
    });
  }
}
