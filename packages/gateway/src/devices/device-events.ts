/** Which events a change of a device's state is. They are written in the transaction that stores the change. */

import {
  deviceData,
  disconnectedData,
  limitedData,
  pairedData,
  passkeyConfirmData,
  passkeyRequiredData,
  qrData,
  refusedData,
  temporaryBanData,
} from '../events/payloads/device.ts';
import type { NewEvent } from '../events/recorder.ts';
import type { CloseReason } from '../whatsapp/port/connection.ts';
import { type Device, isLinked, statusOf } from './device.ts';
import type { PasskeyStep } from './passkey-step.ts';
import { type DeviceEvent, isTemporaryBan, isWanted } from './state.ts';

/** What belongs to no chat keeps the order of the device. */
const orderKey = 'device';

/** The events of a transition that `cause` made, in the order in which they are told. */
export function eventsOfChange(device: Device, previous: Device, cause: DeviceEvent): NewEvent[] {
  const willRetry = isWanted(statusOf(device));
  const events: NewEvent[] = [];
  const tell = (name: NewEvent['name'], data: object) => events.push({ name, data, orderKey });
  const lost = previous.state === 'connected' && device.state !== 'connected';
  if (lost || cause.type === 'disconnect') tell('device.disconnected', disconnectedData(device, willRetry));
  if (cause.type === 'paired' || cause.type === 'import') tell('pair.success', pairedData(device));
  if (cause.type === 'connect') tell('connection.manual_reconnect', deviceData(device));
  const name = stateEvent(device, previous, cause);
  if (name === 'device.connected' || name === 'device.logged_out') tell(name, deviceData(device));
  else if (name) {
    const statusCode = cause.type === 'closed' ? cause.statusCode : null;
    const data = name === 'connection.temporary_ban' ? temporaryBanData : refusedData;
    tell(name, data(device, statusCode, willRetry));
  }
  return events;
}

/** The limit of the account was set, changed or lifted. */
export function limitChanged(device: Device): NewEvent[] {
  const { limit } = device;
  return limit
    ? [{ name: 'device.limited', data: limitedData(device, limit), orderKey }]
    : [{ name: 'device.limit_lifted', data: deviceData(device), orderKey }];
}

/** WhatsApp asks for a passkey, or for a look at the phone. */
export function passkeyAsked(device: Device, { step, expiresAt, code }: PasskeyStep): NewEvent[] {
  return step === 'confirm'
    ? [{ name: 'device.passkey_confirm', data: passkeyConfirmData(device, expiresAt, code ?? ''), orderKey }]
    : [{ name: 'device.passkey_required', data: passkeyRequiredData(device, expiresAt), orderKey }];
}

export function qrGenerated(qr: { code: string; expiresAt: number }): NewEvent {
  return { name: 'qr.generated', data: qrData(qr), orderKey };
}

function stateEvent(device: Device, previous: Device, cause: DeviceEvent): NewEvent['name'] | null {
  const entered = device.state !== previous.state;
  switch (device.state) {
    case 'connected':
      return entered ? 'device.connected' : null;
    case 'logged_out':
      return entered ? 'device.logged_out' : null;
    case 'replaced':
      return entered ? 'connection.stream_replaced' : null;
    case 'banned':
      if (cause.type !== 'closed') return null;
      return isTemporaryBan(statusOf(device)) ? 'connection.temporary_ban' : 'connection.failure';
    case 'outdated':
      return entered ? 'connection.failure' : null;
    default:
      return refused(previous, cause) || unlinked(previous, cause) ? 'connection.failure' : null;
  }
}

const REFUSALS: readonly CloseReason[] = [
  'bad_session',
  'service_unavailable',
  'refused',
  'proxy_unreachable',
  'proxy_auth',
];

/** An attempt to connect was answered with a refusal; a connection that ends later is a loss instead. */
function refused(previous: Device, cause: DeviceEvent): boolean {
  return cause.type === 'closed' && previous.state !== 'connected' && REFUSALS.includes(cause.reason);
}

/** A linking is over without a phone, and nobody here has ended it: whoever shows the QR stops waiting. */
function unlinked(previous: Device, cause: DeviceEvent): boolean {
  if (previous.state !== 'pairing' || isLinked(previous)) return false;
  if (cause.type === 'passkey_over') return cause.reason !== 'passkey_given_up';
  // `connection.pair_error` has said the rest.
  return cause.type === 'closed' && !['stopped', 'restart_required', 'pairing_failed'].includes(cause.reason);
}
