/** The tables of proxies. */

export interface TenantProxiesTable {
  tenant_id: string;
  /** With its password; encrypted at rest. */
  url: Uint8Array;
  updated_at: number;
}

/** Of one device, in the place of its tenant's. */
export interface DeviceProxiesTable {
  device_id: string;
  tenant_id: string;
  /** With its password; encrypted at rest. */
  url: Uint8Array;
  updated_at: number;
}
