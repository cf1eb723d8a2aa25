/** The room that is left on the disk of the data folder. */
import { statfs } from 'node:fs/promises';
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';

/** Looked at so often at most; within it, what is accepted is bounded by the other limits. */
const LOOK_EVERY_MS = 2000;
const RETRY_S = 60;

/**
 * What is kept free is for what is received: a message that cannot be stored is one that its sender's phone
 * keeps sending, and a full disk stops every tenant.
 */
export class FreeDisk {
  readonly #clock: Clock;
  readonly #folder: string;
  readonly #floorBytes: number;
  #looked: { at: number; free: Promise<number> } | null = null;

  constructor(clock: Clock, folder: string, floorBytes: number) {
    this.#clock = clock;
    this.#folder = folder;
    this.#floorBytes = floorBytes;
  }

  /** Throws STORAGE_FULL below the floor. */
  async demand(): Promise<void> {
    if (this.#floorBytes === 0 || (await this.#free()) >= this.#floorBytes) return;
    throw new AppError('STORAGE_FULL', {
      message: `less than ${this.#floorBytes} bytes of the disk are free: nothing new is accepted, what is received is stored`,
      retryAfterSeconds: RETRY_S,
    });
  }

  #free(): Promise<number> {
    const now = this.#clock.monotonic();
    if (this.#looked === null || now - this.#looked.at > LOOK_EVERY_MS) {
      // A file system that does not tell is not taken for a full one.
      const free = statfs(this.#folder).then(
        ({ bavail, bsize }) => bavail * bsize,
        () => Number.POSITIVE_INFINITY,
      );
      this.#looked = { at: now, free };
    }
    return this.#looked.free;
  }
}
