import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Sandbox } from '@wuts/sandbox';

const MAIN = fileURLToPath(new URL('../../bin/wuts.js', import.meta.url));

/** A gateway in a process of its own, so that it can be killed in the middle of something. */
export class GatewayProcess {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** On a port that is free, in this data folder and on the sandbox's network. */
  static on(
    { sandbox, dataDir }: { sandbox: Pick<Sandbox, 'url' | 'rootKey' | 'caFile'>; dataDir: string },
    masterToken: string,
  ): Promise<GatewayProcess> {
    return GatewayProcess.start({
      WUTS_PORT: '0',
      WUTS_DATA_DIR: dataDir,
      WUTS_MASTER_TOKEN: masterToken,
      WUTS_NETWORK_URL: sandbox.url,
      WUTS_NETWORK_ROOT_KEY: sandbox.rootKey,
      WUTS_NETWORK_CA_FILE: sandbox.caFile,
    });
  }

  /** Starts `wuts serve` with these settings and resolves when it answers requests. */
  static async start(settings: Record<string, string>): Promise<GatewayProcess> {
    const { PATH, NODE_COMPILE_CACHE } = process.env;
    const child = spawn(process.execPath, [MAIN, 'serve'], {
      env: { PATH, NODE_COMPILE_CACHE, ...settings, WUTS_LOG_LEVEL: 'info', WUTS_LOG_FORMAT: 'json' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const seen: string[] = [];
    child.stderr?.on('data', (chunk: Buffer) => seen.push(chunk.toString()));
    const url = await new Promise<string>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the gateway ended with ${code}: ${seen.join('')}`)));
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
        seen.push(`${line}\n`);
        const found = /"url":"(http:[^"]+)".*the gateway answers/.exec(line);
        if (found?.[1]) resolve(found[1]);
      });
    });
    return new GatewayProcess(child, url);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** SIGKILL: nothing is closed, nothing is finished. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}
