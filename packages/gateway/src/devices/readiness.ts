/** Why a device cannot be used now. */
import type { NotReadyReason } from '../whatsapp/port/not-ready.ts';
import { type Device, isLinked, statusOf } from './device.ts';
import { isTemporaryBan } from './state.ts';

/** The word for callers; null while the device is connected. */
export function notReadyReason(device: Pick<Device, 'jid' | 'state' | 'stateReason'>): NotReadyReason | null {
  switch (device.state) {
    case 'connected':
      return null;
    case 'pairing':
      return 'linking';
    case 'banned':
      return isTemporaryBan(statusOf(device)) ? 'temporary_ban' : 'banned';
    case 'logged_out':
    case 'replaced':
    case 'outdated':
    case 'reconnecting':
      return device.state;
    case 'new':
    case 'disconnected':
      return isLinked(device) ? 'stopped' : 'never_linked';
  }
}
