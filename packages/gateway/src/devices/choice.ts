/** Chooses the device when a request names none: always one of the user's own, whatever the role. */
import { AppError, type ErrorCode } from '../errors.ts';
import { type Device, isLinked } from './device.ts';

/** What helps with a device that is linked and not connected. */
export const PAIRED =
  'the device is paired; POST /connect brings it online, POST /logout unlinks it, with force=true also while it is offline';

/** How choosing a device, named or not, can end. */
export const DEVICE_FAILURES = [
  'DEVICE_NOT_FOUND',
  'DEVICE_AMBIGUOUS',
] as const satisfies readonly ErrorCode[];

/**
 * The device to act on, among the caller's own: the only connected, else the only linked, else the only one.
 * Throws DEVICE_AMBIGUOUS with `device_ids`, DEVICE_NOT_FOUND when there is none.
 *
 * A linked device that is down is chosen before those that nobody has linked: the operation then says why it
 * cannot go on now, instead of asking which device was meant.
 */
export function deviceToUse(own: readonly Device[]): Device {
  const connected = own.filter((device) => device.state === 'connected');
  const chosen = only(connected) ?? only(own.filter(isLinked)) ?? only(own);
  if (chosen !== null) return chosen;
  if (own.length === 0) {
    throw new AppError('DEVICE_NOT_FOUND', { message: 'device not found: you have none of your own' });
  }
  throw new AppError('DEVICE_AMBIGUOUS', { extra: { device_ids: own.map((device) => device.id) } });
}

/**
 * The device to link, among the caller's own: one that is being linked already, else the oldest that waits for
 * it; null when the caller has none at all. Throws ALREADY_CONNECTED when all are linked.
 */
export function deviceToLink(own: readonly Device[]): Device | null {
  if (own.length === 0) return null;
  const waiting = own.filter((device) => !isLinked(device));
  const chosen = waiting.find((device) => device.state === 'pairing') ?? waiting[0];
  if (chosen !== undefined) return chosen;
  const down = own.length === 1 && own[0]?.state !== 'connected';
  throw new AppError('ALREADY_CONNECTED', {
    message: `already connected${down ? `: ${PAIRED}` : ''}; to add another number, POST /devices and pass the new device_id`,
  });
}

function only(devices: readonly Device[]): Device | null {
  const [first, ...others] = devices;
  return first !== undefined && others.length === 0 ? first : null;
}
