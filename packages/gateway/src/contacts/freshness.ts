/** How fresh is what WhatsApp tells by itself. */
import type { Clock } from '../clock.ts';
import type { Device, Devices } from '../devices/devices.ts';

/**
 * Milliseconds: until when what is kept is what the account has. While a device is connected it is told of every change;
 * what changed while it was away comes when it is back.
 */
export function upToDateAt(
  devices: Pick<Devices, 'whyNotReady'>,
  device: Device,
  clock: Pick<Clock, 'now'>,
): number {
  if (devices.whyNotReady(device) === null) return clock.now();
  return device.lastSeen ?? device.stateAt;
}
