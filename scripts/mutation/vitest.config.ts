import { defineConfig } from 'vitest/config';
import { BaseSequencer, type Reporter, type TestModule, type TestSpecification } from 'vitest/node';
import { isMeasured, keepDurations, readDurations } from './durations.ts';

/** A mutant is done with at its first failing test, and most fail in the quick files. */
class QuickestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const durations = readDurations().files;
    const took = ({ moduleId }: TestSpecification): number => durations[moduleId] ?? 0;
    return Promise.resolve([...files].sort((a, b) => took(a) - took(b)));
  }
}

/** Keeps how long the tests took in the first run. Says nothing: Stryker reports. */
class Measure implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    if (isMeasured()) return;
    const files: Record<string, number> = {};
    const tests: Record<string, number> = {};
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { duration = 0 } = test.diagnostic() ?? {};
        tests[test.id] = duration;
        files[module.moduleId] = (files[module.moduleId] ?? 0) + duration;
      }
    }
    keepDurations({ files, tests });
  }
}

/**
 * The tests of one room. Stryker's own `testFiles` will not do: with it, a mutant of a constant is switched
 * on after the module was loaded, and survives (its mutant-test-planner.js and vitest-test-runner.js, 10.1.1).
 */
export default defineConfig({
  test: {
    include: (process.env.MUTATE_TESTS ?? '').split('|'),
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
    // As in the suite: Node's own loader imports what a room's tests need in a fraction of Vite's time.
    experimental: { viteModuleRunner: false },
    // Once per mutant, not for each file of tests.
    isolate: false,
    runner: 'scripts/mutation/impatient-runner.ts',
    reporters: [new Measure()],
    sequence: { sequencer: QuickestFirst },
  },
});
