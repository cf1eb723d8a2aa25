/** What was set aside of the journal is kept for a person to look at: for so long, up to so much, with a warning before it goes. */
import { type Kysely, sql } from 'kysely';
import type { Clock } from '../clock.ts';
import { checkedTenant } from './narrowing.ts';
import type { Database } from './schema.ts';

export interface SetAsideBounds {
  /** Milliseconds that a row is kept. */
  ageMs: number;
  /** Bytes that are kept of one tenant, so that nobody's stranger drives out what is kept of others. */
  bytes: number;
}

/** What is kept of one tenant. */
export interface KeptAside {
  tenantId: string;
  rows: number;
  bytes: number;
  /** When the oldest row was set aside, milliseconds. */
  oldestAt: number;
}

export interface SetAsideParts {
  db: Kysely<Database>;
  clock: Clock;
  bounds: SetAsideBounds;
  /** Some of it goes before long, unless there is less of it: at most once a day for each tenant. */
  soon(kept: KeptAside): void;
  dropped(dropped: { tenantId: string; rows: number }): void;
  failed(error: unknown): void;
}

/** A stranger can fill the bound in this time, and no more than the connection brings. */
const SWEEP_EVERY_MS = 60_000;
const TOLD_EVERY_MS = 24 * 3_600_000;
/** Told when so much of a bound is reached. */
const NEAR = 0.8;
/** Rows of one deletion. */
const BATCH = 200;

export class SetAsideRetention {
  readonly #parts: SetAsideParts;
  readonly #toldAt = new Map<string, number>();
  #cancel: () => void = () => undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: SetAsideParts) {
    this.#parts = parts;
  }

  /** Sweeps now and then every minute; a failure is told, and the next one tries again. */
  start(): void {
    if (this.#stopped) return;
    this.#sweeping = this.sweep()
      .catch(this.#parts.failed)
      .finally(() => {
        if (!this.#stopped) this.#cancel = this.#parts.clock.after(SWEEP_EVERY_MS, () => this.start());
      });
  }

  /** Resolves once the batch under way is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#sweeping;
  }

  async sweep(): Promise<void> {
    for (const kept of await this.#kept()) {
      const rows = await this.#drop(kept);
      if (rows > 0) this.#parts.dropped({ tenantId: kept.tenantId, rows });
      else this.#warn(kept);
      if (this.#stopped) return;
    }
  }

  #warn(kept: KeptAside): void {
    const { clock, bounds, soon } = this.#parts;
    const old = clock.now() - kept.oldestAt > bounds.ageMs * NEAR;
    if (!old && kept.bytes <= bounds.bytes * NEAR) return;
    const toldAt = this.#toldAt.get(kept.tenantId);
    if (toldAt !== undefined && clock.monotonic() - toldAt < TOLD_EVERY_MS) return;
    this.#toldAt.set(kept.tenantId, clock.monotonic());
    soon(kept);
  }

  async #kept(): Promise<KeptAside[]> {
    const rows = await this.#parts.db
      .selectFrom('inbound_journal')
      .select((eb) => [
        TENANT.as('tenantId'),
        eb.fn.countAll<number | string>().as('rows'),
        eb.fn.sum<number | string>(BYTES).as('bytes'),
        eb.fn.min('set_aside_at').as('oldestAt'),
      ])
      .where('set_aside_at', '>', 0)
      .groupBy(TENANT)
      .execute();
    return rows.map(({ tenantId, rows: count, bytes, oldestAt }) => ({
      tenantId,
      rows: Number(count),
      bytes: Number(bytes),
      oldestAt: Number(oldestAt),
    }));
  }

  /** The oldest first, until both bounds hold. Returns how many rows went. */
  async #drop({ tenantId, bytes }: KeptAside): Promise<number> {
    const { db, clock, bounds } = this.#parts;
    let tooMany = bytes - bounds.bytes;
    let dropped = 0;
    for (;;) {
      const before = clock.now() - bounds.ageMs;
      const oldest = await db
        .selectFrom('inbound_journal')
        .select(['device_id', 'id', 'set_aside_at', BYTES.as('bytes')])
        .where(checkedTenant(tenantId))
        .where('set_aside_at', '>', 0)
        .orderBy('set_aside_at')
        .limit(BATCH)
        .execute();
      const going: typeof oldest = [];
      for (const row of oldest) {
        if (tooMany <= 0 && Number(row.set_aside_at) >= before) break;
        tooMany -= Number(row.bytes);
        going.push(row);
      }
      if (going.length > 0) await this.#delete(tenantId, going);
      dropped += going.length;
      if (going.length < BATCH || this.#stopped) return dropped;
    }
  }

  async #delete(tenantId: string, rows: readonly { device_id: string; id: string }[]): Promise<void> {
    await this.#parts.db.transaction().execute(async (trx) => {
      for (const { device_id, id } of rows) {
        await trx
          .deleteFrom('inbound_journal')
          .where(checkedTenant(tenantId))
          .where('device_id', '=', device_id)
          .where('id', '=', id)
          .execute();
      }
    });
  }
}

/** By the index of what was set aside: in the order of the tenants, the whole journal would be read. */
const TENANT = sql<string>`${sql.ref('tenant_id')} || ''`;
/** Of a row, without what the database needs beside it. */
const BYTES = sql<number | string>`octet_length(stanza) + octet_length(plaintext)`;
