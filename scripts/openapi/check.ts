/**
 * `npm run check:openapi`: whether other people's programs can read `/openapi.json`. Two validators (Redocly's
 * recommended rules, openapi-spec-validator) and two client generators (openapi-typescript, openapi-python-client) take
 * it whole, without a warning; the TypeScript client compiles and sends a message through a gateway on the sandbox.
 * What it needs of npm and PyPI is installed in a folder that is gone afterwards. `-- --keep` leaves it and says where.
 */
import { execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { World } from '../../packages/gateway/test/end-to-end/harness.ts';

const NPM_PACKAGES = [
  '@redocly/cli@2.77.0',
  'openapi-fetch@0.17.0',
  'openapi-typescript@7.13.0',
  // openapi-typescript asks for a TypeScript 5.
  'typescript@5.9.3',
];
const PYTHON_PACKAGES = ['openapi-python-client==0.29.1', 'openapi-spec-validator==0.9.0'];

/** Every module of the generated Python client, so that one that is no Python fails. */
const IMPORT_ALL = `
import importlib, pkgutil, wuts_client
names = [each.name for each in pkgutil.walk_packages(wuts_client.__path__, "wuts_client.")]
for name in names: importlib.import_module(name)
print(len(names), "modules")
`;

const folder = await mkdtemp(join(tmpdir(), 'wuts-openapi-'));
const bin = (name: string): string => join(folder, 'node_modules/.bin', name);
const python = (name: string): string => join(folder, 'venv/bin', name);

/** Runs a program in the folder; throws when it fails. */
async function run(what: string, program: string, args: string[], env: Record<string, string> = {}) {
  const started = performance.now();
  const child = spawn(program, args, {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', ...env },
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  if (code !== 0) throw new Error(`${what}: exit code ${code}`);
  console.log(`ok  ${what}  (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}

async function installTools(): Promise<void> {
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  await run('install from npm', 'npm', ['install', ...quiet, ...NPM_PACKAGES]);
  await run('make a Python environment', 'python3', ['-m', 'venv', 'venv']);
  await run('install from PyPI', python('pip'), ['install', '--quiet', ...PYTHON_PACKAGES]);
}

async function validate(): Promise<void> {
  const lint = ['lint', 'openapi.json', '--extends=recommended', '--format=json'];
  // Its exit code is 0 in spite of warnings.
  const { stdout } = await promisify(execFile)(bin('redocly'), lint, {
    cwd: folder,
    env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
  }).catch((error: { stdout: string }) => error);
  const { problems }: { problems: { ruleId: string; message: string; location: { pointer?: string }[] }[] } =
    JSON.parse(stdout);
  for (const { ruleId, message, location } of problems) {
    console.error(`${ruleId}: ${message} ${location[0]?.pointer ?? ''}`);
  }
  if (problems.length > 0) throw new Error(`Redocly finds ${problems.length} problems`);
  console.log('ok  Redocly');
  await run('openapi-spec-validator', python('openapi-spec-validator'), ['openapi.json']);
}

async function generatePython(): Promise<void> {
  // The hooks only make the code pretty.
  await writeFile(
    join(folder, 'python.yaml'),
    'post_hooks: []\nproject_name_override: wuts-client\npackage_name_override: wuts_client\n' +
      // It knows no pictures as answers, but files, and no JSON lines, but text.
      'content_type_overrides:\n  image/jpeg: application/octet-stream\n  application/x-ndjson: text/plain\n',
  );
  const input = ['--path', 'openapi.json', '--config', 'python.yaml'];
  const output = ['--meta', 'none', '--output-path', 'wuts_client', '--fail-on-warning'];
  await run('openapi-python-client', python('openapi-python-client'), ['generate', ...input, ...output]);
  await run('import the Python client', python('python'), ['-c', IMPORT_ALL]);
}

async function generateTypeScript(env: Record<string, string>): Promise<void> {
  await run('openapi-typescript', bin('openapi-typescript'), ['openapi.json', '--output', 'wuts.d.ts']);
  await cp(join(import.meta.dirname, 'client'), folder, { recursive: true });
  await run('compile the TypeScript client', bin('tsc'), ['--project', 'tsconfig.json']);
  await run('send a message with it', process.execPath, ['call.ts'], env);
}

const world = await World.create();
try {
  const [shop, customer] = await Promise.all([
    world.sandbox.createPhone({ number: '5511999996001', name: 'Shop' }),
    world.sandbox.createPhone({ number: '5511999996002', name: 'Customer' }),
  ]);
  const token = await world.tenant('generated');
  await world.linkByQr(token, shop);
  const { bytes } = await world.as(null).get('/openapi.json');
  await writeFile(join(folder, 'openapi.json'), bytes);
  const path = [join(folder, 'venv/bin'), process.env.PATH ?? ''].join(delimiter);
  process.env.PATH = path;
  await installTools();
  await validate();
  await generatePython();
  await generateTypeScript({ BASE_URL: world.gateway.url, TOKEN: token, NUMBER: customer.number });
} finally {
  await world.destroy();
  if (process.argv.includes('--keep')) console.log(`kept in ${folder}`);
  else await rm(folder, { recursive: true, force: true });
}
