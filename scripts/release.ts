/**
 * `npm run release -- 0.2.0`: writes the version into every package.json and the lock file, dates the
 * changelog's section of it, commits and tags. Pushes nothing and publishes nothing; `npm run pack` makes the
 * packages. Refuses a tree with changes, a version that is not newer, and a changelog without the section.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = process.env.WUTS_RELEASE_ROOT ?? join(import.meta.dirname, '..');
const MANIFESTS = [
  'package.json',
  'packages/gateway/package.json',
  'packages/sandbox/package.json',
  'packages/signal/package.json',
];
/** No package of npm: a browser loads the folder. */
const EXTENSION = 'packages/passkey-extension/manifest.json';
const VERSION = /^(\d{1,6})\.(\d{1,6})\.(\d{1,6})$/;

/** The changelog with the section of `version` dated, and the tag's message, which is that section. */
export function datedChangelog(
  changelog: string,
  version: string,
  date: string,
): { text: string; notes: string } {
  const heading = `## ${version} (unreleased)`;
  const start = changelog.indexOf(`${heading}\n`);
  if (start < 0) throw new Error(`CHANGELOG.md has no "${heading}"`);
  const rest = changelog.slice(start + heading.length);
  const end = rest.indexOf('\n## ');
  const notes = (end < 0 ? rest : rest.slice(0, end)).trim();
  if (notes === '') throw new Error(`CHANGELOG.md says nothing about ${version}`);
  return { text: `${changelog.slice(0, start)}## ${version} (${date})${rest}`, notes };
}

/** Is `next` above `current`, or the same, for what was never tagged? */
export function mayFollow(next: string, current: string, tagged: boolean): boolean {
  const [a, b] = [VERSION.exec(next), VERSION.exec(current)];
  if (!a || !b) return false;
  for (const part of [1, 2, 3]) {
    const difference = Number(a[part]) - Number(b[part]);
    if (difference !== 0) return difference > 0;
  }
  return !tagged;
}

/** A manifest with the version written into it and into what it asks of the workspace's own packages. */
export function withVersion(manifest: string, version: string): string {
  const parsed = JSON.parse(manifest) as Record<string, unknown>;
  parsed.version = version;
  for (const kind of ['dependencies', 'devDependencies']) {
    const asked = parsed[kind] as Record<string, string> | undefined;
    if (asked?.['@wuts/sandbox']) asked['@wuts/sandbox'] = version;
  }
  return `${JSON.stringify(parsed, null, 2)}\n`;
}

/** The extension's manifest with the version, otherwise as it was written. */
export function withExtensionVersion(manifest: string, version: string): string {
  return manifest.replace(/"version": "[^"]*"/, `"version": "${version}"`);
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
}

function edit(path: string, change: (text: string) => string): void {
  writeFileSync(join(ROOT, path), change(readFileSync(join(ROOT, path), 'utf8')));
}

function release(version: string): void {
  if (git('status', '--porcelain') !== '') throw new Error('commit or put away what is changed first');
  const current = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version as string;
  const tagged = git('tag', '--list', `v${current}`) !== '';
  if (!mayFollow(version, current, tagged)) throw new Error(`${version} does not follow ${current}`);
  const date = new Date().toISOString().slice(0, 10);
  const changelog = readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8');
  const { text, notes } = datedChangelog(changelog, version, date);
  for (const path of MANIFESTS) edit(path, (manifest) => withVersion(manifest, version));
  edit(EXTENSION, (manifest) => withExtensionVersion(manifest, version));
  writeFileSync(join(ROOT, 'CHANGELOG.md'), text);
  execFileSync('npm', ['install', '--package-lock-only', '--ignore-scripts'], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  git('commit', '--all', '--message', `Release ${version}`);
  git('tag', '--annotate', `v${version}`, '--message', `${version}\n\n${notes}`);
  console.log(`committed and tagged v${version}; push both with: git push --follow-tags`);
}

if (process.argv[1] === import.meta.filename) {
  try {
    release(process.argv[2] ?? '');
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
