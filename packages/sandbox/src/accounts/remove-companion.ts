import type { RegisteredDevice } from '../state/directory.ts';
import { streamErrorStanza } from '../wire/endings.ts';
import { notifyDeviceChange } from './device-changes.ts';
import type { Neighbourhood } from './neighbourhood.ts';

/**
 * Removes a companion from its account: its stream ends with 401 `device_removed`, what was stored for it
 * is gone, its later logins fail, and those who know the account are told. The primary phone stays.
 */
export function removeCompanion(network: Neighbourhood, device: RegisteredDevice): void {
  if (device.keyIndex === 0) throw new Error('the primary phone cannot be removed');
  if (device.account.devices.get(device.address.device) !== device) return;
  network.delivery.end(device, streamErrorStanza('device_removed'));
  device.account.devices.delete(device.address.device);
  notifyDeviceChange(network, device, 'remove');
}
