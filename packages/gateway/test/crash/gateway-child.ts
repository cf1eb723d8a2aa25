/** The gateway as a process that gets killed and started again, on one port and one data folder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../../demo/free-port.ts';

export const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const READY_TIMEOUT_MS = 180_000;
const POLL_MS = 20;
/** The gateway promises to be gone 10 s after SIGTERM. */
const STOP_TIMEOUT_MS = 15_000;

export interface GatewayChildOptions {
  /** The script and its arguments. */
  command: string[];
  settings: Record<string, string>;
  /** Where standard output and error go. */
  logFile: string;
}

export class GatewayChild {
  readonly url: string;
  readonly #options: GatewayChildOptions;
  readonly #log: WriteStream;
  #child: ChildProcess | null = null;
  #exited: Promise<unknown> = Promise.resolve();

  private constructor(port: number, options: GatewayChildOptions) {
    this.url = `http://127.0.0.1:${port}`;
    const settings = { ...options.settings, WUTS_HOST: '127.0.0.1', WUTS_PORT: String(port) };
    this.#options = { ...options, settings };
    this.#log = createWriteStream(options.logFile, { flags: 'a' });
  }

  static async create(options: GatewayChildOptions): Promise<GatewayChild> {
    return new GatewayChild(await freePort(), options);
  }

  /** Returns at once; `ready` tells when it answers. */
  spawn(): void {
    const [script = MAIN, ...rest] = this.#options.command;
    const { PATH, TMPDIR, NODE_COMPILE_CACHE } = process.env;
    const child = spawn(process.execPath, [script, ...rest], {
      env: { PATH, NODE_COMPILE_CACHE, TMPDIR, ...this.#options.settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout?.pipe(this.#log, { end: false });
    child.stderr?.pipe(this.#log, { end: false });
    this.#child = child;
    this.#exited = once(child, 'exit');
  }

  /** Of the process that was started last. */
  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('the gateway was not started');
    return pid;
  }

  /** True once it answers `GET /ready`, false when it ended before. */
  async ready(): Promise<boolean> {
    const deadline = Date.now() + READY_TIMEOUT_MS;
    while (this.running) {
      const response = await fetch(`${this.url}/ready`).catch(() => null);
      await response?.arrayBuffer().catch(() => undefined);
      if (response?.ok) return true;
      if (Date.now() > deadline) throw new Error('the gateway did not become ready');
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return false;
  }

  get running(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** How it ended: an exit code, a signal, or null while it runs. */
  get ending(): string | null {
    const ended = this.#child?.exitCode ?? this.#child?.signalCode ?? null;
    return ended === null ? null : String(ended);
  }

  /** Resolves when the process is gone, whoever ended it. */
  async exited(): Promise<void> {
    await this.#exited;
  }

  /** SIGKILL: nothing is closed, nothing is finished. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#exited;
  }

  /** SIGTERM; the exit code, or the signal's name when it had to be killed. */
  async stop(): Promise<string | null> {
    this.#child?.kill('SIGTERM');
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(timer);
    return this.ending;
  }

  /** Ends whatever still runs. */
  async close(): Promise<void> {
    if (this.running) await this.kill();
    this.#log.end();
  }
}
