/** Puts SQLite's write-ahead log on the disk, away from the event loop and once for many commits. */
import { closeSync, fdatasync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import { StorageFailure } from '../failure.ts';

/** Puts a file's bytes on the disk. */
export type FileSync = (descriptor: number) => Promise<void>;

export const diskSync: FileSync = promisify(fdatasync);

/**
 * With `synchronous=FULL` SQLite itself syncs the log at each commit, and the whole process stands still for
 * it: a millisecond on a good disk, five on a bad one. Here SQLite runs with `NORMAL`, where a commit is
 * handed to the operating system, and the log is synced from a thread of libuv's. One sync covers every
 * earlier commit, of all parts. A commit counts as durable only after `durable` has resolved.
 *
 * The same guarantee as `FULL`: the log is what a commit is read back from (https://sqlite.org/wal.html),
 * syncing works on the file and not on the descriptor, and with `NORMAL` SQLite still syncs the log before
 * each checkpoint and the database before the log is begun anew. Closing a descriptor of the `-wal` file
 * drops none of SQLite's locks: those are on the database and the `-shm` file.
 *
 * A sync that fails is the last one. The kernel may have marked the pages clean, so that the next sync
 * succeeds without them (https://wiki.postgresql.org/wiki/Fsync_Errors), and what is committed behind a
 * damaged frame is lost with it. Nothing counts as durable from then on, and nothing is read or written: the
 * process has to end. The next one reads the log anew, frame by frame by its checksums, and puts it into
 * the database before it acknowledges anything (`openSqlite`). The descriptor stays open from the first sync
 * on, because an error of the disk that another's sync has met, SQLite's own before a checkpoint, is told
 * to those who had the file open by then.
 */
export class WalSync {
  readonly #file: string;
  readonly #sync: FileSync;
  readonly #onFailure: (failure: StorageFailure) => void;
  #descriptor: number | null = null;
  #written = 0;
  #synced = 0;
  #running: Promise<void> | null = null;

  #failure: StorageFailure | null = null;

  /** `onFailure` is called once, when the disk has refused a sync. */
  constructor(databaseFile: string, sync: FileSync, onFailure: (failure: StorageFailure) => void) {
    this.#file = `${databaseFile}-wal`;
    this.#sync = sync;
    this.#onFailure = onFailure;
  }

  /** Why nothing is durable any more; null as long as all is well. */
  get failure(): StorageFailure | null {
    return this.#failure;
  }

  /** A commit was made. */
  committed(): void {
    this.#written += 1;
  }

  /** Resolves once every commit made so far is on the disk; rejects with a StorageFailure otherwise. */
  async durable(): Promise<void> {
    const mine = this.#written;
    while (this.#synced < mine) {
      if (this.#failure) throw this.#failure;
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
    try {
      this.#descriptor ??= openSync(this.#file, 'r+');
    } catch (error) {
      // Nothing was synced, so nothing was forgotten: the next attempt may succeed.
      throw new StorageFailure('cannot_open', error);
    }
    try {
      await this.#sync(this.#descriptor);
    } catch (error) {
      this.#failure = new StorageFailure('io', error);
      this.#onFailure(this.#failure);
      throw this.#failure;
    }
    this.#synced = upTo;
  }
}
