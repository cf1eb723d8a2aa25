/**
 * `npm run pack`: the packages as npm has to carry them, in `dist/*.tgz`. Node strips no types below
 * node_modules, so they are JavaScript with declarations; otherwise each package is as in the repository.
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
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
const PACKAGES = ['gateway', 'sandbox'];

interface Manifest {
  exports: Record<string, string>;
  bin: Record<string, string>;
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
  for (const file of readdirSync(join(from, 'bin'))) {
    mkdirSync(join(to, 'bin'), { recursive: true });
    const path = join(to, 'bin', file);
    // Its one import is not seen by the compiler. The check of the version stays: npm only warns of `engines`.
    writeFileSync(path, readFileSync(join(from, 'bin', file), 'utf8').replace(/\.ts'\);$/m, ".js');"));
    chmodSync(path, 0o755);
  }
  const manifest = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as Manifest;
  writeFileSync(join(to, 'package.json'), `${JSON.stringify(publishedManifest(manifest), null, 2)}\n`);
  // What browsers get is JavaScript as it is.
  const pages = join(from, 'pages');
  if (existsSync(pages)) cpSync(pages, join(to, 'pages'), { recursive: true });
  for (const file of ['LICENSE', 'NOTICE', 'CHANGELOG.md']) cpSync(join(ROOT, file), join(to, file));
  cpSync(name === 'gateway' ? join(ROOT, 'README.md') : join(from, 'README.md'), join(to, 'README.md'));
  return to;
}

/** Builds and packs every package; the paths of the archives. */
export function pack(): string[] {
  return PACKAGES.map((name) => {
    const folder = compile(name);
    const told = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', DIST], {
      cwd: folder,
      encoding: 'utf8',
    });
    const entry: { filename: string } = Object.values(JSON.parse(told))[0] as { filename: string };
    return join(DIST, entry.filename);
  });
}

if (process.argv[1] === import.meta.filename) for (const path of pack()) console.log(path);
