/** Which of the tenant's messages a caller may see: those of the devices that the caller may see. */
import { AppError } from '../errors.ts';
import type { Caller } from '../tenancy/caller.ts';
import { seesWholeTenant } from '../tenancy/visibility.ts';
import type { MessageArchive } from './archive.ts';
import type { MessageDevice, StoredMessage } from './stored-message.ts';

/** What this folder asks of the devices; `Devices` fits. */
export interface DeviceDirectory {
  resolve(caller: Caller, deviceId?: string): Promise<MessageDevice>;
  /** `own`, the default: those of the caller; `visible`: all that the caller may see. */
  list(caller: Caller, scope?: 'own' | 'visible'): Promise<MessageDevice[]>;
}

/**
 * The copies of a message on the devices that the caller may see, sent or received, but not those that were
 * deleted for the account alone; MESSAGE_NOT_FOUND when there is none.
 */
export async function findMessages(
  parts: { archive: MessageArchive; devices: DeviceDirectory },
  caller: Caller,
  messageId: string,
  deviceId?: string,
): Promise<StoredMessage[]> {
  // No id contains it, and PostgreSQL cannot even be asked.
  const stored = messageId.includes('\0')
    ? []
    : await parts.archive.findForTenant(caller.tenantId, messageId);
  const shown = stored.filter((each) => each.hiddenAt === null);
  const visible = await onVisibleDevices(parts.devices, caller, shown, deviceId);
  if (visible.length === 0) throw new AppError('MESSAGE_NOT_FOUND');
  return visible;
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
  const own = (await findMessages(parts, caller, messageId, deviceId)).filter((each) => each.fromMe);
  if (own.length === 0) throw new AppError('MESSAGE_NOT_FOUND');
  return own;
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
  if (seesWholeTenant(caller) || messages.length === 0) return messages;
  const ids = new Set((await devices.list(caller)).map((each) => each.id));
  return messages.filter((each) => ids.has(each.deviceId));
}
