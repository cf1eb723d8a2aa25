import { defineConfig } from 'vitest/config';

/** Another version of the engine, for `npm run contract:library`. */
const library = process.env.CONTRACT_LIBRARY;

export default defineConfig({
  resolve: { alias: library ? [{ find: /^baileys$/, replacement: library }] : [] },
  test: {
    include: [
      'packages/*/test/**/*.test.ts',
      'demo/**/*.test.ts',
      'docs/**/*.test.ts',
      'scripts/**/*.test.ts',
    ],
    // The story tests link real sockets and generate hundreds of pre-keys per device.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    coverage: { provider: 'v8', include: ['packages/*/src/**'], reporter: ['text-summary', 'html'] },
    // Every statement that the tests make the gateway prepare is explained at the end.
    globalSetup: ['packages/gateway/test/statement-plans/check-all.ts'],
    setupFiles: ['packages/gateway/test/statement-plans/collect.ts'],
  },
});
