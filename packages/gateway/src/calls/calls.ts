/** Refusing calls: on request, and by what is set for a device. */
import type { Clock } from '../clock.ts';
import type { Device, Devices } from '../devices/devices.ts';
import { isNewsletter } from '../identity/jid.ts';
import { invalidRecipient, parseRecipient, type Recipients } from '../sending/recipients.ts';
import type { Caller } from '../tenancy/caller.ts';
import { onSession } from '../whatsapp/port/app-errors.ts';
import type { CallSettings, CallStore } from './call-store.ts';

/** A text message has so many characters at most. */
export const LONGEST_MESSAGE = 4096;

export interface CallsParts {
  devices: Pick<Devices, 'resolve' | 'session'>;
  recipients: Recipients;
  store: CallStore;
  clock: Clock;
}

export interface DeviceCallSettings extends CallSettings {
  deviceId: string;
}

export class Calls {
  readonly #parts: CallsParts;

  constructor(parts: CallsParts) {
    this.#parts = parts;
  }

  /**
   * Throws DEVICE_NOT_FOUND, DEVICE_AMBIGUOUS, INVALID_RECIPIENT for what is no person, NOT_ON_WHATSAPP and the
   * session's errors. That the call was still ringing is not known.
   */
  async reject(
    caller: Caller,
    asked: { deviceId?: string | undefined; callId: string; from: string },
  ): Promise<Device> {
    const { devices, recipients } = this.#parts;
    const device = await devices.resolve(caller, asked.deviceId);
    const address = parseRecipient(asked.from, 'from');
    const session = devices.session(device);
    const { chat, isGroup, to } = await recipients.resolve(session, device, address);
    if (isGroup || isNewsletter(to)) {
      throw invalidRecipient('from', asked.from, 'must be the person who calls, not a group or channel');
    }
    await onSession(() => session.calls.reject({ callId: asked.callId, from: chat }));
    return device;
  }

  async settings(caller: Caller, deviceId: string): Promise<DeviceCallSettings> {
    const device = await this.#parts.devices.resolve(caller, deviceId);
    return { deviceId: device.id, ...(await this.#parts.store.settings(device)) };
  }

  async set(
    caller: Caller,
    deviceId: string,
    settings: { reject: boolean; message: string | null },
  ): Promise<DeviceCallSettings> {
    const { devices, store, clock } = this.#parts;
    const device = await devices.resolve(caller, deviceId);
    const now = clock.now();
    await store.put(device, settings, now);
    return { deviceId: device.id, ...settings, updatedAt: now };
  }
}
