/** Which of the tenant's messages a caller may see: those of the devices that the caller may see. */
import { AppError } from '../errors.ts';
import type { Caller } from '../tenancy/caller.ts';
import type { MessageArchive } from './archive.ts';
import type { MessageDevice, StoredMessage } from './stored-message.ts';

/** What this folder asks of the devices; `Devices` fits. */
export interface DeviceDirectory {
  resolve(caller: Caller, deviceId?: string): Promise<MessageDevice>;
  list(caller: Caller): Promise<MessageDevice[]>;
}

/**
 * The copies of a message that the account of a visible device sent. A received, unknown, foreign or
 * invisible one is MESSAGE_NOT_FOUND alike: which of them it is would tell that it exists.
 */
export async function findOwnMessages(
  parts: { archive: MessageArchive; devices: DeviceDirectory },
  caller: Caller,
  messageId: string,
  deviceId?: string,
): Promise<StoredMessage[]> {
  const own = (await parts.archive.findForTenant(caller.tenantId, messageId)).filter((each) => each.fromMe);
  const visible = await onVisibleDevices(parts.devices, caller, own, deviceId);
  if (visible.length === 0) throw new AppError('MESSAGE_NOT_FOUND');
  return visible;
}

async function onVisibleDevices(
  devices: DeviceDirectory,
  caller: Caller,
  messages: StoredMessage[],
  deviceId: string | undefined,
): Promise<StoredMessage[]> {
  if (deviceId !== undefined) {
    const device = await devices.resolve(caller, deviceId);
    return messages.filter((each) => each.deviceId === device.id);
  }
  // Admins and managers see every device of the tenant, so there is nothing to ask for.
  if (caller.role !== 'user' || messages.length === 0) return messages;
  const ids = new Set((await devices.list(caller)).map((each) => each.id));
  return messages.filter((each) => ids.has(each.deviceId));
}
