/**
 * Installs the packed packages into an empty folder, as a user would, and starts their commands with the Node
 * that runs this. Started by `npm run test:node -- 22 --only package`.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../demo/free-port.ts';
import { licenceProblems } from './check-licences.ts';
import { pack } from './pack.ts';

const folder = mkdtempSync(join(tmpdir(), 'wuts-packages-'));
try {
  writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module","license":"MIT"}');
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline'];
  execFileSync('npm', ['install', ...quiet, ...pack()], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  refuseLicences();
  const env = { PATH: process.env.PATH, HOME: folder, WUTS_DATA_DIR: join(folder, 'data') };
  const run = (...args: string[]): void => {
    execFileSync(process.execPath, args, { cwd: folder, env, stdio: 'inherit' });
  };
  run('node_modules/wuts/bin/wuts.js', '--version');
  // The first start makes the data folder; no device is linked, so nothing is asked of WhatsApp.
  await serves('node_modules/wuts/bin/wuts.js', { ...env, WUTS_PORT: String(await freePort()) });
  run('node_modules/wuts/bin/wuts.js', 'migrate');
  run('node_modules/@wuts/sandbox/bin/wuts-sandbox.js', '--help');
  run('--input-type=module', '--eval', "await import('wuts'); await import('@wuts/sandbox');");
  console.log(`the packages run on Node ${process.versions.node}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Throws where npm has installed something that binds who passes it on, npm's own libsignal above all. */
function refuseLicences(): void {
  const problems = licenceProblems(JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')));
  const signals = globSync('**/libsignal/package.json', { cwd: folder });
  for (const path of signals) {
    const { license } = JSON.parse(readFileSync(join(folder, path), 'utf8'));
    if (license !== 'MIT') problems.push(`${path}: ${license}`);
  }
  if (signals.length === 0) problems.push('nothing stands in the place of libsignal');
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

/** Starts the gateway, waits until it is ready, and has it stop. Throws when one of these fails. */
async function serves(bin: string, env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(process.execPath, [bin, 'serve'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'exit');
  const ready = async (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${env.WUTS_PORT}/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  const deadline = Date.now() + 60_000;
  while (!(await ready())) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error('the gateway did not start');
    await pause(200);
  }
  child.kill('SIGTERM');
  const [code] = await ended;
  if (code !== 0) throw new Error(`the gateway ended with ${code}`);
}
