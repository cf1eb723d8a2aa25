/** Which endpoints of a device want which events: asked for every event, so kept in memory. */
import { type Kysely, sql, type Transaction } from 'kysely';
import { LRUCache } from 'lru-cache';
import type { EventName } from '../events/catalogue/names.ts';
import type { DeviceId, TenantId } from '../ids.ts';
import type { Database } from '../storage/schema.ts';

export interface Subscription {
  endpointId: string;
  events: ReadonlySet<EventName>;
}

interface DeviceKey {
  id: string;
  tenantId: TenantId;
}

const MAX_DEVICES = 10_000;

export class Subscriptions {
  readonly #known = new LRUCache<string, Subscription[]>({ max: MAX_DEVICES });
  /** Devices whose endpoints are being changed right now: what is read of them is not kept. */
  readonly #changing = new Map<string, number>();
  #generation = 0;

  /**
   * The enabled endpoints of a device; a list that is a moment old may name one that is gone, never lack
   * one whose configuration was answered. Reads within the caller's transaction.
   */
  async ofDevice(trx: Transaction<Database> | Kysely<Database>, device: DeviceKey): Promise<Subscription[]> {
    const known = this.#known.get(device.id);
    if (known) return known;
    const generation = this.#generation;
    const rows = await trx
      .selectFrom('webhook_endpoints')
      .select(['id', 'events'])
      .where('tenant_id', '=', device.tenantId)
      .where('device_id', '=', device.id)
      .where('enabled', '=', sql.lit(1))
      .orderBy('created_at')
      .orderBy('id')
      .execute();
    const read = rows.map((row) => ({
      endpointId: row.id,
      events: new Set(JSON.parse(row.events) as EventName[]),
    }));
    if (generation === this.#generation && !this.#changing.has(device.id)) this.#known.set(device.id, read);
    return read;
  }

  /** Runs a change of a device's endpoints; what is known of the device is forgotten before and after it. */
  async during<T>(deviceId: DeviceId, change: () => Promise<T>): Promise<T> {
    this.#changing.set(deviceId, (this.#changing.get(deviceId) ?? 0) + 1);
    this.forget(deviceId);
    try {
      return await change();
    } finally {
      const left = (this.#changing.get(deviceId) ?? 1) - 1;
      if (left === 0) this.#changing.delete(deviceId);
      else this.#changing.set(deviceId, left);
      this.forget(deviceId);
    }
  }

  forget(deviceId: DeviceId): void {
    this.#generation += 1;
    this.#known.delete(deviceId);
  }
}
