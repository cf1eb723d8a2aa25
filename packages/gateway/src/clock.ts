/**
 * The one source of time. Everything that stamps, expires or backs off takes a `Clock`,
 * so that a test can move time instead of waiting for it.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Runs `run` once after `ms` milliseconds; the returned function cancels it. */
  after(ms: number, run: () => void): () => void;
}

/** Node refuses longer timers and fires them at once (waha#2018 lost stored files to that overflow). */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS));
    // A pending back-off must not keep a stopping process alive.
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/**
 * Whether `work` ends within `ms` milliseconds of real time, as a stop has it however a test holds the clock.
 * It goes on otherwise, and nobody hears of its failure; a failure in time rejects.
 */
export async function inTime(ms: number, work: PromiseLike<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  try {
    return await Promise.race([late, Promise.resolve(work).then(() => true)]);
  } finally {
    clearTimeout(timer);
  }
}

/** A clock that stands still until a test advances it. */
export class ManualClock implements Clock {
  #now: number;
  #timers: { at: number; run: () => void }[] = [];

  constructor(startMs = Date.now()) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + Math.max(ms, 0), run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  /** Moves time forward by `ms`, running due timers in order of their time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = this.#timers.filter((each) => each.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((each) => each !== due);
      this.#now = Math.max(this.#now, due.at);
      due.run();
    }
    this.#now = end;
  }
}

/** Real time that a test can move forward: what is due by then runs at once, the rest keeps running. */
export class AdvancingClock implements Clock {
  #aheadMs = 0;
  #timers = new Set<{ at: number; fire(): void }>();

  now(): number {
    return Date.now() + this.#aheadMs;
  }

  after(ms: number, run: () => void): () => void {
    const cancel = systemClock.after(ms, () => timer.fire());
    const timer = {
      at: this.now() + Math.max(ms, 0),
      fire: () => {
        cancel();
        this.#timers.delete(timer);
        run();
      },
    };
    this.#timers.add(timer);
    return () => {
      cancel();
      this.#timers.delete(timer);
    };
  }

  /** Jumps `ms` milliseconds ahead, running due timers in order of their time. */
  advance(ms: number): void {
    this.#aheadMs += ms;
    const due = [...this.#timers].filter((timer) => timer.at <= this.now()).sort((a, b) => a.at - b.at);
    for (const timer of due) timer.fire();
  }
}
