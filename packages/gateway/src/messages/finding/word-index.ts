/** Keeps the full-text index in step with the messages: behind them, and many at once. */
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { Log } from '../../observability/log.ts';
import { deferred } from '../../storage/database.ts';
import type { Database } from '../../storage/schema.ts';
import { NOT_READ } from '../shown-kinds.ts';
import { ROWS_PER_SECOND } from './search-words.ts';

/** A search catches up by itself, so this only bounds how much is left to it. */
const EVERY_MS = 10_000;
/** A search that waits longer says that it may lack something: after an update, or while history comes. */
const PATIENCE_MS = 5000;
/** Some four milliseconds, in which nothing else is written; up to 90 when FTS5 merges its segments. */
const BATCH = 200;

export class WordIndex {
  readonly #db: Kysely<Database>;
  readonly #clock: Clock;
  readonly #log: Log;
  #cancel: () => void = () => undefined;
  #running: Promise<void> | null = null;
  #stopped = false;

  constructor(parts: { db: Kysely<Database>; clock: Clock; log: Log }) {
    this.#db = parts.db;
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
    while (!this.#stopped && (await this.#batch())) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /** Returns whether there may be more. */
  #batch(): Promise<boolean> {
    return deferred(this.#db)
      .transaction()
      .execute(async (trx) => {
        const queue = await trx
          .selectFrom('message_search_queue')
          .selectAll()
          .orderBy('id')
          .limit(BATCH)
          .execute();
        const last = queue.at(-1);
        if (!last) return false;
        const rowIds = [...new Set(queue.map((each) => each.message_row_id))];
        await trx.deleteFrom('message_search_rows').where('message_row_id', 'in', rowIds).execute();
        await insertRows(trx, rowIds);
        await trx.deleteFrom('message_search_queue').where('id', '<=', last.id).execute();
        return queue.length === BATCH;
      });
  }
}

/**
 * The messages that a search may find, numbered by time: then FTS5 gives the newest first without sorting, and
 * stops at the end of the page. In the order of the numbers, as FTS5 likes them best.
 */
async function insertRows(trx: Transaction<Database>, rowIds: string[]): Promise<void> {
  const found = trx
    .selectFrom('messages')
    .leftJoin('media', 'media.message_row_id', 'messages.id')
    .select(['messages.id', 'messages.created_at'])
    .select(sql<number>`messages.timestamp / 1000 * ${sql.lit(ROWS_PER_SECOND)}`.as('first'))
    .where('messages.id', 'in', rowIds)
    .where((is) => is.or([is('messages.text', '<>', ''), is('media.file_name', '<>', '')]))
    .where('messages.kind', 'not in', NOT_READ)
    .where('messages.hidden_at', 'is', null)
    .where('messages.revoked_at', 'is', null);
  const next = sql<number>`coalesce(
    (select max(id) + 1 from message_search_rows
     where id >= found.first and id < found.first + ${sql.lit(ROWS_PER_SECOND)}),
    found.first)`;
  const place = sql<number>`row_number() over (partition by found.first order by found.created_at, found.id) - 1`;
  await trx
    .insertInto('message_search_rows')
    .columns(['id', 'message_row_id'])
    .expression(
      trx
        .selectFrom(found.as('found'))
        .select([sql<number>`${next} + ${place}`.as('row'), 'found.id'])
        .orderBy('row'),
    )
    .execute();
}
