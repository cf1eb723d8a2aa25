/** What accounts show of themselves. */
import type { Devices } from '../devices/devices.ts';
import type { OutboundFiles } from '../media/outgoing/outbound.ts';
import { Profiles } from './profile.ts';

export interface ProfileRoom {
  profiles: Profiles;
}

export function composeProfile(parts: { devices: Devices; files: OutboundFiles }): ProfileRoom {
  return { profiles: new Profiles(parts) };
}
