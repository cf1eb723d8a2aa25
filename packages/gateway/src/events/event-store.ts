/** Reading events: pulled page by page, streamed, replayed. */
import { type Kysely, sql } from 'kysely';
import { AppError } from '../errors.ts';
import type { TenantId, UserId } from '../ids.ts';
import { durable, lastEventNumber } from '../storage/database.ts';
import type { Database } from '../storage/schema.ts';
import type { EventName } from './catalogue/names.ts';
import type { StoredEvent } from './envelope.ts';

export interface EventSelection {
  /** Only events recorded after this one; default: from the oldest that is kept. */
  after?: number | undefined;
  /** Only events recorded up to and including this one. */
  upTo?: number | undefined;
  limit: number;
  /** Only those of these devices. */
  deviceIds?: readonly string[] | undefined;
  /** Only those of devices that this user owns. */
  userId?: UserId | undefined;
  names?: readonly EventName[] | undefined;
  /** Recorded at this time or later, milliseconds. */
  fromMs?: number | undefined;
  /** Recorded before this time, milliseconds. */
  toMs?: number | undefined;
}

/**
 * The stored events of a tenant, oldest first. Every query is bound to one tenant.
 *
 * A reader's place is the `seq` of what it saw last. That misses nothing as long as events become visible in
 * the order of their numbers, which a single writer gives.
 */
export class EventStore {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  async eventsAfter(tenantId: TenantId, selection: EventSelection): Promise<StoredEvent[]> {
    const rows = (await this.#selected(tenantId, selection)?.selectAll().execute()) ?? [];
    // Nobody may hear of an event that a power cut could still take back.
    await durable(this.#db);
    return rows;
  }

  /**
   * As `eventsAfter`, but no more than `maxBytes` of data, and at least one event if there is one; `more`: some
   * that fit the selection were left.
   */
  async eventPage(
    tenantId: TenantId,
    selection: EventSelection,
    maxBytes: number,
  ): Promise<{ rows: StoredEvent[]; more: boolean }> {
    const sized = this.#selected(tenantId, { ...selection, limit: selection.limit + 1 });
    if (!sized) return { rows: [], more: false };
    const sizes = await sized.select(['seq', sql<number | string>`octet_length(data)`.as('bytes')]).execute();
    let left = maxBytes;
    let count = 0;
    for (const { bytes } of sizes) {
      left -= Number(bytes);
      if (count === selection.limit || (left < 0 && count > 0)) break;
      count += 1;
    }
    const last = sizes[count - 1];
    if (!last) return { rows: [], more: false };
    const rows = await this.eventsAfter(tenantId, { ...selection, upTo: last.seq, limit: count });
    return { rows, more: count < sizes.length };
  }

  async eventById(tenantId: TenantId, id: string): Promise<StoredEvent | null> {
    const row = await this.#db
      .selectFrom('events')
      .selectAll()
      .where('tenant_id', '=', tenantId)
      .where('id', '=', id)
      .executeTakeFirst();
    return row ?? null;
  }

  /** The place of the newest event of the tenant; 0 when it has none. */
  async latest(tenantId: TenantId): Promise<number> {
    const row = await this.#db
      .selectFrom('events')
      .select((eb) => eb.fn.max('seq').as('seq'))
      .where('tenant_id', '=', tenantId)
      .executeTakeFirst();
    return Number(row?.seq ?? 0);
  }

  /**
   * Throws CURSOR_UNKNOWN for a place that no event has had yet. A database was restored, and what it tells from
   * now on would be taken for what its reader has seen.
   */
  async checkPlace(after: number): Promise<void> {
    if (after <= (await lastEventNumber(this.#db))) return;
    throw new AppError('CURSOR_UNKNOWN', {
      message:
        'the cursor is beyond the newest event: the database was restored, or the cursor is not of this gateway. ' +
        'Go on with after=0 (all that is kept) or after=latest',
    });
  }

  /** The place of the newest event of all; 0 when there is none. For waking, never for answers. */
  async newest(): Promise<number> {
    const row = await this.#db
      .selectFrom('events')
      .select((eb) => eb.fn.max('seq').as('seq'))
      .executeTakeFirst();
    return Number(row?.seq ?? 0);
  }

  /** Which tenants have events recorded after `seq`, and the newest place among all. */
  async tenantsAfter(seq: number): Promise<{ tenantIds: string[]; newest: number }> {
    // In the order of `seq`: in the order of the tenants, every stored event would be read.
    const unindexed = sql<string>`${sql.ref('tenant_id')} || ''`;
    const rows = await this.#db
      .selectFrom('events')
      .select((eb) => [unindexed.as('tenant_id'), eb.fn.max('seq').as('newest')])
      .where('seq', '>', seq)
      .groupBy(unindexed)
      .execute();
    const newest = Math.max(seq, ...rows.map((row) => Number(row.newest)));
    return { tenantIds: rows.map((row) => row.tenant_id), newest };
  }

  /** Null when nothing can be selected. */
  #selected(tenantId: TenantId, selection: EventSelection) {
    const { after, upTo, limit, deviceIds, userId, names, fromMs, toMs } = selection;
    if (deviceIds?.length === 0 || names?.length === 0) return null;
    let query = this.#db.selectFrom('events').where('tenant_id', '=', tenantId);
    if (after !== undefined) query = query.where('seq', '>', after);
    if (upTo !== undefined) query = query.where('seq', '<=', upTo);
    if (deviceIds !== undefined) query = query.where('device_id', 'in', deviceIds);
    if (userId !== undefined) query = query.where('user_id', '=', userId);
    if (names !== undefined) query = query.where('name', 'in', names);
    if (fromMs !== undefined) query = query.where('created_at', '>=', fromMs);
    if (toMs !== undefined) query = query.where('created_at', '<', toMs);
    return query.orderBy('seq').limit(limit);
  }
}
