import { afterAll } from 'vitest';

/** The timers that are held, of each time in milliseconds that a test file holds. */
const held = new Map<number, Map<NodeJS.Timeout, () => void>>();
let installed = false;

/** Files share the process: what hangs on it is replaced once, and does for other times what it did. */
function install(): void {
  if (installed) return;
  installed = true;
  const plain = globalThis.setTimeout;
  const holding = (run: (...args: unknown[]) => void, wait?: number, ...args: unknown[]): NodeJS.Timeout => {
    const timers = held.get(wait ?? 0);
    if (!timers) return plain(run, wait, ...args);
    // A timer that never fires by itself, for whoever cancels it.
    const timer = plain(() => undefined, 2 ** 31 - 1).unref();
    timers.set(timer, () => run(...args));
    return timer;
  };
  const cancel = globalThis.clearTimeout;
  globalThis.clearTimeout = (timer) => {
    for (const timers of held.values()) timers.delete(timer as NodeJS.Timeout);
    cancel(timer);
  };
  globalThis.setTimeout = Object.assign(holding, plain);
}

/**
 * The library and the gateway give a question up by timers, and a test that waits for them waits in real time, on a
 * machine that may stand still meanwhile. While this test file runs, a timer of exactly `ms` fires when the test says
 * that the time is over, and never before. Call it where tests are declared.
 */
export function holdTimers(ms: number): { fire(): void } {
  install();
  const timers = new Map<NodeJS.Timeout, () => void>();
  held.set(ms, timers);
  afterAll(() => {
    held.delete(ms);
  });
  return {
    fire() {
      for (const [timer, run] of [...timers]) {
        if (!timers.delete(timer)) continue;
        clearTimeout(timer);
        run();
      }
    },
  };
}
