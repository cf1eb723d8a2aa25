/**
 * Ends a test that a mutant made hang. Most of what waits in a test waits for ever when it does not come, so that a
 * mutant that loses a delivery would cost the whole time-out of the suite.
 */
import { flushCompileCache } from 'node:module';
import { type RunnerTestCase, TestRunner } from 'vitest';
import { isMeasured, readDurations } from './durations.ts';

/** A test may take so many times what it took in the first run, and this. A busy machine is no reason to fail. */
const TIMES = 5;
const AND_MS = 4000;
const HOOK_MS = 20_000;

export default class ImpatientRunner extends TestRunner {
  readonly #tests = readDurations().tests;

  override onCollectStart(file: Parameters<TestRunner['onCollectStart']>[0]): void {
    super.onCollectStart(file);
    if (!isMeasured()) return;
    this.config.hookTimeout = HOOK_MS;
    this.config.expect.poll = { ...this.config.expect.poll, timeout: HOOK_MS };
  }

  async runTask(test: RunnerTestCase): Promise<void> {
    const took = this.#tests[test.id];
    const run = TestRunner.getTestFn(test);
    if (took === undefined) return run();
    const ms = Math.round(TIMES * took + AND_MS);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`Test timed out in ${ms} ms`)), ms);
    });
    await Promise.race([run(), late]).finally(() => clearTimeout(timer));
  }

  /** What the first run compiled, the thread of each mutant takes from the disk: half the time of its imports. */
  override onAfterRunFiles(): void {
    super.onAfterRunFiles();
    if (!isMeasured()) flushCompileCache();
  }
}
