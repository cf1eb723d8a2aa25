import type { DeviceId, TenantId } from '../../ids.ts';

/** What a device does by itself with what comes in. A device without a row has the defaults. */
export interface DeviceSettingsTable {
  device_id: DeviceId;
  tenant_id: TenantId;
  /** JSON array of kinds of chats whose messages are not stored. */
  ignored: string;
  /** JSON array of kinds of chats whose messages are marked as read as they come. */
  read: string;
  /** 0: only the account's own devices learn of what is read. */
  shows_reading: number;
  /** `as_asked`, `online`, `offline` or `daily`. */
  presence: string;
  updated_at: number;
}
