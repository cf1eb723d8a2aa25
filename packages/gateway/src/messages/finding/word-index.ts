/** Keeps the full-text index in step with the messages: behind them, and many at once. */
import type { Kysely } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { Log } from '../../observability/log.ts';
import { messageSearch } from '../../storage/database.ts';
import type { Database } from '../../storage/schema.ts';
import type { MessageSearch } from '../../storage/search.ts';
import { NOT_READ } from '../shown-kinds.ts';

/** A search catches up by itself, so this only bounds how much is left to it. */
const EVERY_MS = 10_000;
/** A search that waits longer says that it may lack something: after an update, or while history comes. */
const PATIENCE_MS = 5000;

export class WordIndex {
  readonly #search: MessageSearch;
  readonly #clock: Clock;
  readonly #log: Log;
  #cancel: () => void = () => undefined;
  #running: Promise<void> | null = null;
  #stopped = false;

  constructor(parts: { db: Kysely<Database>; clock: Clock; log: Log }) {
    this.#search = messageSearch(parts.db);
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  /** Catches up now, and every ten seconds from then on. */
  start(): void {
    if (this.#stopped) return;
    void this.#caughtUp()
      .catch((err) => this.#log.error({ err }, 'messages could not be indexed for search'))
      .finally(() => {
        if (!this.#stopped) this.#cancel = this.#clock.after(EVERY_MS, () => this.start());
      });
  }

  /** Resolves once the batch under way is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#running?.catch(() => undefined);
  }

  /** Whether everything stored by now can be found; waits for it, up to `patienceMs`. */
  async caughtUp(patienceMs = PATIENCE_MS): Promise<boolean> {
    let cancel: () => void = () => undefined;
    const patience = new Promise<false>((resolve) => {
      cancel = this.#clock.after(patienceMs, () => resolve(false));
    });
    try {
      return await Promise.race([this.#caughtUp(), patience]);
    } finally {
      cancel();
    }
  }

  async #caughtUp(): Promise<boolean> {
    // The run under way may have looked before the latest message came.
    await this.#running?.catch(() => undefined);
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
    await this.#running;
    return !this.#stopped;
  }

  async #run(): Promise<void> {
    while (!this.#stopped && (await this.#search.takeUp(NOT_READ))) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
}
