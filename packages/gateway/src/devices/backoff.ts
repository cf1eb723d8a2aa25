import { type DeviceStatus, isTemporaryBan } from './state.ts';

export interface BackoffSettings {
  /** Milliseconds before the first retry, doubled for each further one. */
  baseMs: number;
  /** No wait is longer than this. */
  capMs: number;
  /** A session that held this long was healthy: the next failure starts from `baseMs` again. */
  stableMs: number;
  /** Wait between tries during a temporary ban whose end WhatsApp does not tell. */
  temporaryBanMs: number;
  /** How long after the end of a temporary ban that WhatsApp tells. */
  afterBanMs: number;
  /** Uniform in [0, 1). */
  random: () => number;
}

const DEFAULT_BACKOFF: BackoffSettings = {
  baseMs: 1_000,
  capMs: 5 * 60_000,
  stableMs: 60_000,
  temporaryBanMs: 60 * 60_000,
  afterBanMs: 60_000,
  random: Math.random,
};

/** How a session ended. */
export interface SessionOver {
  /** The server asked for a new connection (515), which is no failure. */
  restartRequired?: boolean;
  /** Until WhatsApp lifts a temporary ban, milliseconds; null when it has not said. */
  bannedMs?: number | null;
  /** Milliseconds, monotonic. */
  now: number;
}

/** So many 515 in a row reconnect at once; a server that keeps saying it is treated as failing. */
const IMMEDIATE_RESTARTS = 3;

/**
 * Decides how long a device waits before its next connection attempt: exponential, capped, with jitter in
 * the upper half of the interval, so that devices that fell together do not come back together and none
 * retries at once. A session that opens and falls straight away does not reset the count, otherwise
 * a device that bounces between open and closed would hammer the server at the base rate.
 */
export class Backoff {
  readonly #settings: BackoffSettings;
  #failures = 0;
  #restarts = 0;
  #openedAt: number | null = null;

  constructor(settings: Partial<BackoffSettings> = {}) {
    this.#settings = { ...DEFAULT_BACKOFF, ...settings };
  }

  /** The session opened at `now` (milliseconds, monotonic). */
  opened(now: number): void {
    this.#openedAt = now;
    this.#restarts = 0;
  }

  /** Forgets all failures: the user asked for an attempt now. */
  reset(): void {
    this.#failures = 0;
    this.#restarts = 0;
    this.#openedAt = null;
  }

  /**
   * Milliseconds until the next attempt after a session ended, or null when no retry can cure the state.
   */
  afterClose(
    status: DeviceStatus,
    { restartRequired = false, bannedMs = null, now }: SessionOver,
  ): number | null {
    if (isTemporaryBan(status)) {
      const { afterBanMs, temporaryBanMs } = this.#settings;
      return bannedMs === null ? this.#jittered(temporaryBanMs) : bannedMs + this.#jittered(afterBanMs);
    }
    if (status.state !== 'reconnecting' && status.state !== 'pairing') return null;
    if (restartRequired && this.#restarts < IMMEDIATE_RESTARTS) {
      this.#restarts += 1;
      return 0;
    }
    if (this.#openedAt !== null && now - this.#openedAt >= this.#settings.stableMs) this.#failures = 0;
    this.#openedAt = null;
    const interval = Math.min(this.#settings.capMs, this.#settings.baseMs * 2 ** this.#failures);
    // 2 ** 30 times any base is beyond any cap; counting on would end in Infinity.
    this.#failures = Math.min(this.#failures + 1, 30);
    return this.#jittered(interval);
  }

  #jittered(interval: number): number {
    return Math.round(interval / 2 + (interval / 2) * this.#settings.random());
  }
}
