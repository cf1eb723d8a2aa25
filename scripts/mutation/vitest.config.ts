import { defineConfig } from 'vitest/config';

/**
 * The tests of one room. Stryker's own `testFiles` will not do: with it, a mutant of a constant is switched
 * on after the module was loaded, and survives (its mutant-test-planner.js and vitest-test-runner.js, 10.1.1).
 */
export default defineConfig({
  test: { include: (process.env.MUTATE_TESTS ?? '').split('|'), testTimeout: 60_000, hookTimeout: 60_000 },
});
