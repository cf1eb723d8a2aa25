/** A loop that runs fires its timers sooner than this after their time, in milliseconds. */
const LATE_MS = 100;

/**
 * The library gives a question up by a timer of its own, and the sandbox that answers runs in the same loop: when a
 * machine stands still for so long, the timer fires before the answer could be written. From here on a timer of
 * exactly `ms` in this process that fires late begins anew: what stands still is not waited for.
 */
export function forgiveStandstills(ms: number): void {
  const plain = globalThis.setTimeout;
  const forgiving = (
    run: (...args: unknown[]) => void,
    wait?: number,
    ...args: unknown[]
  ): NodeJS.Timeout => {
    if (wait !== ms) return plain(run, wait, ...args);
    let due = performance.now() + ms;
    const timer = plain(() => {
      if (performance.now() < due + LATE_MS) return run(...args);
      due = performance.now() + ms;
      timer.refresh();
    }, ms);
    return timer;
  };
  globalThis.setTimeout = Object.assign(forgiving, plain);
}
