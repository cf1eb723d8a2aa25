/** Whose rows they are: a device may be linked again with another account, which must not see them. */
import { canonicalJid } from '../identity/jid.ts';
import type { Identity } from '../whatsapp/port/identity.ts';

/** A device, with the names of the account that it holds. */
export type AccountDevice = Identity & { id: string; tenantId: string };

/** The columns that say so. */
export function ownerOf(device: AccountDevice) {
  return { tenant_id: device.tenantId, device_id: device.id, account: canonicalJid(device) ?? '' };
}
