import { AppError } from '../errors.ts';
import type { Device } from './device.ts';
import { type DeviceParts, RunningDevice } from './running-device.ts';

export interface WaveSettings {
  /** Devices that a starting gateway connects at a time. */
  size: number;
  /** Milliseconds between two waves. */
  gapMs: number;
}

/** 300 devices are under way in 15 s: slow enough for one process's handshakes and for the server's patience. */
export const DEFAULT_WAVES: WaveSettings = { size: 10, gapMs: 500 };

export interface SupervisorParts extends DeviceParts {
  /** Ids of every tenant: the start asks tenant by tenant which devices to take up. */
  tenantIds(): Promise<string[]>;
  waves?: WaveSettings;
}

/** Keeps one running device for each one that is in use, and so at most one socket each. */
export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #running = new Map<string, RunningDevice>();
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
    const waiting: RunningDevice[] = [];
    for (const tenantId of await this.#parts.tenantIds()) {
      for (const device of await this.#parts.repository.listForStart(tenantId)) {
        const running = this.running(device);
        await running.markStarted();
        if (running.device.state === 'reconnecting') waiting.push(running);
      }
    }
    this.#launchWaves(waiting);
  }

  /** Closes every session, keeping what is needed to take the devices up again. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelWave?.();
    this.#cancelWave = null;
    await Promise.all([...this.#running.values()].map((running) => running.shutDown()));
  }

  /** The running device for a stored one; throws SHUTTING_DOWN once the supervisor stops. */
  running(device: Device): RunningDevice {
    if (this.#stopped) throw new AppError('SHUTTING_DOWN');
    const known = this.#running.get(device.id);
    if (known) return known;
    const running = new RunningDevice(device, this.#parts);
    this.#running.set(device.id, running);
    return running;
  }

  find(deviceId: string): RunningDevice | null {
    return this.#running.get(deviceId) ?? null;
  }

  all(): Iterable<RunningDevice> {
    return this.#running.values();
  }

  /** Closes and drops the running devices that `which` accepts, before their rows are deleted. */
  async release(which: (device: Device) => boolean): Promise<void> {
    const leaving = [...this.#running.values()].filter((running) => which(running.device));
    await Promise.all(leaving.map((running) => running.shutDown()));
    for (const running of leaving) this.#running.delete(running.device.id);
  }

  #launchWaves(waiting: RunningDevice[]): void {
    const { size, gapMs } = this.#parts.waves ?? DEFAULT_WAVES;
    if (this.#stopped || waiting.length === 0) return;
    for (const running of waiting.slice(0, size)) running.launch();
    const rest = waiting.slice(size);
    this.#cancelWave = this.#parts.clock.after(gapMs, () => this.#launchWaves(rest));
  }
}
