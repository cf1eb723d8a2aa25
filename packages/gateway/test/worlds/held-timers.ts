/**
 * The library and the gateway give a question up by timers, and a test that waits for them waits in real time, on a
 * machine that may stand still meanwhile. From here on a timer of exactly `ms` in this process fires when the test says
 * that the time is over, and never before.
 */
export function holdTimers(ms: number): { fire(): void } {
  const plain = globalThis.setTimeout;
  const held = new Map<NodeJS.Timeout, () => void>();
  const holding = (run: (...args: unknown[]) => void, wait?: number, ...args: unknown[]): NodeJS.Timeout => {
    if (wait !== ms) return plain(run, wait, ...args);
    // A timer that never fires by itself, for whoever cancels it.
    const timer = plain(() => undefined, 2 ** 31 - 1).unref();
    held.set(timer, () => run(...args));
    return timer;
  };
  const cancel = globalThis.clearTimeout;
  globalThis.clearTimeout = (timer) => {
    held.delete(timer as NodeJS.Timeout);
    cancel(timer);
  };
  globalThis.setTimeout = Object.assign(holding, plain);
  return {
    fire() {
      for (const [timer, run] of [...held]) {
        if (!held.delete(timer)) continue;
        cancel(timer);
        run();
      }
    },
  };
}
