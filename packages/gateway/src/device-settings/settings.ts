/** Settings of devices, as callers may see and change them. */
import type { Clock } from '../clock.ts';
import type { Device, Devices } from '../devices/devices.ts';
import type { Caller } from '../tenancy/caller.ts';
import type { PresenceKeeping } from './presence-keeping.ts';
import type { DeviceSettings, SettingsStore } from './settings-store.ts';

/** What is undefined stays as it is. */
export type SettingsChange = {
  [K in keyof Omit<DeviceSettings, 'updatedAt'>]?: DeviceSettings[K] | undefined;
};

export type SettingsOfDevice = DeviceSettings & { deviceId: string };

export class Settings {
  readonly #parts: {
    devices: Pick<Devices, 'resolve'>;
    store: SettingsStore;
    presence: PresenceKeeping;
    clock: Clock;
  };

  constructor(parts: {
    devices: Pick<Devices, 'resolve'>;
    store: SettingsStore;
    presence: PresenceKeeping;
    clock: Clock;
  }) {
    this.#parts = parts;
  }

  async of(caller: Caller, deviceId: string): Promise<SettingsOfDevice> {
    const device = await this.#parts.devices.resolve(caller, deviceId);
    return { deviceId: device.id, ...(await this.#parts.store.of(device)) };
  }

  /** In force at once, for what comes from then on. */
  async change(caller: Caller, deviceId: string, change: SettingsChange): Promise<SettingsOfDevice> {
    const { devices, store, presence, clock } = this.#parts;
    const device: Device = await devices.resolve(caller, deviceId);
    const before = await store.of(device);
    const after = await store.put(
      device,
      {
        ...before,
        ...(change.ignored !== undefined && { ignored: change.ignored }),
        ...(change.read !== undefined && { read: change.read }),
        ...(change.showsReading !== undefined && { showsReading: change.showsReading }),
        ...(change.presence !== undefined && { presence: change.presence }),
      },
      clock.now(),
    );
    if (after.presence !== before.presence) presence.changed(device, after.presence);
    return { deviceId: device.id, ...after };
  }
}
