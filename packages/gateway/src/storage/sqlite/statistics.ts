/** What the database's planner knows of how much is stored. */
import { type Kysely, sql } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { Database } from '../schema.ts';

const DAY_MS = 24 * 3_600_000;
/**
 * 0x10012: every table is looked at, whether it was asked for lately or not, and those that have no statistics or
 * have grown tenfold are counted anew, by samples of a few thousand rows (https://sqlite.org/pragma.html#pragma_optimize).
 */
const OPTIMIZE = 'pragma optimize = 0x10012';

/**
 * Keeps the statistics: at the start and once a day. No statement may depend on them (`test/statement-plans`);
 * they help where two keys are equally good.
 */
export class PlannerStatistics {
  readonly #db: Kysely<Database>;
  readonly #clock: Clock;
  readonly #failed: (error: unknown) => void;
  #cancel: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: { db: Kysely<Database>; clock: Clock; failed: (error: unknown) => void }) {
    this.#db = parts.db;
    this.#clock = parts.clock;
    this.#failed = parts.failed;
  }

  /** Resolves when they are up to date; a failure is reported, and the next try is a day later. */
  async start(): Promise<void> {
    this.#running = sql
      .raw(OPTIMIZE)
      .execute(this.#db)
      .then(() => undefined, this.#failed);
    await this.#running;
    if (!this.#stopped) this.#cancel = this.#clock.after(DAY_MS, () => void this.start());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#running;
  }
}
