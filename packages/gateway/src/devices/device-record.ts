/** A device's state: it changes in memory at once, is stored soon after, and wakes those who wait for it. */

import type { Clock } from '../clock.ts';
import type { NewEvent } from '../events/recorder.ts';
import type { Log } from '../observability/log.ts';
import { type Device, statusOf } from './device.ts';
import { eventsOfChange, passkeyAsked } from './device-events.ts';
import type { DeviceChange, DeviceStore, WithinCommit } from './device-store.ts';
import type { PasskeyStep } from './passkey-step.ts';
import { type DeviceEvent, isWanted, transition } from './state.ts';

/** Hears of every stored change of a device's state. Must not throw. */
export type StateListener = (device: Device, previous: Device) => void;

export interface DeviceRecordParts {
  store: DeviceStore;
  clock: Clock;
  log: Log;
  stateChanged?: StateListener;
}

const LAST_SEEN_EVERY_MS = 60_000;

export class DeviceRecord {
  readonly #parts: DeviceRecordParts;
  readonly #watchers = new Set<() => void>();
  #device: Device;
  #writes: Promise<void> = Promise.resolve();

  constructor(device: Device, parts: DeviceRecordParts) {
    this.#device = device;
    this.#parts = parts;
  }

  /** As it is now; replaced, never changed in place. */
  get device(): Device {
    return this.#device;
  }

  /** Resolves when every change so far is stored, or could not be. */
  get stored(): Promise<void> {
    return this.#writes;
  }

  /**
   * Resolves with the first value other than undefined that `check` gives, now or after a change of
   * state or QR; with undefined after `timeoutMs`.
   */
  waitFor<T>(check: () => T | undefined, timeoutMs: number): Promise<T | undefined> {
    const now = check();
    if (now !== undefined) return Promise.resolve(now);
    return new Promise((resolve) => {
      const finish = (value: T | undefined) => {
        this.#watchers.delete(watch);
        cancel();
        resolve(value);
      };
      const watch = () => {
        const value = check();
        if (value !== undefined) finish(value);
      };
      const cancel = this.#parts.clock.after(timeoutMs, () => finish(undefined));
      this.#watchers.add(watch);
    });
  }

  /**
   * Moves the state machine and stores the new state with `facts`; the state in memory changes at once. `told`: further
   * events, which are told also where the state stays.
   */
  async apply(
    event: DeviceEvent,
    facts: DeviceChange = {},
    told?: (device: Device) => NewEvent[],
  ): Promise<void> {
    const next = transition(statusOf(this.#device), event);
    if (next === null) {
      if (event.type === 'open' || event.type === 'paired' || told) await this.store(facts, told);
      return;
    }
    const entered = next.state !== this.#device.state;
    await this.store(
      {
        // What WhatsApp said of a ban ends with the ban.
        ...(next.state !== 'banned' && this.#device.ban && { ban: null }),
        ...facts,
        state: next.state,
        stateReason: next.reason,
        ...(entered && { stateAt: this.#parts.clock.now() }),
        wanted: isWanted(next),
      },
      (device, previous) => [...eventsOfChange(device, previous, event), ...(told?.(device) ?? [])],
    );
  }

  /**
   * Moves the state machine once that is stored, in one commit with what `within` writes: when it fails, nothing has
   * changed. False when the event changes nothing, or the device is not there any more.
   */
  async applyWith(event: DeviceEvent, facts: DeviceChange, within: WithinCommit): Promise<boolean> {
    const { store, clock, stateChanged } = this.#parts;
    const written = this.#writes.then(async () => {
      const previous = this.#device;
      const next = transition(statusOf(previous), event);
      if (next === null) return null;
      const at = clock.now();
      const state = { state: next.state, stateReason: next.reason, stateAt: at, wanted: isWanted(next) };
      const change = { ...facts, ...state };
      const device = { ...previous, ...change, updatedAt: at };
      const events = eventsOfChange(device, previous, event);
      if (!(await store.updateWith(device, change, at, { events, within }))) return null;
      // What was told meanwhile stays.
      this.#device = { ...this.#device, ...change, updatedAt: at };
      return previous;
    });
    this.#writes = written.then(
      () => undefined,
      () => undefined,
    );
    const previous = await written;
    if (previous === null) return false;
    this.#tell(this.#device, previous);
    stateChanged?.(this.#device, previous);
    this.notify();
    return true;
  }

  /** Stores the change with its events; the device in memory changes at once. */
  async store(
    change: DeviceChange,
    eventsOf: (device: Device, previous: Device) => NewEvent[] = () => [],
  ): Promise<void> {
    const { store, clock, stateChanged } = this.#parts;
    const previous = this.#device;
    const updatedAt = clock.now();
    const device = { ...previous, ...change, updatedAt };
    this.#device = device;
    const events = eventsOf(device, previous);
    const written = this.#writes.then(() => store.update(device, change, updatedAt, events));
    this.#writes = written.catch(() => undefined);
    try {
      await written;
      const moved = device.state !== previous.state || device.stateReason !== previous.stateReason;
      if (moved) {
        this.#tell(device, previous);
        stateChanged?.(device, previous);
      }
    } finally {
      this.notify();
    }
  }

  /** A step of linking for which somebody is needed: the device's reason, and an event each time. */
  async passkeyAsked(step: PasskeyStep | null): Promise<void> {
    if (step?.step !== 'required' && step?.step !== 'confirm') return;
    const reason = step.step === 'confirm' ? 'passkey_confirm' : 'passkey_required';
    await this.apply({ type: 'passkey', reason }, {}, (device) => passkeyAsked(device, step));
  }

  /** A line for each step that an operator looks for: linked, connected, closed. */
  #tell(device: Device, previous: Device): void {
    const { id: device_id, tenantId: tenant_id, userId: user_id, state, stateReason: reason } = device;
    const line = { tenant_id, user_id, device_id, state, reason, before: previous.state };
    const { log } = this.#parts;
    if (state === 'connected') log.info(line, 'a device has connected');
    else if (reason === 'linked') log.info(line, 'a phone has linked a device');
    else if (reason === 'imported') log.info(line, 'a session has moved in');
    else if (previous.state === 'connected') log.info(line, 'a device has closed');
    else log.info(line, 'a device has changed its state');
  }

  /** A sign of life. Never fails: what brought it has been stored, and must not be sent again for this. */
  async seen(): Promise<void> {
    const now = this.#parts.clock.now();
    const { lastSeen } = this.#device;
    // Either way: a clock that was set back must not stop the signs of life until it has caught up.
    if (lastSeen !== null && Math.abs(now - lastSeen) < LAST_SEEN_EVERY_MS) return;
    await this.store({ lastSeen: now }).catch((error) => this.warn(error, 'last_seen was not stored'));
  }

  /** Those who wait look again: something beside the state has changed. */
  notify(): void {
    for (const watch of [...this.#watchers]) watch();
  }

  warn(error: unknown, message: string): void {
    this.#parts.log.warn({ err: error, device_id: this.#device.id }, message);
  }
}
