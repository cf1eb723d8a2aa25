import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { nodeAlone } from './scripts/node-alone.ts';

/** Another version of the engine, for `npm run contract:library`. */
const library = process.env.CONTRACT_LIBRARY;

/**
 * Tests that change what a process has but once, or that ask how its loop stands; and those that take so long that
 * what a process of its own costs, seconds of imports and of code that is not warm, is little beside it. All others
 * share the processes. What those change must be their own.
 */
const ALONE = [
  'packages/gateway/test/gateway/{busy-stop,lifecycle}.test.ts',
  'packages/gateway/test/webhooks/late-loop.test.ts',
  'packages/gateway/test/whatsapp/{library-contract,many-sessions,session,unseen-ciphertext}.test.ts',
  'packages/sandbox/test/phones/retry-without-keys.test.ts',
  'packages/gateway/test/bad-input/{conversions,fetched-urls,pictures}.test.ts',
  'packages/gateway/test/cli/administration.test.ts',
  'packages/gateway/test/crash/*.test.ts',
  'packages/gateway/test/end-to-end/{dying-link,kept-network,profile}.test.ts',
  'packages/gateway/test/end-to-end/receiving/media-links.test.ts',
  'packages/gateway/test/end-to-end/refusals/{membership-refusals,refusals-business,refusals-channels}.test.ts',
  'packages/gateway/test/end-to-end/sending/{large-files,long-sends,made-once,outbound-crash,voice-notes}.test.ts',
  'packages/gateway/test/end-to-end/stories/stories-to-many.test.ts',
  'packages/gateway/test/moving/end-to-end/{cut-short,refusals}.test.ts',
  'packages/gateway/test/tenancy/{erasure,killed-removal,quotas}.test.ts',
];

const resolve = { alias: library ? [{ find: /^baileys$/, replacement: library }] : [] };

const every = {
  // These end what hangs, and are no measure: the slowest test takes a minute where the machine has nothing else to do.
  testTimeout: 300_000,
  hookTimeout: 300_000,
  expect: { poll: { timeout: 60_000 } },
  pool: 'forks' as const,
  setupFiles: [
    'packages/gateway/test/statement-plans/collect.ts',
    'packages/gateway/test/worlds/documented-answers.ts',
  ],
};

/** Tests of what needs more than Node: ffmpeg, bash and curl, other languages. They fail where it is missing. */
const TOOLS = '**/*.tools.test.ts';

/** Tests in a real browser, Debian's Chromium. They fail without it. */
const BROWSER = '**/*.browser.test.ts';

/**
 * The others find nothing but Node, npm and git, whatever this machine has. What one process has compiled, the next
 * takes from the disk: the gateways and commands that tests start are Node's own work for the most part.
 */
const env = {
  PATH: nodeAlone(),
  // What comes from there is counted less exactly.
  ...(process.argv.includes('--coverage')
    ? {}
    : { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/compiled') }),
};

export default defineConfig({
  test: {
    // The default leaves one core free, which on two cores is half of them.
    maxWorkers: '100%',
    // Node's own loader: what runs is what the user runs, and importing the gateway takes half as long. No test mocks
    // a module, which is what `nodeLoader` is for. Only Vite's loader puts another library in the engine's place.
    experimental: { viteModuleRunner: library !== undefined, nodeLoader: false },
    coverage: { provider: 'v8', include: ['packages/*/src/**'], reporter: ['text-summary', 'html'] },
    // Every statement that the tests make the gateway prepare is explained at the end.
    globalSetup: ['packages/gateway/test/statement-plans/check-all.ts'],
    projects: [
      {
        resolve,
        test: {
          ...every,
          env,
          name: 'shared',
          include: ['packages/*/test/**/*.test.ts', '{demo,docs,scripts}/**/*.test.ts'],
          exclude: [...ALONE, TOOLS, BROWSER, '**/node_modules/**'],
          isolate: false,
          setupFiles: [...every.setupFiles, 'packages/gateway/test/worlds/left-as-found.ts'],
        },
      },
      { resolve, test: { ...every, env, name: 'isolated', include: ALONE, exclude: [TOOLS] } },
      {
        resolve,
        test: {
          ...every,
          name: 'tools',
          include: [`{packages,docs}/${TOOLS}`],
          exclude: ['**/node_modules/**'],
        },
      },
      {
        resolve,
        test: {
          ...every,
          name: 'browser',
          include: [`packages/${BROWSER}`],
          exclude: ['**/node_modules/**'],
          // A browser takes both cores.
          fileParallelism: false,
        },
      },
    ],
  },
});
