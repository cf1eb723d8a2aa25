import { execFile } from 'node:child_process';
import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What the Go program needs (whatsmeow's go.mod), and the release that is fetched where there is an older one. */
const NEEDED = { major: 1, minor: 26 };
const RELEASE = 'go1.26.0';

/** An older `go` fetches the newer one by itself from here on (GOTOOLCHAIN). */
const FETCHES_TOOLCHAINS = 21;

export interface GoTool {
  readonly path: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * A Go that is new enough: the machine's own, or the release that Go's module proxy hands out, checked against
 * Go's checksum database by the `go` that is there. Rejects without any `go`, or when neither works.
 */
export async function goTool(): Promise<GoTool> {
  const installed = await minorVersion('go', process.env).catch(() => undefined);
  if (installed === undefined) throw new Error('Go is not installed: .ci/tools installs it');
  if (installed >= NEEDED.minor) return { path: 'go', env: process.env };
  if (installed >= FETCHES_TOOLCHAINS) return checked('go', { ...process.env, GOTOOLCHAIN: RELEASE });
  const { GOROOT: _, ...others } = process.env;
  return checked(await fetchedToolchain(), { ...others, GOTOOLCHAIN: 'local' });
}

async function checked(path: string, env: NodeJS.ProcessEnv): Promise<GoTool> {
  const minor = await minorVersion(path, env);
  if (minor < NEEDED.minor)
    throw new Error(`Go ${NEEDED.major}.${NEEDED.minor} is needed; this is 1.${minor}`);
  return { path, env };
}

async function minorVersion(path: string, env: NodeJS.ProcessEnv): Promise<number> {
  const { stdout } = await run(path, ['version'], { env });
  const [, minor] = /go1\.(\d+)/.exec(stdout) ?? [];
  if (minor === undefined) throw new Error(`${path} says ${stdout.trim()}`);
  return Number(minor);
}

/**
 * Toolchains are modules (go.dev/doc/toolchain): a `go` that does not know this can still download one. It
 * unpacks modules without the right to execute, which only a `go` that knows gives back.
 */
async function fetchedToolchain(): Promise<string> {
  const { stdout } = await run('go', ['env', 'GOOS', 'GOARCH']);
  const [os, architecture] = stdout.trim().split('\n');
  const module = `golang.org/toolchain@v0.0.1-${RELEASE}.${os}-${architecture}`;
  const { stdout: answer } = await run('go', ['mod', 'download', '-json', module]);
  const { Dir: folder } = JSON.parse(answer) as { Dir: string };
  for (const programs of ['bin', `pkg/tool/${os}_${architecture}`]) {
    for (const name of await readdir(join(folder, programs)))
      await chmod(join(folder, programs, name), 0o755);
  }
  return join(folder, 'bin/go');
}
