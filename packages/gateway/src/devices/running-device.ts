import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { NewEvent } from '../events/recorder.ts';
import type { AccountLimit } from '../whatsapp/port/account.ts';
import type { CredentialStore } from '../whatsapp/port/credentials.ts';
import type { SessionEvent } from '../whatsapp/port/events.ts';
import type { HistoryBatch } from '../whatsapp/port/history.ts';
import type { Identity, Jid } from '../whatsapp/port/identity.ts';
import type { MediaRetryNotice } from '../whatsapp/port/media.ts';
import type { InboundMessage } from '../whatsapp/port/messages.ts';
import type { SessionNotice } from '../whatsapp/port/notices.ts';
import type { MessageReceipt } from '../whatsapp/port/receipts.ts';
import type { SessionFactory, WhatsAppSession } from '../whatsapp/port/session.ts';
import { Backoff, type BackoffSettings } from './backoff.ts';
import { type Device, isLinked, statusOf } from './device.ts';
import { eventsOfChange, limitChanged, qrGenerated } from './device-events.ts';
import { LimitWatch } from './limit-watch.ts';
import type { DeviceChange, DeviceRepository } from './repository.ts';
import { SessionSlot } from './session-slot.ts';
import { type DeviceEvent, isWanted, transition } from './state.ts';

/** Takes what a session reports. A rejection tells the session that it was not stored. */
export interface SessionHandlers {
  message(device: Device, message: InboundMessage): Promise<void>;
  receipt(device: Device, receipt: MessageReceipt): Promise<void>;
  mediaRetry(device: Device, notice: MediaRetryNotice): Promise<void>;
  notice(device: Device, notice: SessionNotice, cause?: string): Promise<void>;
  history(device: Device, batch: HistoryBatch): Promise<void>;
}

/** Hears of every stored change of a device's state. Must not throw. */
export type StateListener = (device: Device, previous: Device) => void;

/** What a running device needs from the rest of the gateway. */
export interface DeviceParts {
  repository: DeviceRepository;
  clock: Clock;
  log: Logger;
  createSession: SessionFactory;
  credentialsFor(device: Device): CredentialStore;
  loadSentMessage(device: Device, chat: Identity, messageId: string): Promise<Uint8Array | null>;
  handlers: SessionHandlers;
  stateChanged?: StateListener;
  backoff?: Partial<BackoffSettings>;
}

/** The newest QR of the pairing session. Times in milliseconds. */
export interface PairingQr {
  code: string;
  generatedAt: number;
  expiresAt: number;
}

const LAST_SEEN_EVERY_MS = 60_000;
const COMMAND_TIMEOUT_MS = 500;

/**
 * One device in this process: holds at most one session, keeps the device's state, stores it, and
 * connects again when that can help. Commands run one after the other; reports of the session are
 * taken as they come, because a command may be waiting for the session that makes them.
 */
export class RunningDevice {
  readonly #parts: DeviceParts;
  readonly #credentials: CredentialStore;
  readonly #backoff: Backoff;
  readonly #slot: SessionSlot;
  readonly #limitWatch: LimitWatch;
  readonly #watchers = new Set<() => void>();
  #device: Device;
  #commands: Promise<unknown> = Promise.resolve();
  #writes: Promise<void> = Promise.resolve();
  #cancelRetry: (() => void) | null = null;
  #qr: PairingQr | null = null;
  #loggingOut = false;
  #shutDown = false;

  constructor(device: Device, parts: DeviceParts) {
    this.#device = device;
    this.#parts = parts;
    this.#credentials = parts.credentialsFor(device);
    this.#backoff = new Backoff(parts.backoff);
    this.#limitWatch = new LimitWatch(parts.clock, () => {
      this.#limited(null).catch((error) => this.#warn(error, 'the end of a limit was not stored'));
    });
    this.#slot = new SessionSlot({
      clock: parts.clock,
      create: (report) =>
        parts.createSession({
          deviceId: device.id,
          credentials: this.#credentials,
          report,
          loadSentMessage: (chat, id) => parts.loadSentMessage(this.#device, chat, id),
        }),
      report: (event, current) => this.#report(event, current),
      warn: (error, message) => this.#warn(error, message),
    });
  }

  /** The device as it is now; replaced, never changed in place. */
  get device(): Device {
    return this.#device;
  }

  get linked(): boolean {
    return isLinked(this.#device);
  }

  /** The QR of the running pairing session, possibly expired; null before the first one. */
  get qr(): PairingQr | null {
    return this.#qr;
  }

  /** The session when it is open, else null. */
  get openSession(): WhatsAppSession | null {
    return this.#device.state === 'connected' ? this.#slot.session : null;
  }

  /** The session while it waits for a phone to link, else null. */
  get pairingSession(): WhatsAppSession | null {
    return this.#device.state === 'pairing' && !this.linked ? this.#slot.session : null;
  }

  /** Marks a stored device as taken up by this process; `launch` then connects it. */
  async markStarted(): Promise<void> {
    this.#limitWatch.watch(this.#device.limit);
    await this.#apply({ type: 'start' });
  }

  /** Opens a session when one is wanted and none is there or on its way. */
  launch(): void {
    const { state } = this.#device;
    if (this.#shutDown) return;
    if (state !== 'reconnecting' && state !== 'pairing') return;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#slot.open();
  }

  /** Starts to link the device, with new keys. `fresh` gives up a pairing that is under way. */
  pair(fresh: boolean): Promise<void> {
    return this.#command(async () => {
      if (this.linked || this.#shutDown) return;
      if (fresh) this.#detach();
      if (!this.#slot.taken) {
        await this.#slot.closed;
        // Keys of a pairing that came to nothing make the server refuse the next login.
        await this.#credentials.clear();
        this.#backoff.reset();
        const forgotten = {
          jid: null,
          lid: null,
          phoneNumber: null,
          pushName: null,
          platform: null,
          limit: null,
        };
        await this.#apply({ type: 'pair' }, forgotten);
      }
      this.launch();
    });
  }

  /** Connects a linked device now, whatever the back-off says. A connection on its way is not doubled. */
  connect(): Promise<void> {
    return this.#command(async () => {
      if (!this.linked || this.#shutDown) return;
      if (!this.#slot.taken && (await this.#credentials.readCredentials()) === null) {
        await this.#apply({ type: 'connect' });
        await this.#apply({ type: 'qr' });
        return;
      }
      await this.#apply({ type: 'connect' });
      if (!this.#slot.taken) this.#backoff.reset();
      this.launch();
    });
  }

  /** Closes the session, keeps the credentials, and stays offline. */
  disconnect(): Promise<void> {
    return this.#command(async () => {
      this.#detach();
      await this.#apply({ type: 'disconnect' });
      await this.#slot.closed;
    });
  }

  /**
   * Removes the companion on the server (needs an open session, else the session's error) and forgets
   * the credentials. With `localOnly` the server is not asked: the phone may go on listing the device.
   */
  logout(localOnly: boolean): Promise<void> {
    return this.#command(async () => {
      const session = this.openSession;
      if (session !== null && !localOnly) {
        this.#loggingOut = true;
        try {
          await session.logout();
        } finally {
          this.#loggingOut = false;
        }
      }
      this.#detach();
      await this.#apply({ type: 'logout' });
      await this.#slot.closed;
      await this.#credentials.clear();
    });
  }

  /** Closes the session because the gateway stops; the next start takes the device up again. */
  async shutDown(): Promise<void> {
    this.#shutDown = true;
    this.#limitWatch.stop();
    this.#detach();
    await this.#apply({ type: 'stop' }).catch((error) => this.#warn(error, 'the state was not stored'));
    await this.#slot.closed;
    await this.#commandsOver();
    await this.#writes;
  }

  /** A command whose session was taken away ends soon; one that does not is left behind. */
  #commandsOver(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#parts.clock.after(COMMAND_TIMEOUT_MS, resolve);
      this.#commands.finally(() => {
        cancel();
        resolve();
      });
    });
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

  async #report(event: SessionEvent, current: boolean): Promise<void> {
    switch (event.type) {
      // What the account received is stored even when this session has just been given up.
      case 'message':
        await this.#parts.handlers.message(this.#device, event.message);
        return this.#seen();
      case 'receipt':
        await this.#parts.handlers.receipt(this.#device, event.receipt);
        return this.#seen();
      case 'media_retry':
        await this.#parts.handlers.mediaRetry(this.#device, event.notice);
        return this.#seen();
      case 'notice':
        await this.#parts.handlers.notice(this.#device, event.notice, event.cause);
        return this.#seen();
      case 'history':
        await this.#parts.handlers.history(this.#device, event.batch);
        return this.#seen();
      default:
        if (current) await this.#takeReport(event);
    }
  }

  async #takeReport(
    event: Exclude<SessionEvent, { type: 'message' | 'receipt' | 'media_retry' | 'notice' | 'history' }>,
  ): Promise<void> {
    const now = this.#parts.clock.now();
    switch (event.type) {
      case 'connecting':
        return;
      case 'alive':
        return this.#seen();
      case 'push_name':
        return this.#store({ pushName: event.name });
      case 'limit':
        return this.#limited(event.limit);
      case 'qr':
        if (this.linked) return this.#credentialsMissing();
        this.#qr = { code: event.code, generatedAt: now, expiresAt: event.expiresAt };
        this.#notify();
        return this.#store({}, () => [qrGenerated(event)]).catch((error) =>
          this.#warn(error, 'the QR was not reported'),
        );
      case 'paired':
        this.#qr = null;
        await this.#apply({ type: 'paired' }, { ...ids(event), platform: event.platform });
        return;
      case 'open': {
        this.#qr = null;
        this.#backoff.opened(this.#parts.clock.monotonic());
        const name = event.pushName === null ? {} : { pushName: event.pushName };
        await this.#apply({ type: 'open' }, { ...ids(event), ...name, lastSeen: now });
        return;
      }
      case 'closed':
        return this.#closed(event);
    }
  }

  /** WhatsApp set, changed or lifted the limit of the account; what it says again is no news. */
  async #limited(limit: AccountLimit | null): Promise<void> {
    const before = this.#device.limit;
    const same = before?.until === limit?.until && before?.reason === limit?.reason;
    if (!same) {
      const now = this.#parts.clock.now();
      await this.#store({ limit: limit && { since: before?.since ?? now, ...limit } }, limitChanged);
    }
    if (!this.#shutDown) this.#limitWatch.watch(this.#device.limit);
  }

  async #closed(event: Extract<SessionEvent, { type: 'closed' }>): Promise<void> {
    this.#qr = null;
    this.#parts.log.info(
      { deviceId: this.#device.id, reason: event.reason, statusCode: event.statusCode },
      'session closed',
    );
    const asAsked = this.#loggingOut && (event.reason === 'stopped' || event.reason === 'logged_out');
    const cause: DeviceEvent = asAsked
      ? { type: 'logout' }
      : { type: 'closed', reason: event.reason, statusCode: event.statusCode };
    // The state in memory changes at once: what follows from it does not wait for the disk.
    const stored = this.#apply(cause);
    if (this.#device.state === 'logged_out') this.#forgetCredentials();
    this.#scheduleRetry(event.reason === 'restart_required');
    await stored.catch((error) => this.#warn(error, 'the state was not stored'));
  }

  #scheduleRetry(restartRequired: boolean): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    if (this.#shutDown) return;
    const { clock } = this.#parts;
    const wait = this.#backoff.afterClose(statusOf(this.#device), restartRequired, clock.monotonic());
    if (wait === null) return;
    if (wait === 0) {
      this.launch();
      return;
    }
    this.#cancelRetry = clock.after(wait, () => {
      this.#cancelRetry = null;
      this.#apply({ type: 'retry' })
        .catch((error) => this.#warn(error, 'the state was not stored'))
        .finally(() => this.launch());
    });
  }

  /** A linked device is asked to scan: its keys are gone, for example after a restored backup. */
  async #credentialsMissing(): Promise<void> {
    this.#detach();
    await this.#apply({ type: 'qr' });
    this.#forgetCredentials();
  }

  /** Not awaited by reports: the command that made the session report may hold the queue. */
  #forgetCredentials(): void {
    this.#command(async () => {
      await this.#slot.closed;
      if (this.#device.state === 'logged_out' && !this.#slot.taken) await this.#credentials.clear();
    }).catch((error) => this.#warn(error, 'the credentials were not forgotten'));
  }

  /** Gives up the current session and any pending retry; the slot tells when the socket is closed. */
  #detach(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#qr = null;
    this.#slot.empty();
  }

  /** Moves the state machine and stores the new state with `facts`; the state in memory changes at once. */
  async #apply(event: DeviceEvent, facts: DeviceChange = {}): Promise<void> {
    const next = transition(statusOf(this.#device), event);
    if (next === null) {
      if (event.type === 'open' || event.type === 'paired') await this.#store(facts);
      return;
    }
    const entered = next.state !== this.#device.state;
    await this.#store(
      {
        ...facts,
        state: next.state,
        stateReason: next.reason,
        ...(entered && { stateAt: this.#parts.clock.now() }),
        wanted: isWanted(next),
      },
      (device, previous) => eventsOfChange(device, previous, event),
    );
  }

  /** Stores the change with its events; the device in memory changes at once. */
  async #store(
    change: DeviceChange,
    eventsOf: (device: Device, previous: Device) => NewEvent[] = () => [],
  ): Promise<void> {
    const { repository, clock, stateChanged } = this.#parts;
    const previous = this.#device;
    const updatedAt = clock.now();
    const device = { ...previous, ...change, updatedAt };
    this.#device = device;
    const events = eventsOf(device, previous);
    const written = this.#writes.then(() => repository.update(device, change, updatedAt, events));
    this.#writes = written.catch(() => undefined);
    try {
      await written;
      const moved = device.state !== previous.state || device.stateReason !== previous.stateReason;
      if (moved) stateChanged?.(device, previous);
    } finally {
      this.#notify();
    }
  }

  /** A sign of life. Never fails: what brought it has been stored, and must not be sent again for this. */
  async #seen(): Promise<void> {
    const now = this.#parts.clock.now();
    const { lastSeen } = this.#device;
    // Either way: a clock that was set back must not stop the signs of life until it has caught up.
    if (lastSeen !== null && Math.abs(now - lastSeen) < LAST_SEEN_EVERY_MS) return;
    await this.#store({ lastSeen: now }).catch((error) => this.#warn(error, 'last_seen was not stored'));
  }

  #notify(): void {
    for (const watch of [...this.#watchers]) watch();
  }

  #command<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#commands.then(run);
    this.#commands = result.catch(() => undefined);
    return result;
  }

  #warn(error: unknown, message: string): void {
    this.#parts.log.warn({ err: error, deviceId: this.#device.id }, message);
  }
}

function ids({ jid, lid }: { jid: Jid; lid: Jid | null }): DeviceChange {
  const phoneNumber = jid.endsWith('@s.whatsapp.net') ? (jid.split(/[:@]/)[0] ?? null) : null;
  return { jid, ...(lid !== null && { lid }), phoneNumber };
}
