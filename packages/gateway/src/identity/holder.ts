/** Whose a row is: a device may be linked again with another account, which must see nothing of the first. */
import type { DeviceId, TenantId } from '../ids.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import { canonicalJid } from './jid.ts';

/** A device, with the names of the account that it holds. */
export type AccountDevice = Identity & { id: DeviceId; tenantId: TenantId };

/** The columns that say so. */
export interface Holder {
  tenant_id: TenantId;
  device_id: DeviceId;
  /** Empty while nobody knows whose the device is. */
  account: Jid;
}

/** The holder of what is written of the device now. */
export function holderOf(device: AccountDevice): Holder {
  return { tenant_id: device.tenantId, device_id: device.id, account: canonicalJid(device) ?? '' };
}
