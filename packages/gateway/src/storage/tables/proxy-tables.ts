/** The tables of proxies. */
import type { DeviceId, TenantId } from '../../ids.ts';

export interface TenantProxiesTable {
  tenant_id: TenantId;
  /** With its password; encrypted at rest. */
  url: Uint8Array;
  updated_at: number;
}

/** Of one device, in the place of its tenant's. */
export interface DeviceProxiesTable {
  device_id: DeviceId;
  tenant_id: TenantId;
  /** With its password; encrypted at rest. */
  url: Uint8Array;
  updated_at: number;
}
