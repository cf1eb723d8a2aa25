/** The names of a device's account, as they are stored. */
import type { Jid } from '../whatsapp/port/identity.ts';
import type { DeviceChange } from './device-store.ts';

/** Before a phone, or a session that moves in, says whose the device is. */
export const UNKNOWN_ACCOUNT = {
  jid: null,
  lid: null,
  phoneNumber: null,
  pushName: null,
  platform: null,
  limit: null,
  ban: null,
} satisfies DeviceChange;

export function namesOf({ jid, lid }: { jid: Jid; lid: Jid | null }): DeviceChange {
  const phoneNumber = jid.endsWith('@s.whatsapp.net') ? (jid.split(/[:@]/)[0] ?? null) : null;
  return { jid, ...(lid !== null && { lid }), phoneNumber };
}
