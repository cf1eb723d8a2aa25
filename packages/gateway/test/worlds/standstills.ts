/** A loop that runs fires its timers sooner than this after their time, in milliseconds. */
const LATE_MS = 100;

/** Times that are forgiven, in milliseconds. */
const forgiven = new Set<number>();
let installed = false;

/**
 * The library gives a question up by a timer of its own, and the sandbox that answers runs in the same loop: when a
 * machine stands still for so long, the timer fires before the answer could be written. From here on a timer of
 * exactly `ms` in this process that fires late begins anew: what stands still is not waited for.
 */
export function forgiveStandstills(ms: number): void {
  forgiven.add(ms);
  // Files share the process.
  if (installed) return;
  installed = true;
  const plain = globalThis.setTimeout;
  const forgiving = (
    run: (...args: unknown[]) => void,
    wait?: number,
    ...args: unknown[]
  ): NodeJS.Timeout => {
    if (wait === undefined || !forgiven.has(wait)) return plain(run, wait, ...args);
    let due = performance.now() + wait;
    const timer = plain(() => {
      if (performance.now() < due + LATE_MS) return run(...args);
      due = performance.now() + wait;
      timer.refresh();
    }, wait);
    return timer;
  };
  globalThis.setTimeout = Object.assign(forgiving, plain);
}
