import { relative } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** A mutant is done with at its first failing test, and most fail in the quick files. */
class QuickestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return Promise.resolve([...files].sort((a, b) => this.#took(a) - this.#took(b)));
  }

  /** Milliseconds, as far as they are known. */
  #took({ project, moduleId }: TestSpecification): number {
    const key = `${project.name}:${relative(this.ctx.config.root, moduleId)}`;
    return this.ctx.cache.getFileTestResults(key)?.duration ?? 0;
  }
}

/**
 * The tests of one room. Stryker's own `testFiles` will not do: with it, a mutant of a constant is switched
 * on after the module was loaded, and survives (its mutant-test-planner.js and vitest-test-runner.js, 10.1.1).
 */
export default defineConfig({
  test: {
    include: (process.env.MUTATE_TESTS ?? '').split('|'),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What a room's tests import takes seconds to load: once per mutant, not for each file of tests.
    isolate: false,
    sequence: { sequencer: QuickestFirst },
  },
});
