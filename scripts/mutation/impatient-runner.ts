/**
 * Ends a test that a mutant made hang. Most of what waits in a test waits for ever when it does not come, so that a
 * mutant that loses a delivery would cost the whole time-out of the suite.
 */
import { flushCompileCache } from 'node:module';
import { type RunnerTestFile, TestRunner } from 'vitest';
import { isMeasured, readDurations } from './durations.ts';

/** So many times what the slowest test of the file takes, and this. A busy machine is no reason to fail. */
const TIMES = 3;
const AND_MS = 4000;

export default class ImpatientRunner extends TestRunner {
  readonly #durations = readDurations();

  override onCollectStart(file: RunnerTestFile): void {
    super.onCollectStart(file);
    const slowest = this.#durations[file.filepath]?.slowest;
    if (slowest === undefined) return;
    const limit = Math.round(TIMES * slowest + AND_MS);
    this.config.testTimeout = limit;
    this.config.hookTimeout = limit;
    this.config.expect.poll = { ...this.config.expect.poll, timeout: limit };
  }

  /** What the first run compiled, the thread of each mutant takes from the disk: half the time of its imports. */
  override onAfterRunFiles(): void {
    super.onAfterRunFiles();
    if (!isMeasured()) flushCompileCache();
  }
}
