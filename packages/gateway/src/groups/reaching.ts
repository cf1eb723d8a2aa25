/** The way to a group that the account is in. */
import { AppError } from '../errors.ts';
import type { MessageDevice } from '../messages/stored-message.ts';
import type { Caller } from '../tenancy/caller.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import type { StoredGroup } from './group.ts';
import type { GroupDevices, GroupName, Groups } from './groups.ts';

export interface ReachedGroup {
  device: MessageDevice;
  session: WhatsAppSession;
  group: StoredGroup;
}

/**
 * Throws NOT_FOUND for a group that the account is not in: WhatsApp would say whether there is one (403 or 404), and
 * what others have is not to be told apart from what nobody has. DEVICE_NOT_READY unless the device is connected.
 */
export async function reachGroup(
  { devices, groups }: { devices: GroupDevices; groups: Groups },
  caller: Caller,
  { deviceId, group: named }: GroupName,
): Promise<ReachedGroup> {
  const device = await devices.resolve(caller, deviceId);
  const session = devices.session(device);
  const name = { deviceId: device.id, group: named };
  const known = await groups.get(caller, name);
  // What WhatsApp once said without a reason is asked again; what ended with one is told when it begins anew.
  const refresh = known.group.membership === 'outside';
  const { group } = refresh ? await groups.get(caller, { ...name, refresh }) : known;
  if (group.membership !== 'member') {
    throw new AppError('NOT_FOUND', {
      message: 'the account is not in the group',
      extra: { membership: group.membership },
    });
  }
  return { device, session, group };
}
