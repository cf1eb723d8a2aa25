import { randomUUID } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { DeviceId, TenantId, UserId } from '../ids.ts';
import type { DevicesTable } from '../storage/schema.ts';
import type { AccountLimit } from '../whatsapp/port/account.ts';
import type { Jid } from '../whatsapp/port/identity.ts';
import type { TemporaryBan } from '../whatsapp/port/temporary-ban.ts';
import { DEVICE_STATES, type DeviceState, type DeviceStatus, type StateReason } from './state.ts';

/** A connection slot of a tenant: one companion device of one WhatsApp account, once linked. */
export interface Device {
  id: DeviceId;
  tenantId: TenantId;
  /** The user who owns it. */
  userId: UserId;
  name: string;
  /** Phone-number JID without device part. Kept after a logout, for display, until the next pairing starts. */
  jid: Jid | null;
  lid: Jid | null;
  /** Digits. */
  phoneNumber: string | null;
  pushName: string | null;
  /** What the phone runs, as it said when it linked. */
  platform: string | null;
  state: DeviceState;
  stateReason: StateReason;
  /** When the state was entered, milliseconds. */
  stateAt: number;
  /** The supervisor keeps it online and takes it up again after a restart. */
  wanted: boolean;
  /** Last sign of life from WhatsApp, milliseconds; accurate to a minute. */
  lastSeen: number | null;
  /** While WhatsApp lets the account begin no chats; null otherwise. Milliseconds. */
  limit: DeviceLimit | null;
  /** What WhatsApp said of a ban that it lifts by itself; null while there is none, or where it said nothing. */
  ban: TemporaryBan | null;
  createdAt: number;
  updatedAt: number;
}

export interface DeviceLimit extends AccountLimit {
  since: number;
}

/** A device that nothing was done with yet; `now` in milliseconds. */
export function newDevice(of: Pick<Device, 'tenantId' | 'userId' | 'name'> & { now: number }): Device {
  const { now, ...owned } = of;
  return {
    ...owned,
    id: randomUUID(),
    jid: null,
    lid: null,
    phoneNumber: null,
    pushName: null,
    platform: null,
    state: 'new',
    stateReason: 'created',
    stateAt: now,
    wanted: false,
    lastSeen: null,
    limit: null,
    ban: null,
    createdAt: now,
    updatedAt: now,
  };
}

/** True once a phone accepted this companion, until it is logged out. */
export function isLinked(device: Pick<Device, 'jid' | 'state'>): boolean {
  return device.jid !== null && device.state !== 'logged_out';
}

/** Where the state machine stands with the device. */
export function statusOf(device: Pick<Device, 'jid' | 'state' | 'stateReason'>): DeviceStatus {
  return { state: device.state, reason: device.stateReason, linked: isLinked(device) };
}

/** Throws for a row with a state that is none. */
export function deviceFromRow(row: Selectable<DevicesTable>): Device {
  const state = DEVICE_STATES.find((each) => each === row.state);
  if (state === undefined) throw new Error(`device ${row.id} is stored with the unknown state ${row.state}`);
  return {
    id: row.id,
    tenantId: row.tenant_id,
    userId: row.user_id,
    name: row.name,
    jid: row.jid,
    lid: row.lid,
    phoneNumber: row.phone_number,
    pushName: row.push_name,
    platform: row.platform,
    state,
    // The column is written from StateReason alone.
    stateReason: (row.state_reason ?? 'created') as StateReason,
    stateAt: row.state_at,
    wanted: row.wanted === 1,
    lastSeen: row.last_seen,
    limit: limitFromRow(row),
    ban: banFromRow(row),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function limitFromRow(row: Selectable<DevicesTable>): DeviceLimit | null {
  if (row.limit_until === null || row.limit_since === null) return null;
  return { since: row.limit_since, until: row.limit_until, reason: row.limit_reason ?? '' };
}

function banFromRow({ ban_until: until, ban_code: code }: Selectable<DevicesTable>): TemporaryBan | null {
  return until === null && code === null ? null : { until, code };
}
