import { streamErrorStanza } from '../faults.ts';
import { notifyDeviceChange } from '../network/device-changes.ts';
import type { RegisteredDevice } from '../network/directory.ts';
import type { Network } from '../network/network.ts';

/**
 * Removes a companion from its account: its stream ends with 401 `device_removed`, what was stored for it
 * is gone, its later logins fail, and those who know the account are told. The primary phone stays.
 */
export function removeCompanion(network: Network, device: RegisteredDevice): void {
  if (device.keyIndex === 0) throw new Error('the primary phone cannot be removed');
  if (device.account.devices.get(device.address.device) !== device) return;
  network.end(device, streamErrorStanza('device_removed'));
  device.account.devices.delete(device.address.device);
  notifyDeviceChange(network, device, 'remove');
}
