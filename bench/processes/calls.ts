/** Parts of a benchmark in processes of their own, called over Node's IPC channel. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

type Handlers = Record<string, (argument: never) => unknown>;
interface Request {
  id: number;
  name: string;
  argument: unknown;
}
interface Answer {
  id: number;
  result?: unknown;
  error?: string;
}

/** Answers the calls of the process that started this one; ends when that one goes away. */
export function answerCalls(handlers: Handlers): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', async ({ id, name, argument }: Request) => {
    try {
      const result = await handlers[name]?.(argument as never);
      process.send?.({ id, result });
    } catch (error) {
      process.send?.({ id, error: (error as Error).stack ?? String(error) });
    }
  });
}

export interface ProcessOptions {
  env?: Record<string, string>;
  /** Write a CPU profile here when the process ends. */
  profileDir?: string | null;
}

/** A file of `processes/`, running. */
export class Part {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #open = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #ids = 0;

  private constructor(child: ChildProcess, name: string) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    child.on('message', ({ id, result, error }: Answer) => {
      const open = this.#open.get(id);
      this.#open.delete(id);
      if (error === undefined) open?.resolve(result);
      else open?.reject(new Error(`${name}: ${error}`));
    });
    child.on('exit', (code) => {
      for (const open of this.#open.values()) open.reject(new Error(`${name} ended with ${code}`));
    });
  }

  static start(name: string, options: ProcessOptions = {}): Part {
    const child = fork(fileURLToPath(new URL(`./${name}.ts`, import.meta.url)), {
      env: { PATH: process.env.PATH ?? '', ...options.env },
      execArgv: nodeArguments(options.profileDir),
    });
    return new Part(child, name);
  }

  /** What the handler of that name in the other process returns. */
  call<T>(name: string, argument: object = {}): Promise<T> {
    this.#ids += 1;
    const id = this.#ids;
    return new Promise<T>((resolve, reject) => {
      this.#open.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#child.send({ id, name, argument });
    });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }
}

export function nodeArguments(profileDir: string | null | undefined): string[] {
  return profileDir ? ['--cpu-prof', `--cpu-prof-dir=${profileDir}`] : [];
}

/** Milliseconds since the epoch, finer than Date.now(): all processes of a run share the machine's clock. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Memory of a process that is in RAM, bytes; 0 where there is no /proc. */
export function residentBytes(pid: number): number {
  try {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** CPU time that a process has used so far, milliseconds; 0 where there is no /proc. */
export function cpuMs(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    // utime and stime, in ticks of 10 ms (proc(5), USER_HZ).
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return 0;
  }
}
