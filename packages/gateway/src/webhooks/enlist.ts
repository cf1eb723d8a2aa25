/** Writes a delivery for each endpoint that wants an event, in the event's own transaction. */
import { sql, type Transaction } from 'kysely';
import type { Clock } from '../clock.ts';
import { EVENT_NAMES } from '../events/catalogue/names.ts';
import type { EventSubscriber, RecordedEvent } from '../events/outbox.ts';
import type { EventDevice } from '../events/recorder.ts';
import type { Database } from '../storage/schema.ts';
import { newEndpointId } from './endpoint.ts';
import { DEFAULT_RETRY_ATTEMPTS, DEFAULT_TIMEOUT_S } from './endpoint-input.ts';
import { type JoinedLanes, LaneNames } from './lanes.ts';
import { enqueue } from './queue.ts';
import type { Subscriptions } from './subscriptions.ts';

const LONGEST_TRANSACTION_MS = 60_000;

export class WebhookSubscribers implements EventSubscriber {
  readonly #subscriptions: Subscriptions;
  readonly #clock: Clock;
  readonly #joined: (lanes: JoinedLanes) => void;
  readonly #names = new LaneNames();
  #enlistedAt: number | null = null;

  /** `joined` is told of lanes that become one in the transaction under way. */
  constructor(parts: {
    subscriptions: Subscriptions;
    clock: Clock;
    joined(lanes: JoinedLanes): void;
  }) {
    this.#subscriptions = parts.subscriptions;
    this.#clock = parts.clock;
    this.#joined = parts.joined;
  }

  async enlist(trx: Transaction<Database>, device: EventDevice, event: RecordedEvent): Promise<void> {
    const now = this.#clock.now();
    if (event.name === 'device.connected') await this.#applyPendingUrl(trx, device, now);
    if (event.names)
      for (const lanes of await this.#names.learn(trx, device, event.names)) this.#joined(lanes);
    for (const { endpointId, events } of await this.#subscriptions.ofDevice(trx, device)) {
      if (!events.has(event.name)) continue;
      this.#enlistedAt = this.#clock.monotonic();
      await enqueue(trx, { endpointId, device }, event, { now, onlyEnabled: true });
    }
  }

  /**
   * Whether a commit may have brought deliveries: without webhooks nobody has to look for any. Which
   * transaction they were written in is not known, only that none lasts as long as this.
   */
  enlistedLately(): boolean {
    return this.#enlistedAt !== null && this.#clock.monotonic() - this.#enlistedAt < LONGEST_TRANSACTION_MS;
  }

  /**
   * At its first connect a device gets the URL that its owner left for new devices, with every event, unless
   * somebody configured one already. In the transaction of `device.connected`, which is thus the first event
   * the URL receives, and a crash cannot come in between.
   */
  async #applyPendingUrl(trx: Transaction<Database>, device: EventDevice, now: number): Promise<void> {
    const first = await trx
      .updateTable('devices')
      .set({ webhook_applied_at: now })
      .where('tenant_id', '=', device.tenantId)
      .where('id', '=', device.id)
      .where('webhook_applied_at', 'is', null)
      .executeTakeFirst();
    if (first.numUpdatedRows === 0n) return;
    const owner = await trx
      .selectFrom('users')
      .select('webhook_url')
      .where('tenant_id', '=', device.tenantId)
      .where('id', '=', device.userId)
      .executeTakeFirst();
    if (!owner?.webhook_url) return;
    await trx
      .insertInto('webhook_endpoints')
      .values({
        id: newEndpointId(),
        tenant_id: device.tenantId,
        user_id: device.userId,
        device_id: device.id,
        is_default: 1,
        url: owner.webhook_url,
        events: JSON.stringify(EVENT_NAMES),
        enabled: 1,
        retry_attempts: DEFAULT_RETRY_ATTEMPTS,
        timeout_s: DEFAULT_TIMEOUT_S,
        secret: null,
        headers: null,
        state: 'active',
        state_reason: null,
        state_at: now,
        failing_since: null,
        failures: 0,
        created_at: now,
        updated_at: now,
      })
      .onConflict((conflict) => conflict.column('device_id').where('is_default', '=', sql.lit(1)).doNothing())
      .execute();
    // The next reader reads it anew; a rollback then leaves at worst a name that `enqueue` does not find.
    this.#subscriptions.forget(device.id);
  }
}
