/** Fills the tables when a device connects: changes come by themselves from then on, what is missing would be asked for. */
import type { Clock } from '../clock.ts';
import type { MessageDevice } from '../messages/stored-message.ts';
import type { Log } from '../observability/log.ts';
import { SessionError } from '../whatsapp/port/errors.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import type { GroupRefresh } from './group-refresh.ts';
import type { GroupStore } from './group-store.ts';

/**
 * The server keeps changes for a device that is away, so that a list stays right over a reconnect; it is asked for
 * anew all the same, because what was lost once would be wrong for ever. Not at each reconnect of a bad network.
 */
const ANEW_AFTER_MS = 6 * 3600_000;

export class GroupsOnConnect {
  readonly #parts: {
    clock: Clock;
    log: Log;
    store: GroupStore;
    refresh: GroupRefresh;
    devices: { openSession(deviceId: string): WhatsAppSession | null };
  };
  /** Of each device one question at a time: who comes while it is asked may know of a change that it misses. */
  readonly #running = new Map<string, Promise<void>>();
  /** Devices whose groups the server calls changed, until they were fetched. */
  readonly #changed = new Set<string>();
  #stopped = false;

  constructor(parts: {
    clock: Clock;
    log: Log;
    store: GroupStore;
    refresh: GroupRefresh;
    devices: { openSession(deviceId: string): WhatsAppSession | null };
  }) {
    this.#parts = parts;
  }

  /** What is known of the device's groups may be wrong. Resolves once that is stored: it may be said but once. */
  async changed(device: MessageDevice): Promise<void> {
    const { clock, store } = this.#parts;
    this.#changed.add(device.id);
    await store.outdate(device, clock.now() - ANEW_AFTER_MS);
    // The server says so while it logs a device in: `connected` comes after that.
    if (this.#parts.devices.openSession(device.id)) this.connected(device);
  }

  connected(device: MessageDevice): void {
    if (this.#stopped) return;
    const before = this.#running.get(device.id) ?? Promise.resolve();
    const work = before.then(() => this.#fill(device)).catch((err: unknown) => this.#failed(device, err));
    this.#running.set(device.id, work);
    void work.finally(() => {
      if (this.#running.get(device.id) === work) this.#running.delete(device.id);
    });
  }

  /** Their sessions end meanwhile, and with them the questions. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#parts.refresh.stop();
    await Promise.all(this.#running.values());
  }

  async #fill(device: MessageDevice): Promise<void> {
    const { clock, devices, refresh, store } = this.#parts;
    const listedAt = await store.listedAt(device);
    const fresh = listedAt !== null && clock.now() - listedAt < ANEW_AFTER_MS;
    if (fresh && !this.#changed.has(device.id)) return;
    const session = devices.openSession(device.id);
    if (!session || this.#stopped) return;
    const told = this.#changed.delete(device.id);
    try {
      await refresh.all(device, session);
    } catch (error) {
      if (told) this.#changed.add(device.id);
      throw error;
    }
  }

  /** Whoever asks for the list asks WhatsApp then. */
  #failed({ id, tenantId }: MessageDevice, err: unknown): void {
    const line = { tenant_id: tenantId, device_id: id, err };
    if (err instanceof SessionError) this.#parts.log.info(line, 'WhatsApp did not tell the groups');
    else this.#parts.log.error(line, 'the groups could not be stored');
  }
}
