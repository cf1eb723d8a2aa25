/** Commands to one device, one after the other. */
import type { Clock } from '../clock.ts';

/** A command whose session was taken away ends soon; one that does not is left behind. */
const COMMAND_TIMEOUT_MS = 500;

export class CommandQueue {
  readonly #clock: Clock;
  #last: Promise<unknown> = Promise.resolve();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs it after those before it, however they ended. */
  run<T>(command: () => Promise<T>): Promise<T> {
    const result = this.#last.then(command);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Resolves when the commands so far have ended, or took too long to. */
  over(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(COMMAND_TIMEOUT_MS, resolve);
      this.#last.finally(() => {
        cancel();
        resolve();
      });
    });
  }
}
