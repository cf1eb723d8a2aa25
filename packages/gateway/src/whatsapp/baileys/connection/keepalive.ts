import type { Clock } from '../../../clock.ts';
import type { SessionNotice } from '../../port/notices.ts';

/** Baileys pings every 30 s (`keepAliveIntervalMs`), and the server answers at once. */
const PING_EVERY_MS = 30_000;
const ANSWER_WITHIN_MS = 5_000;
const SILENCE_MS = PING_EVERY_MS + ANSWER_WITHIN_MS;

/**
 * Notices that the server has gone silent: nothing at all came since a ping should have been answered. The
 * library looks only at its next ping, so it ends such a connection 30 to 60 s after the last frame; until
 * then a frame may still come, and the connection is restored.
 */
export class KeepaliveWatch {
  readonly #clock: Clock;
  readonly #report: (notice: SessionNotice) => void;
  #cancel: (() => void) | null = null;
  #lastFrameAt = 0;
  #silent = false;

  constructor(clock: Clock, report: (notice: SessionNotice) => void) {
    this.#clock = clock;
    this.#report = report;
  }

  /** Call when the connection is open: from here on pings are sent. */
  start(): void {
    this.#lastFrameAt = this.#clock.monotonic();
    this.#cancel?.();
    this.#lookAfter(SILENCE_MS);
  }

  /** Call for each frame; costs nothing but a look at the clock. */
  frame(): void {
    if (!this.#cancel && !this.#silent) return;
    this.#lastFrameAt = this.#clock.monotonic();
    if (!this.#silent) return;
    this.#silent = false;
    this.#report({ name: 'connection.keepalive_restored' });
    this.#lookAfter(SILENCE_MS);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#silent = false;
  }

  #lookAfter(ms: number): void {
    this.#cancel = this.#clock.after(ms, () => this.#look());
  }

  #look(): void {
    this.#cancel = null;
    const silentForMs = this.#clock.monotonic() - this.#lastFrameAt;
    if (silentForMs < SILENCE_MS) {
      this.#lookAfter(SILENCE_MS - silentForMs);
      return;
    }
    this.#silent = true;
    this.#report({ name: 'connection.keepalive_timeout', silentForMs });
  }
}
