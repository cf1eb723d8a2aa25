/** Puts SQLite's write-ahead log on the disk, away from the event loop and once for many commits. */
import { closeSync, fdatasync, openSync } from 'node:fs';
import { promisify } from 'node:util';

/** Puts a file's bytes on the disk. */
export type FileSync = (descriptor: number) => Promise<void>;

export const diskSync: FileSync = promisify(fdatasync);

/**
 * With `synchronous=FULL` SQLite itself syncs the log at each commit, and the whole process stands still for
 * it: a millisecond on a good disk, five on a bad one. Here SQLite runs with `NORMAL`, where a commit is
 * handed to the operating system, and the log is synced from a thread of libuv's. One sync covers every
 * commit before it, whoever made it. A commit counts as durable only after `settled`.
 *
 * The same guarantee as `FULL`: the log is what a commit is read back from (https://sqlite.org/wal.html),
 * syncing works on the file and not on the descriptor, and with `NORMAL` SQLite still syncs the log before
 * each checkpoint and the database before the log is begun anew. Closing a descriptor of the `-wal` file
 * drops none of SQLite's locks: those are on the database and the `-shm` file.
 */
export class WalSync {
  readonly #file: string;
  readonly #sync: FileSync;
  #descriptor: number | null = null;
  #written = 0;
  #synced = 0;
  #running: Promise<void> | null = null;

  constructor(databaseFile: string, sync: FileSync) {
    this.#file = `${databaseFile}-wal`;
    this.#sync = sync;
  }

  /** A commit was made. */
  committed(): void {
    this.#written += 1;
  }

  /** Resolves once every commit made so far is on the disk; rejects when the disk refused it. */
  async settled(): Promise<void> {
    const mine = this.#written;
    while (this.#synced < mine) {
      this.#running ??= this.#run().finally(() => {
        this.#running = null;
      });
      await this.#running;
    }
  }

  async close(): Promise<void> {
    await this.#running?.catch(() => undefined);
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
    this.#synced = this.#written;
  }

  async #run(): Promise<void> {
    const upTo = this.#written;
    this.#descriptor ??= openSync(this.#file, 'r+');
    await this.#sync(this.#descriptor);
    this.#synced = upTo;
  }
}
