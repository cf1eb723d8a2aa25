/** Keeps devices online, or shows them for a moment each day. */
import type { Clock } from '../clock.ts';
import type { Device, Devices } from '../devices/devices.ts';
import type { Log } from '../observability/log.ts';
import type { PresenceState } from '../whatsapp/port/presence.ts';
import type { PresenceSetting, SettingsStore } from './settings-store.ts';

const DAY_MS = 24 * 3600_000;
/** After a connection is there: what has waited is taken first. */
const FIRST_MS = 60_000;
/** As long as somebody looks at the chats. */
const SHOWN_MS = 20_000;

export class PresenceKeeping {
  readonly #parts: { store: SettingsStore; devices: Pick<Devices, 'openSession'>; clock: Clock; log: Log };
  /** What is to happen next, by device. */
  readonly #next = new Map<string, () => void>();
  /** When a device was shown last, by the clock of the process. */
  readonly #shown = new Map<string, number>();
  #stopped = false;

  constructor(parts: {
    store: SettingsStore;
    devices: Pick<Devices, 'openSession'>;
    clock: Clock;
    log: Log;
  }) {
    this.#parts = parts;
  }

  connected(device: Device): void {
    this.#follow(device).catch((err: unknown) => this.#failed(device, err));
  }

  /** Another setting is in force. What an earlier one, or a request under it, shows as online is so no longer. */
  changed(device: Device, after: PresenceSetting): void {
    this.#cancel(device.id);
    if (after !== 'online') this.#send(device, 'unavailable');
    this.connected(device);
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#next.values()) cancel();
    this.#next.clear();
  }

  async #follow(device: Device): Promise<void> {
    const { presence } = await this.#parts.store.of(device);
    if (this.#stopped || !this.#parts.devices.openSession(device.id)) return;
    if (presence === 'online') this.#keepOnline(device);
    if (presence === 'daily') this.#showLater(device);
  }

  /** A device that was just linked is refused until its phone has told the account's name. */
  #keepOnline(device: Device): void {
    const session = this.#parts.devices.openSession(device.id);
    session?.presence.send('available').catch((err: unknown) => {
      this.#failed(device, err);
      if (!this.#stopped) this.#after(device, FIRST_MS, () => this.connected(device));
    });
  }

  #showLater(device: Device): void {
    const { clock } = this.#parts;
    const shown = this.#shown.get(device.id);
    const left = shown === undefined ? 0 : shown + DAY_MS - clock.monotonic();
    this.#after(device, Math.max(left, FIRST_MS), () => {
      // The next connection begins anew.
      if (!this.#parts.devices.openSession(device.id)) return;
      this.#shown.set(device.id, clock.monotonic());
      this.#send(device, 'available');
      this.#after(device, SHOWN_MS, () => {
        this.#send(device, 'unavailable');
        this.#showLater(device);
      });
    });
  }

  #after(device: Device, ms: number, run: () => void): void {
    this.#cancel(device.id);
    const cancel = this.#parts.clock.after(ms, () => {
      this.#next.delete(device.id);
      run();
    });
    this.#next.set(device.id, cancel);
  }

  #cancel(deviceId: string): void {
    this.#next.get(deviceId)?.();
    this.#next.delete(deviceId);
  }

  #send(device: Device, state: PresenceState): void {
    const session = this.#parts.devices.openSession(device.id);
    session?.presence.send(state).catch((err: unknown) => this.#failed(device, err));
  }

  #failed(device: Device, err: unknown): void {
    this.#parts.log.info({ err, device_id: device.id }, 'the presence of a device was not set');
  }
}
