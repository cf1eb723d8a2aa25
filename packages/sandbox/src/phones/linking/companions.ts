import type { CompanionSync } from '../account/history.ts';
import type { PhoneHost } from './host.ts';
import type { LinkedCompanion } from './link-companion.ts';

const MAX_BOOTSTRAP_ATTEMPTS = 20;

export interface KeptCompanions {
  readonly devices: readonly number[];
  readonly awaitingBootstrap: readonly number[];
}

/** The companions of a phone, and what each of them is given after its first login. */
export class Companions {
  readonly #number: string;
  readonly #parts: { readonly host: PhoneHost; readonly sync: CompanionSync; online(): boolean };
  readonly #onProblem: (error: unknown) => void;
  readonly #devices = new Set<number>();
  readonly #awaitingBootstrap = new Set<number>();
  readonly #bootstraps = new Map<number, Promise<void>>();

  constructor(
    number: string,
    parts: { readonly host: PhoneHost; readonly sync: CompanionSync; online(): boolean },
    onProblem: (error: unknown) => void,
  ) {
    this.#number = number;
    this.#parts = parts;
    this.#onProblem = onProblem;
  }

  kept(): KeptCompanions {
    return { devices: [...this.#devices], awaitingBootstrap: [...this.#awaitingBootstrap] };
  }

  /** The companions of before: those that were given nothing yet get it when they come. */
  restore({ devices, awaitingBootstrap }: KeptCompanions): void {
    for (const device of devices) this.#devices.add(device);
    for (const device of awaitingBootstrap) this.#awaitingBootstrap.add(device);
    this.phoneIsBack();
  }

  /** Device ids of the companions linked now. */
  get devices(): number[] {
    return [...this.#devices].sort((a, b) => a - b);
  }

  /** A companion was linked: it gets keys and history once it has logged in. */
  linked(companion: LinkedCompanion): LinkedCompanion {
    const { device } = companion;
    this.#devices.add(device);
    this.#awaitingBootstrap.add(device);
    this.#bootstraps.set(device, this.#bootstrap(device));
    return companion;
  }

  /** Logs a companion out. */
  async unlink(device: number): Promise<void> {
    await this.#parts.host.unlink({ user: this.#number, device });
    this.#devices.delete(device);
  }

  /** The network says that a companion is gone. */
  removed(device: number): void {
    this.#devices.delete(device);
  }

  /** Resolves when the companion was given keys and history after its first login. */
  async bootstrapped(device: number): Promise<void> {
    await this.#bootstraps.get(device);
  }

  /** The phone is back on the network: companions that came meanwhile get what they wait for. */
  phoneIsBack(): void {
    for (const device of this.#awaitingBootstrap) this.#bootstraps.set(device, this.#bootstrap(device));
  }

  /**
   * A companion may take its time to come back after linking: it is waited for while it is linked. A phone
   * that is offline by then makes up for it when it is back.
   */
  async #bootstrap(device: number): Promise<void> {
    const { host, sync, online } = this.#parts;
    for (let attempt = 0; attempt < MAX_BOOTSTRAP_ATTEMPTS; attempt += 1) {
      if (!this.#devices.has(device) || !online()) return;
      try {
        await host.whenReady({ user: this.#number, device });
      } catch {
        continue;
      }
      if (!online() || !this.#awaitingBootstrap.delete(device)) return;
      await sync.bootstrap(device).catch(this.#onProblem);
      return;
    }
  }
}
