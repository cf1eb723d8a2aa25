/**
 * Files that live as long as one request or one send. They hold what customers send, and sessions that move in: a
 * process that is killed leaves them behind, so they are in the data folder, and the next start removes them.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

export interface ScratchFolder {
  readonly path: string;
  /** Removes it and what is in it. */
  dispose(): Promise<void>;
}

export class Scratch {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Removes what an earlier process left. Only before the first `folder`. */
  async clear(): Promise<void> {
    await rm(this.#root, { recursive: true, force: true });
  }

  /** An empty folder of its own. */
  async folder(): Promise<ScratchFolder> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    const path = await mkdtemp(join(this.#root, 'f-'));
    return { path, dispose: () => rm(path, { recursive: true, force: true }) };
  }

  /** A folder for as long as `work` takes. */
  async during<T>(work: (path: string) => Promise<T>): Promise<T> {
    const folder = await this.folder();
    try {
      return await work(folder.path);
    } finally {
      await folder.dispose();
    }
  }
}
