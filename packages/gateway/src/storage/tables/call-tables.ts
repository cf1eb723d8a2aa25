/** The tables of calls. */
import type { DeviceId, TenantId } from '../../ids.ts';

/** What a device does with calls by itself. A device without a row does nothing. */
export interface CallSettingsTable {
  device_id: DeviceId;
  tenant_id: TenantId;
  reject: number;
  /** What the caller is sent; null: nothing. */
  message: string | null;
  updated_at: number;
}

/** Who was sent that message, and when last: nobody gets it with every ring. */
export interface CallRepliesTable {
  device_id: DeviceId;
  tenant_id: TenantId;
  /** The caller, by the canonical name. */
  caller: string;
  replied_at: number;
}
