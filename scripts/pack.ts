/**
 * `npm run pack`: the packages as npm has to carry them, in `dist/*.tgz`. Node strips no types below
 * node_modules, so they are JavaScript with declarations; otherwise each package is as in the repository.
 *
 * npm heeds `overrides` of a project alone, not those of what it depends on. So those who use Baileys bring it, as it is
 * published, with packages/signal in the place of libsignal.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
const PACKAGES = ['signal', 'gateway', 'sandbox'];
const ENGINE = 'baileys';
const REPLACED = 'libsignal';

interface Manifest {
  exports: Record<string, string>;
  version: string;
  bin?: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  [member: string]: unknown;
}

/** A package.json for npm: what is named `.ts` is `.js` there. */
export function publishedManifest(manifest: Manifest): Record<string, unknown> {
  const { devDependencies: _, ...rest } = manifest;
  const exports = Object.fromEntries(
    Object.entries(manifest.exports).map(([name, path]) => {
      const stem = path.slice(0, -'.ts'.length);
      return [name, { types: `${stem}.d.ts`, default: `${stem}.js` }];
    }),
  );
  return {
    ...rest,
    engines: { node: '>=22' },
    exports,
    files: ['bin', 'src', 'pages', 'NOTICE', 'CHANGELOG.md'],
  };
}

/**
 * Puts Baileys with all that it needs into a package that was built, and packages/signal, built in `signal`, among it: npm
 * takes what is brought as it is, and installs nothing for it.
 */
function bringEngine(signal: string, to: string): void {
  const engine = join(to, 'node_modules', ENGINE);
  cpSync(join(ROOT, 'node_modules', ENGINE), engine, { recursive: true });
  const standIn = join(engine, 'node_modules', REPLACED);
  cpSync(signal, standIn, { recursive: true });
  // Baileys asks for `^6.0.0`.
  const own = { name: REPLACED, version: `6.0.0+wuts.${manifestOf(signal).version}` };
  edit(standIn, (manifest) => ({ ...manifest, ...own }));
  const needed = [join(ROOT, 'node_modules', ENGINE), signal].flatMap((folder) => neededBy(folder));
  for (const path of new Set(needed)) {
    const copy = join(engine, relative(ROOT, path));
    cpSync(path, copy, {
      recursive: true,
      filter: (each) => !each.slice(path.length).includes('node_modules'),
    });
  }
  edit(to, (manifest) => ({ ...manifest, bundleDependencies: [ENGINE] }));
}

/** Folders of what a package runs on, and of what that runs on, but for libsignal. */
function neededBy(folder: string, known = new Set<string>()): string[] {
  for (const name of Object.keys(manifestOf(folder).dependencies ?? {})) {
    const found = installed(name, folder);
    if (name === REPLACED || known.has(found)) continue;
    known.add(found);
    neededBy(found, known);
  }
  return [...known];
}

/** Where Node finds a package from another's folder. */
function installed(name: string, from: string): string {
  for (let folder = from; folder.length >= ROOT.length; folder = dirname(folder)) {
    const path = join(folder, 'node_modules', name);
    if (existsSync(path)) return path;
  }
  throw new Error(`${name}, which ${from} needs, is not installed`);
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

function edit(folder: string, change: (manifest: Manifest) => object): void {
  const changed = change(manifestOf(folder));
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(changed, null, 2)}\n`);
}

function compile(name: string): string {
  const from = join(ROOT, 'packages', name);
  const to = join(DIST, name);
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  const project = join(to, 'tsconfig.json');
  const options = {
    noEmit: false,
    declaration: true,
    // `npm run check` has done it, with the tests.
    noCheck: true,
    rewriteRelativeImportExtensions: true,
    rootDir: join(from, 'src'),
    outDir: join(to, 'src'),
    typeRoots: [join(ROOT, 'node_modules/@types')],
  };
  writeFileSync(
    project,
    JSON.stringify({
      extends: join(ROOT, 'tsconfig.json'),
      compilerOptions: options,
      include: [join(from, 'src')],
    }),
  );
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', project], { cwd: ROOT, stdio: 'inherit' });
  rmSync(project);
  const bin = join(from, 'bin');
  for (const file of existsSync(bin) ? readdirSync(bin) : []) {
    mkdirSync(join(to, 'bin'), { recursive: true });
    const path = join(to, 'bin', file);
    // Its one import is not seen by the compiler. The check of the version stays: npm only warns of `engines`.
    writeFileSync(path, readFileSync(join(bin, file), 'utf8').replace(/\.ts'\);$/m, ".js');"));
    chmodSync(path, 0o755);
  }
  writeFileSync(
    join(to, 'package.json'),
    `${JSON.stringify(publishedManifest(manifestOf(from)), null, 2)}\n`,
  );
  // What browsers get is JavaScript as it is.
  const pages = join(from, 'pages');
  if (existsSync(pages)) cpSync(pages, join(to, 'pages'), { recursive: true });
  for (const file of ['LICENSE', 'NOTICE', 'CHANGELOG.md']) cpSync(join(ROOT, file), join(to, file));
  cpSync(name === 'gateway' ? join(ROOT, 'README.md') : join(from, 'README.md'), join(to, 'README.md'));
  return to;
}

/** Builds and packs every package; the paths of the archives. */
export function pack(): string[] {
  const signal = join(DIST, 'signal');
  return PACKAGES.map((name) => {
    const folder = compile(name);
    if (manifestOf(folder).dependencies?.[ENGINE]) bringEngine(signal, folder);
    const told = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', DIST], {
      cwd: folder,
      encoding: 'utf8',
    });
    const entry: { filename: string } = Object.values(JSON.parse(told))[0] as { filename: string };
    return join(DIST, entry.filename);
  });
}

if (process.argv[1] === import.meta.filename) for (const path of pack()) console.log(path);
