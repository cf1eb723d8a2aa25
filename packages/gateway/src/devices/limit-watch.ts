/** Watches for the end of a limit that WhatsApp set: WhatsApp sends nothing when it ends. */
import type { Clock } from '../clock.ts';
import type { AccountLimit } from '../whatsapp/port/account.ts';

/**
 * One day. A timer does not count the time for which its machine sleeps, and `Clock.after` cuts longer ones to
 * 24.8 days: so the time is looked at again each day.
 */
const LOOK_AGAIN_MS = 24 * 3600_000;

export class LimitWatch {
  readonly #clock: Clock;
  readonly #over: () => void;
  #cancel: () => void = () => undefined;

  /** `over` is called once the limit under watch has ended. */
  constructor(clock: Clock, over: () => void) {
    this.#clock = clock;
    this.#over = over;
  }

  /** From now on of this limit, or of none. */
  watch(limit: AccountLimit | null): void {
    this.#cancel();
    if (limit === null) return;
    const left = Math.max(limit.until - this.#clock.now(), 0);
    this.#cancel = this.#clock.after(Math.min(left, LOOK_AGAIN_MS), () => {
      if (limit.until <= this.#clock.now()) this.#over();
      else this.watch(limit);
    });
  }

  stop(): void {
    this.#cancel();
  }
}
