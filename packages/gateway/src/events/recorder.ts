/**
 * Parts record an event in the transaction that makes it true.
 * An event that was rolled back never existed, and one that was committed will be delivered.
 */
import type { Transaction } from 'kysely';
import type { DeviceId, TenantId, UserId } from '../ids.ts';
import type { Database } from '../storage/schema.ts';
import type { EventName } from './catalogue/names.ts';
import type { OrderKey } from './order-key.ts';

/** The device an event belongs to; its owner is the `user_id` of the envelope. */
export interface EventDevice {
  id: DeviceId;
  tenantId: TenantId;
  userId: UserId;
}

export interface NewEvent {
  name: EventName;
  /** The public `data` object, as its schema says: plain JSON, snake_case, times as RFC 3339. */
  data: object;
  /** Deliveries of one endpoint keep their order among events of the same key. */
  orderKey: OrderKey;
  /** Stored and can be pulled, but is not pushed: meant for one endpoint alone. Default false. */
  quiet?: boolean;
  /** Names the cause within the device; a second event of the same cause is not written. Default: none. */
  cause?: string;
}

export interface EventRecorder {
  /**
   * Writes the event and a delivery for each endpoint that wants it. Call inside the state's transaction.
   * False when its cause was recorded before, and so nothing was written.
   */
  record(trx: Transaction<Database>, device: EventDevice, event: NewEvent): Promise<boolean>;
  /** Call after the commit: wakes the delivery worker and whoever waits for events. Never throws. */
  committed(): void;
}

/** For parts that run without events, such as their unit tests. */
export const noEvents: EventRecorder = {
  record: async () => true,
  committed: () => undefined,
};
