/** Where every event begins: one row in the transaction of its cause, beside the deliveries it needs. */
import { createHash, randomUUID } from 'node:crypto';
import type { Transaction } from 'kysely';
import type { Clock } from '../clock.ts';
import { HotQuery, slotsOf } from '../storage/hot-query.ts';
import type { Database, EventsTable } from '../storage/schema.ts';
import type { Vault } from '../storage/vault.ts';
import type { EventName } from './catalogue/names.ts';
import { type BothNames, bothNames, orderKeyText } from './order-key.ts';
import type { EventDevice, EventRecorder, NewEvent } from './recorder.ts';
import { SealedEvents } from './sealed-events.ts';

/** What a subscriber learns of an event that was just written and is not committed yet. */
export interface RecordedEvent {
  id: string;
  seq: number;
  name: EventName;
  orderKey: string;
  /** The person whom it is about, when both names are known. */
  names: BothNames | null;
  /** Milliseconds since the epoch. */
  createdAt: number;
}

/** Who follows events as they come: the feed of those who pull, and `webhooks/`, which writes deliveries. */
export interface EventSubscriber {
  /** Runs inside the event's transaction, once per event: must be cheap, and its failure undoes the cause. */
  enlist?(trx: Transaction<Database>, device: EventDevice, event: RecordedEvent): Promise<void>;
  /** After the commit. Must not throw and must not wait. */
  committed?(): void;
}

export class EventOutbox implements EventRecorder {
  readonly #clock: Clock;
  readonly #sealed: SealedEvents;
  readonly #subscribers: EventSubscriber[] = [];

  constructor(parts: { clock: Clock; vault: Vault }) {
    this.#clock = parts.clock;
    this.#sealed = new SealedEvents(parts);
  }

  /** From now on, in the order of subscription. */
  subscribe(subscriber: EventSubscriber): void {
    this.#subscribers.push(subscriber);
  }

  async record(trx: Transaction<Database>, device: EventDevice, event: NewEvent): Promise<boolean> {
    const id = event.cause === undefined ? randomUUID() : idOfCause(device.id, event.cause);
    const createdAt = this.#clock.now();
    const orderKey = orderKeyText(event.orderKey);
    const [written] = await INSERT.rows(trx, {
      id,
      tenant_id: device.tenantId,
      user_id: device.userId,
      device_id: device.id,
      name: event.name,
      order_key: orderKey,
      ...this.#sealed.columns({ id, device_id: device.id, name: event.name }, event.data),
      quiet: event.quiet ? 1 : 0,
      created_at: createdAt,
    });
    if (!written) return false;
    if (event.quiet) return true;
    const { name } = event;
    const names = bothNames(event.orderKey);
    const recorded = { id, seq: Number(written.seq), name, orderKey, names, createdAt };
    for (const subscriber of this.#subscribers) await subscriber.enlist?.(trx, device, recorded);
    return true;
  }

  committed(): void {
    for (const subscriber of this.#subscribers) subscriber.committed?.();
  }
}

/** The same id for the same cause: a UUID of version 8 (RFC 9562, free use) over its hash. */
function idOfCause(deviceId: string, cause: string): string {
  const hash = createHash('sha256').update(`${deviceId}\n${cause}`).digest('hex');
  const variant = (0x8 | (Number.parseInt(hash.slice(16, 17), 16) & 0x3)).toString(16);
  const parts = [hash.slice(0, 8), hash.slice(8, 12), `8${hash.slice(13, 16)}`];
  return [...parts, `${variant}${hash.slice(17, 20)}`, hash.slice(20, 32)].join('-');
}

type NewRow = Omit<EventsTable, 'seq' | 'sealed'> & { sealed: Uint8Array | null };

const COLUMNS = [
  'id',
  'tenant_id',
  'user_id',
  'device_id',
  'name',
  'order_key',
  'data',
  'sealed',
  'quiet',
  'created_at',
] as const satisfies readonly (keyof NewRow)[];

const INSERT = new HotQuery<NewRow, { seq: number }>((db, row) =>
  db
    .insertInto('events')
    .values(slotsOf(row, COLUMNS))
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('seq'),
);
