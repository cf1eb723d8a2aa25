import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The one source of time, and the one way to write it. Everything that stamps, expires or backs off takes a `Clock`,
 * so that a test can move time instead of waiting for it.
 */
export interface Clock {
  /**
   * Milliseconds since the Unix epoch, for what is stored, told or set by others. It may jump, back as well:
   * somebody sets the clock, or a machine wakes up with a wrong one.
   */
  now(): number;
  /**
   * Whole milliseconds since some moment in the life of this process, for everything that lasts only as long:
   * paces, waits, back-off, caches. Never goes back, and says nothing about the time of day.
   */
  monotonic(): number;
  /** Runs `run` once after `ms` milliseconds; the returned function cancels it. */
  after(ms: number, run: () => void): () => void;
}

/** Node refuses longer timers and fires them at once (waha#2018 lost stored files to that overflow). */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => Math.floor(performance.now()),
  after(ms, run) {
    const timer = setTimeout(run, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS));
    // A pending back-off must not keep a stopping process alive.
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Waits so long of real time, and keeps the process alive meanwhile; a signal that is aborted ends it at once. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, signal && { signal }).catch(() => undefined);
}

/** Measures real time for answers and logs: the result tells the whole milliseconds since this call. */
export function stopwatch(): () => number {
  const started = performance.now();
  return () => Math.round(performance.now() - started);
}

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

/**
 * As `clock.after`, but what has come in by then is heard first. A loop that was busy past the time finds the timer
 * and the answer at once, and Node runs timers before it reads sockets; immediates run after
 * (https://nodejs.org/learn/asynchronous-work/event-loop-timers-and-nexttick).
 */
export function afterHearing(clock: Clock, ms: number, run: () => void): () => void {
  let turn: NodeJS.Immediate | undefined;
  const cancel = clock.after(ms, () => {
    turn = setImmediate(run);
  });
  return () => {
    cancel();
    clearImmediate(turn);
  };
}

/**
 * Aborted with a TimeoutError after `ms` of real time, once what has come in by then was heard, and with the signal
 * that is given. `end` gives the timer back, which keeps no process alive, and leaves the signal.
 */
export function timeLimit(ms: number, signal?: AbortSignal): { signal: AbortSignal; end(): void } {
  const ending = new AbortController();
  const cancel = afterHearing(systemClock, ms, () => {
    ending.abort(new DOMException('it took too long', 'TimeoutError'));
  });
  // What `AbortSignal.any` makes is left to the garbage collector.
  const giveUp = () => ending.abort(signal?.reason);
  if (signal?.aborted) giveUp();
  signal?.addEventListener('abort', giveUp);
  const end = () => {
    cancel();
    signal?.removeEventListener('abort', giveUp);
  };
  return { signal: ending.signal, end };
}

/** Less than this is the slow correction of a clock that is a little off. */
const SET_BACK_MS = 1000;

/**
 * Notices that the clock was set back. What was stored to be tried again at a time of the old clock would wait
 * for as long besides: code that stores such times checks the clock before it asks what is due.
 */
export class SetBacks {
  readonly #clock: Clock;
  #offset: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offset = clock.now() - clock.monotonic();
  }

  /** Calls `adjust` when it was set back since the last time, with the milliseconds; looks again if that fails. */
  async follow(adjust: (ms: number) => Promise<void>): Promise<void> {
    const offset = this.#clock.now() - this.#clock.monotonic();
    const ms = Math.round(this.#offset - offset);
    if (ms >= SET_BACK_MS) await adjust(ms);
    this.#offset = offset;
  }
}

/** A clock that stands still until a test advances it. */
export class ManualClock implements Clock {
  #epoch: number;
  #elapsed = 0;
  #timers: { at: number; run: () => void }[] = [];

  constructor(startMs = Date.now()) {
    this.#epoch = startMs;
  }

  now(): number {
    return this.#epoch + this.#elapsed;
  }

  /** Never 0, as in any process that runs: lru-cache takes an entry of that time for one that never ends. */
  monotonic(): number {
    return this.#elapsed + 1;
  }

  /** Somebody sets the clock back by `ms`: no time passes, and no timer notices. */
  setBack(ms: number): void {
    this.#epoch -= ms;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#elapsed + Math.max(ms, 0), run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  /** Moves time forward by `ms`, running due timers in order of their time. */
  advance(ms: number): void {
    const end = this.#elapsed + ms;
    for (;;) {
      const due = this.#timers.filter((each) => each.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((each) => each !== due);
      this.#elapsed = Math.max(this.#elapsed, due.at);
      due.run();
    }
    this.#elapsed = end;
  }
}

/** Real time that a test can move forward: what is due by then runs at once, the rest keeps running. */
export class AdvancingClock implements Clock {
  #aheadMs = 0;
  #setBackMs = 0;
  #timers = new Set<{ at: number; fire(): void }>();

  now(): number {
    return Date.now() + this.#aheadMs - this.#setBackMs;
  }

  monotonic(): number {
    return Math.floor(performance.now()) + this.#aheadMs;
  }

  /** Somebody sets the clock back by `ms`: no time passes, and no timer notices. */
  setBack(ms: number): void {
    this.#setBackMs += ms;
  }

  after(ms: number, run: () => void): () => void {
    const cancel = systemClock.after(ms, () => timer.fire());
    const timer = {
      at: this.monotonic() + Math.max(ms, 0),
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
    const due = [...this.#timers].filter((timer) => timer.at <= this.monotonic()).sort((a, b) => a.at - b.at);
    for (const timer of due) timer.fire();
  }
}

/** The last moment whose year has four digits, as RFC 3339 wants it. */
const LAST_MOMENT = 253_402_300_799_999;

/** Milliseconds since the Unix epoch as RFC 3339 in UTC. Senders write times too: one outside becomes the nearest. */
export function rfc3339(ms: number): string {
  return new Date(Math.min(Math.max(ms, 0), LAST_MOMENT)).toISOString();
}

/** As `rfc3339`; null for what has no time. */
export function rfc3339OrNull(ms: number | null): string | null {
  return ms === null ? null : rfc3339(ms);
}

/** RFC 3339 with its offset: a local time of nobody knows where would be taken for the wrong hour. */
const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(?:Z|[+-](\d\d):(\d\d))$/i;
/** Month and day of each month's end; 29 February is looked at apart. */
const LAST_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Milliseconds since the Unix epoch of an RFC 3339 time, null when there is no such moment. `Date.parse` alone
 * takes 30 February for 2 March, and a leap second (`:60`), which Unix time has no number for, for no time.
 */
export function parseRfc3339(text: string): number | null {
  const match = RFC3339.exec(text);
  if (!match) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, offsetHours = 0, offsetMinutes = 0] =
    match.slice(1).map((part: string | undefined) => Number(part ?? 0));
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const lastDay = (LAST_DAYS[month - 1] ?? 0) + (leap ? 1 : 0);
  if (day < 1 || day > lastDay || hour > 23 || minute > 59 || second > 59) return null;
  if (offsetHours > 23 || offsetMinutes > 59) return null;
  return Date.parse(text);
}
