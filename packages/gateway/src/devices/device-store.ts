import type { Kysely, Transaction } from 'kysely';
import { type EventDevice, type EventRecorder, type NewEvent, noEvents } from '../events/recorder.ts';
import type { DeviceId, TenantId, UserId } from '../ids.ts';
import { HotQuery } from '../storage/hot-query.ts';
import type { Database, DevicesTable } from '../storage/schema.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import { type Device, deviceFromRow } from './device.ts';

/** The fields of a device that change after it was made. */
export type DeviceChange = Partial<
  Pick<
    Device,
    | 'name'
    | 'jid'
    | 'lid'
    | 'phoneNumber'
    | 'pushName'
    | 'platform'
    | 'state'
    | 'stateReason'
    | 'stateAt'
    | 'wanted'
    | 'lastSeen'
    | 'limit'
    | 'ban'
  >
>;

/** What is written with a change of a device, in its commit. */
export type WithinCommit = (trx: Transaction<Database>) => Promise<void>;

/** Asked for most requests. */
const BY_ID = new HotQuery<{ tenantId: TenantId; deviceId: DeviceId }, DevicesTable>(
  (db, { tenantId, deviceId }) =>
    db
      .selectFrom('devices')
      .selectAll()
      .where('tenant_id', '=', tenantId)
      .where('id', '=', deviceId)
      .where('deleting_at', 'is', null),
);

/** Stored devices. Every query is bound to one tenant. */
export class DeviceStore {
  readonly #db: Kysely<Database>;
  readonly #events: EventRecorder;

  constructor(db: Kysely<Database>, events: EventRecorder = noEvents) {
    this.#db = db;
    this.#events = events;
  }

  async insert(device: Device, db: Kysely<Database> = this.#db): Promise<void> {
    await db
      .insertInto('devices')
      .values({
        id: device.id,
        tenant_id: device.tenantId,
        user_id: device.userId,
        name: device.name,
        jid: device.jid,
        lid: device.lid,
        phone_number: device.phoneNumber,
        push_name: device.pushName,
        platform: device.platform,
        state: device.state,
        state_reason: device.stateReason,
        state_at: device.stateAt,
        wanted: device.wanted ? 1 : 0,
        last_seen: device.lastSeen,
        created_at: device.createdAt,
        updated_at: device.updatedAt,
      })
      .execute();
  }

  async find(tenantId: TenantId, deviceId: DeviceId): Promise<Device | null> {
    const [row] = await BY_ID.rows(this.#db, { tenantId, deviceId });
    return row ? deviceFromRow(row) : null;
  }

  /** Oldest first; only those of `userId` when given. */
  async list(tenantId: TenantId, userId?: UserId): Promise<Device[]> {
    let query = this.#db
      .selectFrom('devices')
      .selectAll()
      .where('tenant_id', '=', tenantId)
      .where('deleting_at', 'is', null);
    if (userId !== undefined) query = query.where('user_id', '=', userId);
    const rows = await query.orderBy('created_at').orderBy('id').execute();
    return rows.map(deviceFromRow);
  }

  /** Devices that a starting gateway must take up again, or whose pairing it must declare over. */
  async listForStart(tenantId: TenantId): Promise<Device[]> {
    const rows = await this.#db
      .selectFrom('devices')
      .selectAll()
      .where('tenant_id', '=', tenantId)
      .where('deleting_at', 'is', null)
      .where((where) => where.or([where('wanted', '=', 1), where('state', '=', 'pairing')]))
      .orderBy('created_at')
      .orderBy('id')
      .execute();
    return rows.map(deviceFromRow);
  }

  /** From now on it is nowhere to be found; what it had goes after that. */
  async markLeaving(device: Pick<Device, 'id' | 'tenantId'>, at: number): Promise<void> {
    await this.#db
      .updateTable('devices')
      .set({ deleting_at: at, wanted: 0 })
      .where('tenant_id', '=', device.tenantId)
      .where('id', '=', device.id)
      .execute();
  }

  /** Linked devices of every tenant that hold this account: a companion must not be held twice in one gateway. */
  async linkedTo(jid: Jid): Promise<Device[]> {
    const rows = await this.#db
      .selectFrom('devices')
      .selectAll()
      .where('jid', '=', jid)
      .where('state', '!=', 'logged_out')
      .execute();
    return rows.map(deviceFromRow);
  }

  /**
   * As `update`, in one commit with what `within` writes; false when the device is not there any more, and nothing was
   * written.
   */
  async updateWith(
    device: EventDevice,
    change: DeviceChange,
    updatedAt: number,
    { events, within }: { events: NewEvent[]; within: WithinCommit },
  ): Promise<boolean> {
    const stored = await this.#db.transaction().execute(async (trx) => {
      const { numUpdatedRows } = await trx
        .updateTable('devices')
        .set({ ...columns(change), updated_at: updatedAt })
        .where('tenant_id', '=', device.tenantId)
        .where('id', '=', device.id)
        .where('deleting_at', 'is', null)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return false;
      await within(trx);
      for (const event of events) await this.#events.record(trx, device, event);
      return true;
    });
    if (stored) this.#events.committed();
    return stored;
  }

  /** Stores the change and the events that it is, in one commit. */
  async update(
    device: EventDevice,
    change: DeviceChange,
    updatedAt: number,
    events: NewEvent[] = [],
  ): Promise<void> {
    const store = (db: Kysely<Database> | Transaction<Database>) =>
      db
        .updateTable('devices')
        .set({ ...columns(change), updated_at: updatedAt })
        .where('tenant_id', '=', device.tenantId)
        .where('id', '=', device.id)
        .executeTakeFirst();
    if (events.length === 0) return void (await store(this.#db));
    await this.#db.transaction().execute(async (trx) => {
      const { numUpdatedRows } = await store(trx);
      // Its tenant or owner was deleted meanwhile: nobody is left to be told.
      if (numUpdatedRows === 0n) return;
      for (const event of events) await this.#events.record(trx, device, event);
    });
    this.#events.committed();
  }
}

function columns(change: DeviceChange): Partial<DevicesTable> {
  return {
    ...(change.name !== undefined && { name: change.name }),
    ...(change.jid !== undefined && { jid: change.jid }),
    ...(change.lid !== undefined && { lid: change.lid }),
    ...(change.phoneNumber !== undefined && { phone_number: change.phoneNumber }),
    ...(change.pushName !== undefined && { push_name: change.pushName }),
    ...(change.platform !== undefined && { platform: change.platform }),
    ...(change.state !== undefined && { state: change.state }),
    ...(change.stateReason !== undefined && { state_reason: change.stateReason }),
    ...(change.stateAt !== undefined && { state_at: change.stateAt }),
    ...(change.wanted !== undefined && { wanted: change.wanted ? 1 : 0 }),
    ...(change.lastSeen !== undefined && { last_seen: change.lastSeen }),
    ...(change.limit !== undefined && {
      limit_since: change.limit?.since ?? null,
      limit_until: change.limit?.until ?? null,
      limit_reason: change.limit?.reason ?? null,
    }),
    ...(change.ban !== undefined && {
      ban_until: change.ban?.until ?? null,
      ban_code: change.ban?.code ?? null,
    }),
  };
}
