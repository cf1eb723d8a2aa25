/** The gateway as its own process, started as an operator starts it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { until } from './surprise.ts';

const ROOT = join(import.meta.dirname, '..');
const MAIN = join(ROOT, 'packages/gateway/bin/wuts.js');
/** The gateway promises to be gone 10 s after SIGTERM. */
const STOP_DEADLINE_MS = 12_000;
const KEPT_LOG_LINES = 30;

export class GatewayProcess {
  readonly url: string;
  readonly #settings: Record<string, string>;
  #child: ChildProcess | null = null;
  #log: string[] = [];
  #closed = false;

  private constructor(port: number, settings: Record<string, string>) {
    this.url = `http://127.0.0.1:${port}`;
    this.#settings = { ...settings, WUTS_HOST: '127.0.0.1', WUTS_PORT: String(port) };
  }

  /** Keeps one port over restarts, so that the curl lines of the demo stay true. */
  static async create(settings: Record<string, string>): Promise<GatewayProcess> {
    return new GatewayProcess(await freePort(), settings);
  }

  /** Resolves when `GET /ready` says so. */
  async start(): Promise<void> {
    if (this.#closed) throw new Error('the demo is over');
    const child = spawn(process.execPath, [MAIN, 'serve'], {
      cwd: ROOT,
      env: { ...withoutWuts(process.env), ...this.#settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stdout?.on('data', (chunk: Buffer) => this.#remember(chunk));
    child.stderr?.on('data', (chunk: Buffer) => this.#remember(chunk));
    await until('the gateway is ready', async () => {
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`the gateway ended at once with ${child.exitCode ?? child.signalCode}`);
      }
      const response = await fetch(`${this.url}/ready`).catch(() => null);
      return response?.ok === true;
    });
  }

  /** SIGTERM, as a service manager stops it. Resolves with the exit code. */
  async stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  /** SIGKILL: what a crash or the kernel's out-of-memory killer does. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Stops for good: a story that still goes on cannot start it again. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#end('SIGTERM');
  }

  get lastLogLines(): string[] {
    return this.#log;
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    this.#child = null;
    if (!child) return null;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const gone = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
    await gone;
    clearTimeout(timer);
    return child.exitCode;
  }

  #remember(chunk: Buffer): void {
    const lines = chunk.toString('utf8').split('\n').filter(worthKeeping);
    this.#log = [...this.#log, ...lines].slice(-KEPT_LOG_LINES);
  }
}

/** The requests are on screen already; what else the gateway says may explain a surprise. */
function worthKeeping(line: string): boolean {
  return line !== '' && !line.includes('"msg":"request answered"');
}

/** The reader's own settings must not reach the demo's gateway. */
function withoutWuts(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith('WUTS_') && name !== 'DATABASE_URL');
  return Object.fromEntries(kept);
}
