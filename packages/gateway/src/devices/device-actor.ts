import type { AccountLimit } from '../whatsapp/port/account.ts';
import type { SessionEvent } from '../whatsapp/port/events.ts';
import type { CheckedSession } from '../whatsapp/port/moving.ts';
import type { NotReady } from '../whatsapp/port/not-ready.ts';
import type { WhatsAppSession } from '../whatsapp/port/session.ts';
import type { Unreachable } from '../whatsapp/port/unreachable.ts';
import { namesOf, UNKNOWN_ACCOUNT } from './account-names.ts';
import { Backoff } from './backoff.ts';
import { CommandQueue } from './command-queue.ts';
import { type Device, isLinked, statusOf } from './device.ts';
import type { DeviceActorParts, KeptCredentials, PairingQr } from './device-actor-parts.ts';
import { limitChanged, qrGenerated } from './device-events.ts';
import { DeviceRecord } from './device-record.ts';
import { LimitWatch } from './limit-watch.ts';
import { PasskeyProgress } from './passkey-step.ts';
import { notReadyReason } from './readiness.ts';
import { endOf, logEnd } from './session-end.ts';
import { isSessionState, type SessionState, storeReceived } from './session-handlers.ts';
import { SessionSlot } from './session-slot.ts';
import type { DeviceEvent, PasskeyEnd } from './state.ts';

/**
 * One device in this process: holds at most one session, keeps the device's state, stores it, and
 * connects again when that can help. Commands run one after the other; reports of the session are
 * taken as they come, because a command may be waiting for the session that makes them.
 */
export class DeviceActor {
  /** The passkey step of linking, while WhatsApp asks for one. */
  readonly passkey: PasskeyProgress;
  readonly #parts: DeviceActorParts;
  readonly #record: DeviceRecord;
  readonly #commands: CommandQueue;
  readonly #credentials: KeptCredentials;
  readonly #backoff: Backoff;
  readonly #slot: SessionSlot;
  readonly #limitWatch: LimitWatch;
  #cancelRetry: (() => void) | null = null;
  #qr: PairingQr | null = null;
  #unreachable: Unreachable | null = null;
  #loggingOut = false;
  #shutDown = false;

  constructor(device: Device, parts: DeviceActorParts) {
    this.#record = new DeviceRecord(device, parts);
    this.#commands = new CommandQueue(parts.clock);
    this.#parts = parts;
    this.#credentials = parts.credentialsFor(device);
    this.#backoff = new Backoff(parts.backoff);
    this.#limitWatch = new LimitWatch(parts.clock, () => {
      this.#limited(null).catch((error) => this.#record.warn(error, 'the end of a limit was not stored'));
    });
    this.passkey = new PasskeyProgress({
      clock: parts.clock,
      changed: () => this.#record.notify(),
      over: (reason) => this.#passkeyOver(reason),
    });
    this.#slot = new SessionSlot({
      clock: parts.clock,
      create: async (report) =>
        parts.createSession({
          deviceId: device.id,
          // Without an answer there is no session: it must not go out directly.
          route: (await parts.routeOf?.(this.device)) ?? null,
          credentials: await this.#credentials.lease(),
          report,
          showsReading: async () => (await parts.showsReading?.(this.device)) ?? true,
          mayAppear: async () => (await parts.mayAppear?.(this.device)) ?? true,
          loadSentMessage: (...asked) => parts.loadSentMessage(this.device, ...asked),
          hasReceived: (message) => parts.hasReceived(this.device, message),
        }),
      report: (event, current) => this.#report(event, current),
      warn: (error, message) => this.#record.warn(error, message),
    });
  }

  /** The device as it is now; replaced, never changed in place. */
  get device(): Device {
    return this.#record.device;
  }

  /** Why the last attempt did not get through to WhatsApp's server; null when it did, or nothing was tried. */
  get unreachable(): Unreachable | null {
    return this.#unreachable;
  }

  /** Why the device cannot be used now; null while it is connected. */
  get notReady(): NotReady | null {
    const reason = this.openSession ? null : (notReadyReason(this.device) ?? 'reconnecting');
    return (
      reason && { reason, device_id: this.device.id, unreachable: this.#unreachable, ban: this.device.ban }
    );
  }

  get linked(): boolean {
    return isLinked(this.device);
  }

  /** The QR of the running pairing session, possibly expired; null before the first one. */
  get qr(): PairingQr | null {
    return this.#qr;
  }

  /** The session when it is open, else null. */
  get openSession(): WhatsAppSession | null {
    return this.device.state === 'connected' ? this.#slot.session : null;
  }

  /** The session while it waits for a phone to link, else null. */
  get pairingSession(): WhatsAppSession | null {
    return this.device.state === 'pairing' && !this.linked ? this.#slot.session : null;
  }

  /** What it is called here; events tell it from now on. */
  rename(name: string): Promise<void> {
    return this.#record.store({ name });
  }

  /** Marks a stored device as taken up by this process; `launch` then connects it. */
  async markStarted(): Promise<void> {
    this.#limitWatch.watch(this.device.limit);
    await this.#record.apply({ type: 'start' });
  }

  /** Opens a session when one is wanted and none is there or on its way. */
  launch(): void {
    const { state } = this.device;
    if (this.#shutDown) return;
    if (state !== 'reconnecting' && state !== 'pairing') return;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#slot.open();
  }

  /** Starts to link the device, with new keys. `fresh` gives up a pairing that is under way. */
  pair(fresh: boolean): Promise<void> {
    return this.#commands.run(async () => {
      if (this.linked || this.#shutDown) return;
      if (fresh) this.#detach();
      if (!this.#slot.taken) {
        await this.#slot.closed;
        // Keys of a pairing that came to nothing make the server refuse the next login.
        await this.#credentials.clear();
        this.#backoff.reset();
        await this.#record.apply({ type: 'pair' }, UNKNOWN_ACCOUNT);
      }
      this.launch();
    });
  }

  /**
   * Takes the place of the program that held this session: stores it in one commit, and connects with it. A pairing
   * that is under way is given up. False, and nothing is stored, when the device is linked, stops, or is gone.
   */
  takeOver({ identity, credentials, changes }: CheckedSession): Promise<boolean> {
    return this.#commands.run(async () => {
      if (this.linked || this.#shutDown) return false;
      this.#detach();
      await this.#record.apply({ type: 'disconnect' });
      await this.#slot.closed;
      const { pushName, platform } = identity;
      const facts = { ...UNKNOWN_ACCOUNT, ...namesOf(identity), pushName, platform };
      const stored = await this.#record.applyWith({ type: 'import' }, facts, (trx) =>
        this.#credentials.replaceIn(trx, credentials, changes),
      );
      if (!stored) return false;
      this.#backoff.reset();
      this.launch();
      return true;
    });
  }

  /** Connects a linked device now, whatever the back-off says. A connection on its way is not doubled. */
  connect(): Promise<void> {
    return this.#commands.run(async () => {
      if (!this.linked || this.#shutDown) return;
      if (!this.#slot.taken && (await this.#credentials.readCredentials()) === null) {
        await this.#record.apply({ type: 'connect' });
        await this.#record.apply({ type: 'qr' });
        return;
      }
      await this.#record.apply({ type: 'connect' });
      if (!this.#slot.taken) this.#backoff.reset();
      this.launch();
    });
  }

  /**
   * Ends the connection, or the try to make one, and begins another by the way that is set now. False when the
   * device is not online and does not want to be.
   */
  reroute(): Promise<boolean> {
    return this.#commands.run(async () => {
      if (this.#shutDown || !['connected', 'reconnecting', 'pairing'].includes(this.device.state))
        return false;
      this.#detach();
      await this.#record.apply({ type: 'reroute' });
      await this.#slot.closed;
      // As for `pair`: nobody has scanned the QR that was shown.
      if (!this.linked) await this.#credentials.clear();
      this.#backoff.reset();
      this.launch();
      return true;
    });
  }

  /** Closes the session, keeps the credentials, and stays offline. */
  disconnect(): Promise<void> {
    return this.#commands.run(async () => {
      this.#detach();
      await this.#record.apply({ type: 'disconnect' });
      await this.#slot.closed;
    });
  }

  /** Gives up a linking that waits for a passkey; nothing to do is no error. */
  giveUpPasskey(reason: PasskeyEnd): Promise<void> {
    const session = this.pairingSession;
    return this.#commands.run(async () => {
      if (session === null || this.pairingSession !== session) return;
      this.#detach();
      await this.#record.apply({ type: 'passkey_over', reason });
      await this.#slot.closed;
    });
  }

  /**
   * Removes the companion on the server (needs an open session, else the session's error) and forgets
   * the credentials. With `localOnly` the server is not asked: the phone may go on listing the device.
   */
  logout(localOnly: boolean): Promise<void> {
    return this.#commands.run(async () => {
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
      await this.#record.apply({ type: 'logout' });
      await this.#slot.closed;
      await this.#credentials.clear();
    });
  }

  /** Closes the session because the gateway stops; the next start takes the device up again. */
  async shutDown(): Promise<void> {
    this.#shutDown = true;
    this.#limitWatch.stop();
    this.#detach();
    await this.#record
      .apply({ type: 'stop' })
      .catch((error) => this.#record.warn(error, 'the state was not stored'));
    await this.#slot.closed;
    await this.#commands.over();
    await this.#record.stored;
  }

  /** The first value that `check` gives, now or after a change; see `DeviceRecord`. */
  waitFor<T>(check: () => T | undefined, timeoutMs: number): Promise<T | undefined> {
    return this.#record.waitFor(check, timeoutMs);
  }

  async #report(event: SessionEvent, current: boolean): Promise<void> {
    if (isSessionState(event)) {
      if (current) await this.#sessionChanged(event);
      return;
    }
    // What the account received is stored even when this session has just been given up.
    await storeReceived(this.#parts.handlers, this.device, event);
    await this.#record.seen();
  }

  async #sessionChanged(event: SessionState): Promise<void> {
    const now = this.#parts.clock.now();
    switch (event.type) {
      case 'connecting':
        return;
      case 'alive':
        return this.#record.seen();
      case 'push_name':
        return this.#record.store({ pushName: event.name });
      case 'limit':
        return this.#limited(event.limit);
      case 'qr':
        this.#unreachable = null;
        if (this.linked) return this.#credentialsMissing();
        this.#qr = { code: event.code, generatedAt: now, expiresAt: event.expiresAt };
        this.#record.notify();
        return this.#record
          .store({}, () => [qrGenerated(event)])
          .catch((error) => this.#record.warn(error, 'the QR was not reported'));
      case 'passkey_required':
      case 'passkey_code':
        this.#qr = null;
        return this.#record.passkeyAsked(this.passkey.report(event));
      case 'passkey_failed':
        this.#record.warn(new Error(event.detail), 'the passkey step failed');
        return this.#passkeyOver(event.refused ? 'passkey_refused' : 'passkey_failed');
      case 'paired':
        this.#qr = null;
        this.passkey.end();
        await this.#record.apply({ type: 'paired' }, { ...namesOf(event), platform: event.platform });
        return;
      case 'open': {
        this.#qr = null;
        this.#unreachable = null;
        this.#backoff.opened(this.#parts.clock.monotonic());
        const name = event.pushName === null ? {} : { pushName: event.pushName };
        await this.#record.apply({ type: 'open' }, { ...namesOf(event), ...name, lastSeen: now });
        return;
      }
      case 'closed':
        return this.#closed(event);
    }
  }

  /** Not awaited by reports: the session ends only when they were taken. */
  #passkeyOver(reason: PasskeyEnd): void {
    this.giveUpPasskey(reason).catch((error) => this.#record.warn(error, 'the state was not stored'));
  }

  /** WhatsApp set, changed or lifted the limit of the account; what it says again is no news. */
  async #limited(limit: AccountLimit | null): Promise<void> {
    const before = this.device.limit;
    const same = before?.until === limit?.until && before?.reason === limit?.reason;
    if (!same) {
      const now = this.#parts.clock.now();
      await this.#record.store({ limit: limit && { since: before?.since ?? now, ...limit } }, limitChanged);
    }
    if (!this.#shutDown) this.#limitWatch.watch(this.device.limit);
  }

  async #closed(event: Extract<SessionEvent, { type: 'closed' }>): Promise<void> {
    this.#qr = null;
    this.passkey.end();
    this.#unreachable = event.unreachable ?? null;
    logEnd(this.#parts.log, this.device, event);
    const asAsked = this.#loggingOut && (event.reason === 'stopped' || event.reason === 'logged_out');
    const cause: DeviceEvent = asAsked
      ? { type: 'logout' }
      : { type: 'closed', reason: event.reason, statusCode: event.statusCode };
    // The state in memory changes at once: what follows from it does not wait for the disk.
    const stored = this.#record.apply(cause, event.ban ? { ban: event.ban } : {});
    if (this.device.state === 'logged_out') this.#forgetCredentials();
    this.#scheduleRetry(event.reason === 'restart_required');
    await stored.catch((error) => this.#record.warn(error, 'the state was not stored'));
  }

  #scheduleRetry(restartRequired: boolean): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    if (this.#shutDown) return;
    const { clock } = this.#parts;
    const wait = this.#backoff.afterClose(statusOf(this.device), endOf(this.device, restartRequired, clock));
    if (wait === null) return;
    if (wait === 0) {
      this.launch();
      return;
    }
    this.#cancelRetry = clock.after(wait, () => {
      this.#cancelRetry = null;
      this.#record
        .apply({ type: 'retry' })
        .catch((error) => this.#record.warn(error, 'the state was not stored'))
        .finally(() => this.launch());
    });
  }

  /** A linked device is asked to scan: its keys are gone, for example after a restored backup. */
  async #credentialsMissing(): Promise<void> {
    this.#detach();
    await this.#record.apply({ type: 'qr' });
    this.#forgetCredentials();
  }

  /** Not awaited by reports: the command that made the session report may hold the queue. */
  #forgetCredentials(): void {
    this.#commands
      .run(async () => {
        await this.#slot.closed;
        if (this.device.state === 'logged_out' && !this.#slot.taken) await this.#credentials.clear();
      })
      .catch((error) => this.#record.warn(error, 'the credentials were not forgotten'));
  }

  /** Gives up the current session and any pending retry; the slot tells when the socket is closed. */
  #detach(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#qr = null;
    this.passkey.end();
    this.#unreachable = null;
    this.#slot.empty();
  }
}
