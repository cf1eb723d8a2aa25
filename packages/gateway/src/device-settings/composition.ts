/** What devices do by themselves with what comes in, and whether they are seen. Made before what stores the reports. */
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Device, Devices } from '../devices/devices.ts';
import type { Log } from '../observability/log.ts';
import type { Step } from '../steps.ts';
import type { Database } from '../storage/schema.ts';
import { Entrance } from './entrance.ts';
import { PresenceKeeping } from './presence-keeping.ts';
import { Settings } from './settings.ts';
import { SettingsStore } from './settings-store.ts';

export interface DeviceSettingsRoom {
  settings: Settings;
  entrance: Entrance;
  step: Step;
}

/** Separate, because the sessions ask for it before the room is there. */
export function settingsStore(db: Kysely<Database>): SettingsStore {
  return new SettingsStore(db);
}

export function composeDeviceSettings(parts: {
  store: SettingsStore;
  clock: Clock;
  log: Log;
  devices: Devices;
  onConnected(listener: (device: Device) => void): void;
  ignored(): void;
}): DeviceSettingsRoom {
  const { store, onConnected } = parts;
  const presence = new PresenceKeeping(parts);
  onConnected((device) => presence.connected(device));
  return {
    settings: new Settings({ ...parts, presence }),
    entrance: new Entrance({ ...parts, store }),
    step: { name: 'presence', start: () => undefined, stop: () => presence.stop() },
  };
}
