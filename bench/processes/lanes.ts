/** So many at a time, as fast as they go. */
import { nowMs } from './calls.ts';

export interface Timed {
  /** Milliseconds for all of them. */
  tookMs: number;
  /** Milliseconds of each, ascending. */
  latencies: number[];
}

/** Does `count` pieces of work, `concurrency` at a time. */
export async function inLanes(
  count: number,
  concurrency: number,
  work: (index: number) => Promise<unknown>,
): Promise<Timed> {
  const latencies: number[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      const begun = nowMs();
      await work(index);
      latencies.push(nowMs() - begun);
    }
  };
  const begun = nowMs();
  await Promise.all(Array.from({ length: concurrency }, lane));
  return { tookMs: nowMs() - begun, latencies: latencies.sort((a, b) => a - b) };
}
