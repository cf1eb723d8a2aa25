/** What Prometheus learns of webhook deliveries. */
import { type Kysely, sql } from 'kysely';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Clock } from '../clock.ts';
import { sortedBy } from '../storage/narrowing.ts';
import type { Database } from '../storage/schema.ts';
import type { AttemptResult } from './attempt.ts';

export class WebhookMetrics {
  readonly #attempts: Counter<'outcome'>;
  readonly #deliveries: Counter<'outcome'>;
  readonly #seconds: Histogram;
  readonly #delay: Histogram;

  constructor(parts: { registry: Registry; db: Kysely<Database>; clock: Clock }) {
    const registers = [parts.registry];
    this.#attempts = new Counter({
      name: 'wuts_webhook_attempts_total',
      help: 'Webhook requests made, by outcome: success, or why it failed',
      labelNames: ['outcome'] as const,
      registers,
    });
    this.#deliveries = new Counter({
      name: 'wuts_webhook_deliveries_total',
      help: 'Webhook deliveries that came to an end: delivered, failed or expired',
      labelNames: ['outcome'] as const,
      registers,
    });
    this.#seconds = new Histogram({
      name: 'wuts_webhook_attempt_duration_seconds',
      help: 'Time from the beginning of a webhook request to its answer',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers,
    });
    this.#delay = new Histogram({
      name: 'wuts_webhook_delivery_delay_seconds',
      help: 'Time from the event to its successful delivery, retries included',
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 1800, 7200, 36_000, 172_800],
      registers,
    });
    queueGauges(parts, registers);
    endpointGauge(parts.db, registers);
  }

  attempted(result: AttemptResult): void {
    this.#attempts.inc({ outcome: result.error ?? 'success' });
    this.#seconds.observe(result.tookMs / 1000);
  }

  /** `delayMs`: from the event to this end; counted for successes. */
  finished(outcome: 'delivered' | 'failed', delayMs: number): void {
    this.#deliveries.inc({ outcome });
    if (outcome === 'delivered') this.#delay.observe(Math.max(0, delayMs) / 1000);
  }

  /** A delivery waited for as long as it may. */
  expired(): void {
    this.#deliveries.inc({ outcome: 'expired' });
  }
}

function queueGauges({ db, clock }: { db: Kysely<Database>; clock: Clock }, registers: Registry[]): void {
  // Each has a time: that names the index of the pending ones, where all of them would be read instead.
  const pending = () =>
    db
      .selectFrom('webhook_deliveries')
      .where('state', '=', sql.lit('pending'))
      .where('next_attempt_at', '>=', 0);
  new Gauge({
    name: 'wuts_webhook_pending_deliveries',
    help: 'Webhook deliveries that wait for their turn, their retry or their endpoint',
    registers,
    async collect() {
      const { count } = await pending()
        .select((eb) => eb.fn.countAll<number | string>().as('count'))
        .executeTakeFirstOrThrow();
      this.set(Number(count));
    },
  });
  new Gauge({
    name: 'wuts_webhook_oldest_pending_age_seconds',
    help: 'How long the oldest webhook delivery that has not ended has been waiting; 0 when none is',
    registers,
    async collect() {
      const row = await pending()
        // Not the first pending one among all by age.
        .select((eb) => eb.fn.min<number>(sortedBy('created_at')).as('oldest'))
        .executeTakeFirst();
      const oldest = row?.oldest ?? null;
      this.set(oldest === null ? 0 : Math.max(0, clock.now() - Number(oldest)) / 1000);
    },
  });
}

function endpointGauge(db: Kysely<Database>, registers: Registry[]): void {
  new Gauge({
    name: 'wuts_webhook_endpoints',
    help: 'Webhook endpoints by state; failing ones are active and count as failing',
    labelNames: ['state'] as const,
    registers,
    async collect() {
      const rows = await db
        .selectFrom('webhook_endpoints')
        .select((eb) => [
          'enabled',
          'state',
          eb('failing_since', 'is not', null).as('failing'),
          eb.fn.countAll<number | string>().as('count'),
        ])
        .groupBy(['enabled', 'state', 'failing'])
        .execute();
      this.reset();
      for (const state of ['active', 'failing', 'paused', 'gone', 'disabled']) this.set({ state }, 0);
      for (const row of rows) {
        const configured = row.state !== 'active' ? row.state : row.enabled === 0 ? 'disabled' : 'active';
        const state = configured === 'active' && row.failing ? 'failing' : configured;
        this.inc({ state }, Number(row.count));
      }
    },
  });
}
