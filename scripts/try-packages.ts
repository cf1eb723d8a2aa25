/**
 * Installs the packed packages into an empty folder, as a user would, and starts their commands with the Node
 * that runs this. Started by `npm run test:node -- 22 --only package`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack } from './pack.ts';

const folder = mkdtempSync(join(tmpdir(), 'wuts-packages-'));
try {
  writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}');
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline'];
  execFileSync('npm', ['install', ...quiet, ...pack()], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const env = { PATH: process.env.PATH, HOME: folder, WUTS_DATA_DIR: join(folder, 'data') };
  const run = (...args: string[]): void => {
    execFileSync(process.execPath, args, { cwd: folder, env, stdio: 'inherit' });
  };
  run('node_modules/wuts/bin/wuts.js', '--version');
  run('node_modules/wuts/bin/wuts.js', 'migrate');
  run('node_modules/wuts/bin/wuts.js', 'doctor');
  run('node_modules/@wuts/sandbox/bin/wuts-sandbox.js', '--help');
  run('--input-type=module', '--eval', "await import('wuts'); await import('@wuts/sandbox');");
  console.log(`the packages run on Node ${process.versions.node}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
