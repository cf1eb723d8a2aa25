/** Tries to write what happened until the store takes it. */
import type { Clock } from '../../clock.ts';
import { storageFailure } from '../../storage/failure.ts';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Runs `write`, and again while the store cannot: its failure says nothing about what is written. Throws any
 * other error; the store's too, once it is closed or `stop` is aborted.
 */
export async function untilStored<T>(clock: Clock, write: () => Promise<T>, stop?: AbortSignal): Promise<T> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return await write();
    } catch (error) {
      const failure = storageFailure(error);
      if (!failure || failure.kind === 'closed' || stop?.aborted) throw error;
    }
    await sleep(clock, pause, stop);
  }
}

function sleep(clock: Clock, ms: number, stop: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      stop?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    stop?.addEventListener('abort', done, { once: true });
  });
}
