/** The simulated network in a process of its own, as the runner sees it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { AnswerMessage, CallMessage, CallName, NetworkCalls } from './network-protocol.ts';

const ENTRY = fileURLToPath(new URL('./network-process.ts', import.meta.url));

export class NetworkHandle {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(output: unknown): void; reject(error: Error): void }>();
  #calls = 0;

  constructor() {
    this.#child = fork(ENTRY, [], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message) => this.#answered(message as AnswerMessage));
    this.#child.on('exit', (code, signal) => {
      const error = new Error(`the network process ended with ${code ?? signal}`);
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
  }

  /** Rejects with what went wrong over there. */
  call<N extends CallName>(name: N, input: NetworkCalls[N]['in']): Promise<NetworkCalls[N]['out']> {
    this.#calls += 1;
    const message: CallMessage = { id: this.#calls, name, input };
    return new Promise((resolve, reject) => {
      this.#waiting.set(message.id, {
        resolve: (output) => resolve(output as NetworkCalls[N]['out']),
        reject,
      });
      this.#child.send(message, (error) => error && reject(error));
    });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    await this.call('close', null).catch(() => undefined);
    this.#child.kill();
    await ended;
  }

  #answered({ id, output, error }: AnswerMessage): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(output);
    else waiting?.reject(new Error(error));
  }
}
