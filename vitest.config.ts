import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { nodeAlone } from './scripts/node-alone.ts';

/** Another version of the engine, for `npm run contract:library`. */
const library = process.env.CONTRACT_LIBRARY;

/**
 * Tests that start no sandbox network. Importing what they use takes them longer than
 * running, so they share one process, and with it each module. What they change must be their own.
 */
const SHARED = [
  'packages/signal/test/*.test.ts',
  'packages/gateway/test/{api,chats,config,groups,identity,media,messages,net,observability,sending,storage}/**/*.test.ts',
  'packages/gateway/test/tenancy/{roles,rules,tenants-and-users}.test.ts',
  'packages/gateway/test/devices/*.test.ts',
  'packages/gateway/test/events/{catalogue,notice-causes,outbox,payloads,retention}.test.ts',
  'packages/gateway/test/webhooks/{delivery,endpoint-input,endpoints,expiry,health,lanes,log,metrics,odd-answers,recovery,schedule,sending-again,signature,slots,subscriptions,worker}.test.ts',
  'packages/gateway/test/whatsapp/{chat-tokens,outgoing-gate,protobuf-stream,stanza-writing,parse/*}.test.ts',
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
          include: SHARED,
          exclude: [TOOLS],
          isolate: false,
          setupFiles: [...every.setupFiles, 'packages/gateway/test/worlds/left-as-found.ts'],
        },
      },
      {
        resolve,
        test: {
          ...every,
          env,
          name: 'isolated',
          include: ['packages/*/test/**/*.test.ts', '{demo,docs,scripts}/**/*.test.ts'],
          exclude: [...SHARED, TOOLS, BROWSER, '**/node_modules/**'],
        },
      },
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
