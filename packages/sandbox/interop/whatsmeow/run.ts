/**
 * `npm run interop:whatsmeow`: a client that nobody here wrote, an unmodified whatsmeow, against a sandbox and a
 * gateway, each in a process of its own. Prints each check and `N of M`; exit code 0 when all of them held.
 * `-- --only texts,groups` runs these chapters after the linking, `-- --debug` shows all that whatsmeow logs
 * of a check that failed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type GoTool, goTool } from '../go-toolchain.ts';

const SANDBOX = join(import.meta.dirname, '../../bin/wuts-sandbox.js');
const GATEWAY = join(import.meta.dirname, '../../../gateway/bin/wuts.js');
const KEPT_LOG_LINES = 40;

/** What `GET /` of the sandbox's control API says. */
interface Addresses {
  networkUrl: string;
  rootKey: string;
  caFile: string;
}

const cleanUps: (() => Promise<unknown>)[] = [];

async function cleanUp(): Promise<void> {
  for (let undo = cleanUps.pop(); undo; undo = cleanUps.pop()) await undo();
}

async function play(options: string[]): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'wuts-interop-'));
  cleanUps.push(() => rm(folder, { recursive: true, force: true }));
  const program = await built(await goTool(), folder);
  const control = await startSandbox();
  const { networkUrl, rootKey, caFile } = (await (await fetch(control)).json()) as Addresses;
  const masterToken = randomBytes(32).toString('hex');
  const gateway = await startGateway({
    WUTS_DATA_DIR: join(folder, 'gateway'),
    WUTS_MASTER_TOKEN: masterToken,
    WUTS_NETWORK_URL: networkUrl,
    WUTS_NETWORK_ROOT_KEY: rootKey,
    WUTS_NETWORK_CA_FILE: caFile,
  });
  const code = await ended(
    spawn(program, options, {
      env: {
        ...process.env,
        SANDBOX_URL: networkUrl,
        SANDBOX_ROOT_KEY: rootKey,
        SANDBOX_CA_FILE: caFile,
        SANDBOX_CONTROL_URL: control,
        GATEWAY_URL: gateway.url,
        GATEWAY_MASTER_TOKEN: masterToken,
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    }),
  );
  if (code !== 0) console.error(`The gateway's last log lines:\n${gateway.log.join('\n')}`);
  return code;
}

/** Builds the program from go.sum alone: what is not in it is not fetched. */
async function built(go: GoTool, folder: string): Promise<string> {
  const program = join(folder, 'interop');
  const started = performance.now();
  const arguments_ = ['build', '-mod=readonly', '-buildvcs=false', '-o', program, '.'];
  const build = spawn(go.path, arguments_, { cwd: import.meta.dirname, env: go.env, stdio: 'inherit' });
  if ((await ended(build)) !== 0) throw new Error('the Go program could not be built');
  console.log(`built in ${Math.round((performance.now() - started) / 1000)} s`);
  return program;
}

/** Resolves with the address of its control API. */
async function startSandbox(): Promise<string> {
  const ports = ['--port', '0', '--cdn-port', '0', '--control-port', '0', '--companion-reg-refresh', 'never'];
  const { child } = started([SANDBOX, ...ports], {});
  return said(child, /^Control API: (\S+)/);
}

/** A gateway of its own on a free port; `log` is filled with the last lines that it writes. */
async function startGateway(settings: Record<string, string>): Promise<{ url: string; log: string[] }> {
  const { child, log } = started([GATEWAY, 'serve'], {
    ...settings,
    WUTS_HOST: '127.0.0.1',
    WUTS_PORT: '0',
    WUTS_LOG_FORMAT: 'json',
  });
  const url = await said(child, /"url":"(http:[^"]+)".*"msg":"the gateway answers"/);
  return { url, log };
}

/** A Node process that is ended at the end. The reader's own settings do not reach it. */
function started(command: string[], env: Record<string, string>) {
  const kept = Object.entries(process.env).filter(([name]) => !/^(?:WUTS_|DATABASE_URL$)/.test(name));
  const child = spawn(process.execPath, command, {
    env: { ...Object.fromEntries(kept), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  cleanUps.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  });
  const log: string[] = [];
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on('line', (line) => {
      // The checks say what they asked for.
      if (!line.includes('"msg":"request answered"')) log.push(line);
      if (log.length > KEPT_LOG_LINES) log.shift();
    });
  }
  return { child, log };
}

/** What the process says of itself, by the first group of the pattern; rejects when it ends before. */
function said(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${child.spawnargs.join(' ')} ended with ${code}`)));
    for (const input of [child.stdout, child.stderr]) {
      if (!input) continue;
      createInterface({ input }).on('line', (line) => {
        const [, found] = pattern.exec(line) ?? [];
        if (found !== undefined) resolve(found);
      });
    }
  });
}

async function ended(child: ChildProcess): Promise<number> {
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => void cleanUp().then(() => process.exit(130)));
}
try {
  process.exitCode = await play(process.argv.slice(2));
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
await cleanUp();
process.exit();
