/**
 * `npm run test:node -- 22 24 26`: the demo, a short kill test and the tests on each of these Nodes, then the
 * packages as somebody installs them. `--only demo,crash,test,package` chooses; `--kills N` sets how short the
 * kill test is.
 */
import { spawnSync } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { nodeBinary, wholeVersion } from './node-versions.ts';

const ROOT = join(import.meta.dirname, '..');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: 'demo,crash,test,package' },
    kills: { type: 'string', default: '3' },
  },
});

/** Arguments of node, not of npm: `npm run` would put the workspace's Node first again. */
const STEPS: Record<string, string[]> = {
  demo: ['demo/demo.ts'],
  crash: ['packages/gateway/test/crash/run.ts', '--kills', values.kills],
  test: ['node_modules/vitest/vitest.mjs', 'run', '--project', 'shared', '--project', 'isolated'],
  package: ['scripts/try-packages.ts'],
};

const chosen = values.only.split(',');
const unknown = chosen.filter((name) => !(name in STEPS));
if (unknown.length > 0 || positionals.length === 0) {
  console.error(`usage: npm run test:node -- 22 24 26 [--only ${Object.keys(STEPS)}] [--kills N]`);
  process.exit(2);
}

const results: string[] = [];
for (const version of positionals.map(wholeVersion)) {
  const binary = nodeBinary(version);
  // What is started by name, such as a shebang's `node`, finds the same one.
  const env = { ...process.env, PATH: `${dirname(binary)}${delimiter}${process.env.PATH}` };
  for (const name of chosen) {
    console.log(`== Node ${version}: ${name}`);
    const started = performance.now();
    const { status, signal } = spawnSync(binary, STEPS[name], { cwd: ROOT, env, stdio: 'inherit' });
    const seconds = Math.round((performance.now() - started) / 1000);
    const result = status === 0 ? 'ok' : `failed with ${signal ?? status}`;
    results.push(`Node ${version}  ${name}  ${result} after ${seconds} s`);
    if (status !== 0) process.exitCode = 1;
  }
}
console.log(`== on other Nodes\n${results.join('\n')}`);
