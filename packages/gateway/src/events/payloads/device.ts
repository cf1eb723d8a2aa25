/** A device's state, pairing and QR codes as public `data`. */
import { qrForms } from '../../whatsapp/port/linking-qr.ts';
import { banMembers, type TemporaryBan } from '../../whatsapp/port/temporary-ban.ts';
import type { EventData } from '../catalogue.ts';
import { phoneNumber, time } from './parts.ts';

/** What an event says of a device; `Device` of `devices/` fits. */
export interface EventDeviceState {
  name: string;
  jid: string | null;
  lid: string | null;
  phoneNumber: string | null;
  state: string;
  stateReason: string;
  /** Milliseconds since the epoch. */
  stateAt: number;
  ban: TemporaryBan | null;
}

export function deviceData(device: EventDeviceState): EventData<'device.connected'> {
  return {
    name: device.name,
    jid: device.jid,
    lid: device.lid,
    phone_number: device.phoneNumber,
    state: device.state,
    reason: device.stateReason,
    at: time(device.stateAt),
  };
}

export function disconnectedData(
  device: EventDeviceState,
  willRetry: boolean,
): EventData<'device.disconnected'> {
  return { ...deviceData(device), will_retry: willRetry };
}

export function limitedData(
  device: EventDeviceState,
  limit: { since: number; until: number; reason: string },
): EventData<'device.limited'> {
  const { since, until, reason } = limit;
  return { ...deviceData(device), limit: { since: time(since), until: time(until), reason } };
}

/** `expiresAt` in milliseconds. */
export function passkeyRequiredData(
  device: EventDeviceState,
  expiresAt: number,
): EventData<'device.passkey_required'> {
  return { ...deviceData(device), expires_at: time(expiresAt) };
}

export function passkeyConfirmData(
  device: EventDeviceState,
  expiresAt: number,
  code: string,
): EventData<'device.passkey_confirm'> {
  return { ...deviceData(device), code, expires_at: time(expiresAt) };
}

/** `statusCode`: WhatsApp's, when there was one. */
export function refusedData(
  device: EventDeviceState,
  statusCode: number | null,
  willRetry: boolean,
): EventData<'connection.failure'> {
  return { ...deviceData(device), status_code: statusCode, will_retry: willRetry };
}

export function temporaryBanData(
  device: EventDeviceState,
  statusCode: number | null,
  willRetry: boolean,
): EventData<'connection.temporary_ban'> {
  return { ...refusedData(device, statusCode, willRetry), ban: device.ban && banMembers(device.ban) };
}

export function qrData(qr: { code: string; expiresAt: number }): EventData<'qr.generated'> {
  const { bare, url } = qrForms(qr.code);
  return { qr_code: bare, qr_url: url, expires_at: time(qr.expiresAt) };
}

export function pairedData(account: {
  jid: string | null;
  lid: string | null;
  platform: string | null;
}): EventData<'pair.success'> {
  const { jid, lid, platform } = account;
  return { jid: jid ?? '', lid, phone_number: phoneNumber(jid), platform };
}
