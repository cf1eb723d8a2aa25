/** Deletes old events little by little, so that a large database never stands still for it. */
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { RetentionConfig } from '../config.ts';
import type { Log } from '../observability/log.ts';
import type { Database } from '../storage/schema.ts';

const SWEEP_EVERY_MS = 10 * 60_000;
/** Deleting 500 events with a delivery each takes a few milliseconds; nothing else is written meanwhile. */
const BATCH = 500;

/** Milliseconds that a delivery may wait, and that an event stays whose delivery failed. */
export function deliveryRetention(settings: RetentionConfig): number {
  return Math.max(settings.failedMs, settings.eventMs);
}

export class EventRetention {
  readonly #db: Kysely<Database>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #settings: RetentionConfig;
  readonly #batch: number;
  #cancel: () => void = () => undefined;
  #sweeping: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(parts: {
    db: Kysely<Database>;
    clock: Clock;
    log: Log;
    settings: RetentionConfig;
    batch?: number;
  }) {
    this.#db = parts.db;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#settings = parts.settings;
    this.#batch = parts.batch ?? BATCH;
  }

  /** Begins to sweep, now and then every ten minutes. */
  start(): void {
    if (this.#stopped) return;
    this.#sweeping = this.sweep()
      .catch((err) => this.#log.error({ err }, 'old events could not be deleted'))
      .finally(() => {
        if (!this.#stopped) this.#cancel = this.#clock.after(SWEEP_EVERY_MS, () => this.start());
      });
  }

  /** Resolves once the batch under way is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#sweeping;
  }

  /**
   * Deletes what is too old, in batches that let others write in between. An event with a pending delivery
   * stays until that ends; `webhooks/expiry.ts` sees to it that it does. With one that expired it stays once
   * more as long as any event, to be found in the log and delivered again. Returns how many were deleted.
   */
  async sweep(): Promise<number> {
    const now = this.#clock.now();
    const until = {
      failed: now - deliveryRetention(this.#settings),
      expired: now - this.#settings.eventMs,
    };
    let deleted = 0;
    let past = { at: -1, seq: 0 };
    while (!this.#stopped) {
      const batch = await this.#oldest(past, now - this.#settings.eventMs);
      const last = batch.at(-1);
      if (!last) break;
      past = { at: last.created_at, seq: last.seq };
      deleted += await this.#delete(
        batch.map((row) => row.seq),
        until,
      );
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    if (deleted > 0) this.#log.info({ deleted }, 'old events were deleted');
    return deleted;
  }

  #oldest(past: { at: number; seq: number }, until: number): Promise<{ seq: number; created_at: number }[]> {
    return this.#db
      .selectFrom('events')
      .select(['seq', 'created_at'])
      .where('created_at', '<', until)
      .where((eb) => eb(eb.refTuple('created_at', 'seq'), '>', eb.tuple(past.at, past.seq)))
      .orderBy('created_at')
      .orderBy('seq')
      .limit(this.#batch)
      .execute();
  }

  async #delete(seqs: number[], until: { failed: number; expired: number }): Promise<number> {
    const result = await this.#db
      .deleteFrom('events')
      .where('seq', 'in', seqs)
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('webhook_deliveries')
              .select('webhook_deliveries.id')
              .whereRef('webhook_deliveries.event_id', '=', 'events.id')
              .where((or) =>
                or.or([
                  or('webhook_deliveries.state', '=', 'pending'),
                  or.and([
                    or('webhook_deliveries.state', '=', 'failed'),
                    or('events.created_at', '>=', until.failed),
                  ]),
                  or.and([
                    or('webhook_deliveries.state', '=', 'expired'),
                    or('webhook_deliveries.finished_at', '>=', until.expired),
                  ]),
                ]),
              ),
          ),
        ),
      )
      .executeTakeFirst();
    return Number(result.numDeletedRows);
  }
}
