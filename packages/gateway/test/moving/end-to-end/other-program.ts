/** Another program that has a number linked, run as a process of its own. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Sandbox } from '@wuts/sandbox';
import { type PackedFile, tarOf } from '../../../src/cli/tar.ts';

interface Told {
  type: 'qr' | 'open' | 'closed' | 'message' | 'sent' | 'failed';
  qr?: string;
  code?: number;
  text?: string;
  chat?: string;
  error?: string;
}

export class OtherProgram {
  readonly folder: string;
  readonly #process: ChildProcess;
  readonly #told: Told[] = [];
  readonly #waiting = new Set<() => void>();

  /** `library`: what `import()` takes. */
  constructor(library: string, folder: string, sandbox: Sandbox) {
    this.folder = folder;
    const script = join(import.meta.dirname, 'plain-baileys.ts');
    this.#process = fork(script, [library, folder, sandbox.url, sandbox.rootKey], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#process.on('message', (told) => {
      this.#told.push(told as Told);
      for (const look of [...this.#waiting]) look();
    });
    this.#process.on('exit', () => {
      for (const look of [...this.#waiting]) look();
    });
  }

  async qr(): Promise<string> {
    return (await this.told('a QR', ({ type }) => type === 'qr')).qr ?? '';
  }

  /** The first thing that it told and that fits, so far or to come. */
  told(what: string, fits: (told: Told) => boolean): Promise<Told> {
    return new Promise((resolve, reject) => {
      const never = (why: string): void => {
        stop();
        reject(new Error(`${why} before it told ${what}: ${JSON.stringify(this.#told)}`));
      };
      const timer = setTimeout(() => never('a minute has gone'), 60_000);
      const stop = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const look = (): void => {
        const found = this.#told.find(fits);
        if (found) {
          stop();
          resolve(found);
        } else if (this.#hasEnded()) never('the other program has ended');
      };
      this.#waiting.add(look);
      look();
    });
  }

  text(text: string): Promise<Told> {
    return this.told(`the text ${text}`, (told) => told.type === 'message' && told.text === text);
  }

  async send(chat: string, text: string): Promise<void> {
    this.#process.send({ chat, text });
    await this.told(`that ${text} is sent`, (told) => told.type === 'sent' && told.text === text);
  }

  /** Ends as a program that is stopped does: the connection is closed, and everything is on the disk. */
  async end(): Promise<void> {
    if (this.#hasEnded()) return;
    const gone = once(this.#process, 'exit');
    this.#process.send({ ends: true });
    await gone;
  }

  #hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}

/** The files of a folder, with `prefix` before their paths. */
export function filesOf(folder: string, prefix = ''): PackedFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const { mtimeMs: writtenAt } = statSync(path);
      return { path: `${prefix}${path.slice(folder.length + 1)}`, bytes: readFileSync(path), writtenAt };
    });
}

/** However long ago it was: the files of the folder were all written at `ms`. */
export function setWrittenAt(folder: string, ms: number): void {
  for (const { path } of filesOf(folder)) utimesSync(join(folder, path), ms / 1000, ms / 1000);
}

/** The files as one that came an hour after the program was stopped. */
export function archiveOf(files: PackedFile[]): Uint8Array {
  const writtenAt = Date.now() - 3_600_000;
  return tarOf(files.map((file) => ({ ...file, writtenAt })));
}
