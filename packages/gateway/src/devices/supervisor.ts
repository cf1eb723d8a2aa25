import { AppError } from '../errors.ts';
import type { Device } from './device.ts';
import { DeviceActor } from './device-actor.ts';
import type { DeviceActorParts } from './device-actor-parts.ts';

export interface WaveSettings {
  /** Devices that a starting gateway connects at a time. */
  size: number;
  /** Milliseconds between two waves. */
  gapMs: number;
}

/** 300 devices are under way in 15 s: slow enough for one process's handshakes and for the server's patience. */
const DEFAULT_WAVES: WaveSettings = { size: 10, gapMs: 500 };

export interface SupervisorParts extends DeviceActorParts {
  /** Ids of every tenant: the start asks tenant by tenant which devices to take up. */
  tenantIds(): Promise<string[]>;
  waves?: WaveSettings;
}

/** Keeps one actor for each device that is in use, and so at most one socket each. */
export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #actors = new Map<string, DeviceActor>();
  #cancelWave: (() => void) | null = null;
  #stopped = false;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
  }

  /**
   * Takes up the stored devices. Resolves when their states are stored; the connections follow in waves.
   * Devices that are not linked any more, or whose user disconnected them, stay as they are.
   */
  async start(): Promise<void> {
    const waiting: DeviceActor[] = [];
    for (const tenantId of await this.#parts.tenantIds()) {
      for (const device of await this.#parts.store.listForStart(tenantId)) {
        const actor = this.actor(device);
        await actor.markStarted();
        if (actor.device.state === 'reconnecting') waiting.push(actor);
      }
    }
    this.#launchWaves(waiting);
  }

  /** Closes every session, keeping what is needed to take the devices up again. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelWave?.();
    this.#cancelWave = null;
    await Promise.all([...this.#actors.values()].map((actor) => actor.shutDown()));
  }

  /** The actor of a stored one; throws SHUTTING_DOWN once the supervisor stops. */
  actor(device: Device): DeviceActor {
    if (this.#stopped) throw new AppError('SHUTTING_DOWN');
    const known = this.#actors.get(device.id);
    if (known) return known;
    const actor = new DeviceActor(device, this.#parts);
    this.#actors.set(device.id, actor);
    return actor;
  }

  find(deviceId: string): DeviceActor | null {
    return this.#actors.get(deviceId) ?? null;
  }

  /** The devices of a user that are connected at this moment. */
  connectedOf(userId: string): DeviceActor[] {
    return [...this.#actors.values()].filter(
      ({ device }) => device.userId === userId && device.state === 'connected',
    );
  }

  /** Those that have a connection, or try to have one. */
  online(): DeviceActor[] {
    return [...this.#actors.values()].filter(({ device }) =>
      ['connected', 'reconnecting', 'pairing'].includes(device.state),
    );
  }

  all(): Iterable<DeviceActor> {
    return this.#actors.values();
  }

  /** Closes and drops the actors that `which` accepts, before their rows are deleted. */
  async release(which: (device: Device) => boolean): Promise<void> {
    const leaving = [...this.#actors.values()].filter((actor) => which(actor.device));
    await Promise.all(leaving.map((actor) => actor.shutDown()));
    for (const actor of leaving) this.#actors.delete(actor.device.id);
  }

  #launchWaves(waiting: DeviceActor[]): void {
    const { size, gapMs } = this.#parts.waves ?? DEFAULT_WAVES;
    if (this.#stopped || waiting.length === 0) return;
    for (const actor of waiting.slice(0, size)) actor.launch();
    const rest = waiting.slice(size);
    this.#cancelWave = this.#parts.clock.after(gapMs, () => this.#launchWaves(rest));
  }
}
