/** How fast one device may send: WhatsApp limits accounts that write like machines. */
import type { Clock } from '../clock.ts';
import type { PaceConfig } from '../config.ts';
import { AppError } from '../errors.ts';

/**
 * A token bucket for each device, kept as the one time at which it would be full again (the generic cell rate
 * algorithm of ATM Forum TM 4.0, in its virtual scheduling form). Turns are given in the order in which they were
 * asked for. Known to this process alone: a restart fills the buckets.
 */
export class Pacing {
  readonly #clock: Clock;
  readonly #settings: PaceConfig;
  /** Milliseconds; what is in the past means nothing. */
  readonly #fullAt = new Map<string, number>();

  constructor(parts: { clock: Clock; settings: PaceConfig }) {
    this.#clock = parts.clock;
    this.#settings = parts.settings;
  }

  /**
   * Resolves when the device may send its next message. Throws RATE_LIMITED when that would take longer than the
   * settings allow, and the signal's reason when the caller goes away; either gives the place back.
   */
  async turn(deviceId: string, signal?: AbortSignal): Promise<void> {
    const { perMinute, burst, maxWaitMs } = this.#settings;
    if (perMinute === 0) return;
    signal?.throwIfAborted();
    const now = this.#clock.monotonic();
    const interval = 60_000 / perMinute;
    const fullAt = Math.max(this.#fullAt.get(deviceId) ?? 0, now);
    const wait = fullAt - (burst - 1) * interval - now;
    if (wait > maxWaitMs) throw tooFast(wait - maxWaitMs, perMinute);
    this.#fullAt.set(deviceId, fullAt + interval);
    if (wait <= 0) return;
    try {
      await this.#sleep(wait, signal);
    } catch (error) {
      this.#fullAt.set(deviceId, (this.#fullAt.get(deviceId) ?? 0) - interval);
      throw error;
    }
  }

  #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const gone = () => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = this.#clock.after(ms, () => {
        signal?.removeEventListener('abort', gone);
        resolve();
      });
      signal?.addEventListener('abort', gone, { once: true });
    });
  }
}

function tooFast(ms: number, perMinute: number): AppError {
  return new AppError('RATE_LIMITED', {
    message: `the device sends more than ${perMinute} messages per minute (WUTS_PACE_PER_MINUTE): try again later`,
    retryAfterSeconds: Math.ceil(ms / 1000),
  });
}
