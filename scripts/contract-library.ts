/**
 * Runs what we assume of the library (`packages/gateway/test/whatsapp/library-contract.test.ts`) against
 * another version of it: `npm run contract:library -- baileys@VERSION`; without one, against the installed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [wanted] = process.argv.slice(2);
if (wanted !== undefined && !/^baileys@[\w.^~-]+$/.test(wanted)) {
  console.error('say which version: npm run contract:library -- baileys@VERSION');
  process.exit(2);
}
const folder = wanted ? mkdtempSync(join(tmpdir(), 'wuts-library-')) : null;
try {
  if (folder && wanted) {
    // With our package in the place of its libsignal, as here.
    const dependencies = { libsignal: `file:${join(import.meta.dirname, '../packages/signal')}` };
    const overrides = { libsignal: '$libsignal' };
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies, overrides }));
    run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', wanted], { cwd: folder });
  }
  const env = folder
    ? { ...process.env, CONTRACT_LIBRARY: join(folder, 'node_modules/baileys/lib/index.js') }
    : process.env;
  run('vitest', ['run', 'packages/gateway/test/whatsapp/library-contract.test.ts'], { env });
} finally {
  if (folder) rmSync(folder, { recursive: true, force: true });
}

function run(command: string, args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv }): void {
  const { status } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (status !== 0) process.exitCode = status ?? 1;
  if (status !== 0) throw new Error(`${command} failed`);
}
