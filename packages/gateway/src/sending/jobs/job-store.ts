/** Jobs and bulks in the database, and the only statements that change their states. */
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { EventRecorder } from '../../events/recorder.ts';
import type { Database, SendBulksTable } from '../../storage/schema.ts';
import type { Vault } from '../../storage/vault.ts';
import { JOB_COLUMNS, jobFromRow, type KeptRequest, type SendJob } from './job.ts';
import { bulkCompleted, jobCompleted } from './job-events.ts';

export interface JobStoreParts {
  db: Kysely<Database>;
  vault: Pick<Vault, 'seal' | 'open'>;
  clock: Clock;
  events: EventRecorder;
}

export type NewBulk = Omit<SendBulksTable, 'state' | 'created_at' | 'finished_at'>;
/** How a job ended. */
export type JobOutcome =
  | { state: 'sent'; messageId: string }
  | { state: 'failed'; error: { code: string; message: string } };

/** `due_at` of what another one has to finish first. */
export const NOT_DUE = Number.MAX_SAFE_INTEGER;
const OPEN_STATES = ['scheduled', 'queued', 'processing'] as const;
/** Finished jobs stay so long to be asked for. */
const KEPT_FOR_MS = 30 * 24 * 3600_000;
const SWEEP_BATCH = 500;

export class JobStore {
  readonly #db: Kysely<Database>;
  readonly #vault: JobStoreParts['vault'];
  readonly #clock: Clock;
  readonly #events: EventRecorder;

  constructor(parts: JobStoreParts) {
    this.#db = parts.db;
    this.#vault = parts.vault;
    this.#clock = parts.clock;
    this.#events = parts.events;
  }

  /** Stores jobs, and the bulk they belong to, in one commit. Those that are there already stay as they are. */
  async insert(jobs: { job: SendJob; request: KeptRequest }[], bulk?: NewBulk): Promise<void> {
    await this.#db.transaction().execute(async (trx) => {
      if (bulk) {
        const made = await trx
          .insertInto('send_bulks')
          .values({ ...bulk, state: 'running', created_at: this.#clock.now(), finished_at: null })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        if (made.numInsertedOrUpdatedRows === 0n) return;
      }
      for (const { job, request } of jobs) {
        const sealed = this.#vault.seal(Buffer.from(JSON.stringify(request), 'utf8'), context(job.id));
        await trx
          .insertInto('send_jobs')
          .values({
            id: job.id,
            tenant_id: job.tenantId,
            device_id: job.deviceId,
            user_id: job.userId,
            bulk_id: job.bulkId,
            position: job.position,
            operation: job.kind,
            recipient: job.recipient,
            request: sealed,
            state: job.state,
            send_at: job.sendAt,
            due_at: job.dueAt,
            attempts: job.attempts,
            message_id: job.messageId,
            error_code: null,
            error: null,
            created_at: job.createdAt,
            finished_at: null,
          })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
      }
    });
  }

  /** What is due, the earliest first; `busy` devices are left out. */
  async due(limit: number, busy: readonly string[]): Promise<SendJob[]> {
    let query = this.#db
      .selectFrom('send_jobs')
      .select(JOB_COLUMNS)
      .where('finished_at', 'is', null)
      .where('state', 'in', ['scheduled', 'queued'])
      .where('due_at', '<=', this.#clock.now());
    if (busy.length > 0) query = query.where('device_id', 'not in', [...busy]);
    const rows = await query.orderBy('due_at').orderBy('position').limit(limit).execute();
    return rows.map(jobFromRow);
  }

  /** When the next job is due, milliseconds; null when none waits for a time. */
  async nextDue(): Promise<number | null> {
    const row = await this.#db
      .selectFrom('send_jobs')
      .select((eb) => eb.fn.min<number>('due_at').as('at'))
      .where('finished_at', 'is', null)
      .where('state', 'in', ['scheduled', 'queued'])
      .where('due_at', '<', NOT_DUE)
      .executeTakeFirst();
    return row?.at ?? null;
  }

  /** Takes the job up. Null when it was cancelled meanwhile. */
  async take(job: SendJob): Promise<KeptRequest | null> {
    const taken = await this.#db
      .updateTable('send_jobs')
      .set({ state: 'processing', attempts: sql`attempts + 1` })
      .where('tenant_id', '=', job.tenantId)
      .where('id', '=', job.id)
      .where('state', 'in', ['scheduled', 'queued'])
      .returning('request')
      .executeTakeFirst();
    if (!taken) return null;
    const opened = this.#vault.open(taken.request, context(job.id));
    return JSON.parse(Buffer.from(opened).toString('utf8')) as KeptRequest;
  }

  /** Remembers the message id before its stanza leaves. */
  async claim(job: Pick<SendJob, 'tenantId' | 'id'>, messageId: string): Promise<void> {
    await this.#db
      .updateTable('send_jobs')
      .set({ message_id: messageId })
      .where('tenant_id', '=', job.tenantId)
      .where('id', '=', job.id)
      .execute();
  }

  /** Tries again at `dueAt`. */
  async postpone(job: Pick<SendJob, 'tenantId' | 'id'>, dueAt: number): Promise<void> {
    await this.#db
      .updateTable('send_jobs')
      .set({ state: 'scheduled', due_at: dueAt })
      .where('tenant_id', '=', job.tenantId)
      .where('id', '=', job.id)
      .where('state', '=', 'processing')
      .execute();
  }

  /** Ends the job, in one commit with its event and with what follows in its bulk. */
  async finish(job: SendJob, outcome: JobOutcome): Promise<void> {
    const now = this.#clock.now();
    await this.#db.transaction().execute(async (trx) => {
      const error = outcome.state === 'failed' ? outcome.error : null;
      const ended = await trx
        .updateTable('send_jobs')
        .set({
          state: outcome.state,
          finished_at: now,
          request: new Uint8Array(0),
          error_code: error?.code ?? null,
          error: error?.message ?? null,
          ...(outcome.state === 'sent' ? { message_id: outcome.messageId } : {}),
        })
        .where('tenant_id', '=', job.tenantId)
        .where('id', '=', job.id)
        .where('finished_at', 'is', null)
        .returning(JOB_COLUMNS)
        .executeTakeFirst();
      if (!ended) return;
      await jobCompleted(trx, this.#events, jobFromRow(ended));
      if (job.bulkId) await this.#advanceBulk(trx, job.tenantId, job.bulkId);
    });
    this.#events.committed();
  }

  /** Cancels what has not begun; returns how many jobs that were, and their ids. */
  async cancel(tenantId: string, which: { jobId: string } | { bulkId: string }): Promise<string[]> {
    const now = this.#clock.now();
    const ids = await this.#db.transaction().execute(async (trx) => {
      let query = trx
        .updateTable('send_jobs')
        .set({ state: 'cancelled', finished_at: now, request: new Uint8Array(0) })
        .where('tenant_id', '=', tenantId)
        .where('state', 'in', ['scheduled', 'queued']);
      query =
        'jobId' in which ? query.where('id', '=', which.jobId) : query.where('bulk_id', '=', which.bulkId);
      const rows = await query.returning(['id', 'bulk_id']).execute();
      const bulks = new Set(rows.flatMap((row) => (row.bulk_id ? [row.bulk_id] : [])));
      for (const bulkId of bulks) await this.#advanceBulk(trx, tenantId, bulkId);
      return rows.map((row) => row.id);
    });
    this.#events.committed();
    return ids;
  }

  /** After a crash or a stop: what was under way is due again, under the message id it had claimed. */
  async recover(): Promise<number> {
    const result = await this.#db
      .updateTable('send_jobs')
      .set({ state: 'scheduled', due_at: this.#clock.now() })
      .where('state', '=', 'processing')
      .where('finished_at', 'is', null)
      .executeTakeFirst();
    return Number(result.numUpdatedRows);
  }

  async isLive(jobId: string): Promise<boolean> {
    const row = await this.#db
      .selectFrom('send_jobs')
      .select('id')
      .where('id', '=', jobId)
      .where('finished_at', 'is', null)
      .executeTakeFirst();
    return row !== undefined;
  }

  /** Forgets some of what ended long ago; true when there may be more. */
  async sweep(): Promise<boolean> {
    const before = this.#clock.now() - KEPT_FOR_MS;
    const old = await this.#db
      .selectFrom('send_jobs')
      .select('id')
      .where('finished_at', '<', before)
      .limit(SWEEP_BATCH)
      .execute();
    const ids = old.map((row) => row.id);
    if (ids.length > 0) await this.#db.deleteFrom('send_jobs').where('id', 'in', ids).execute();
    await this.#db.deleteFrom('send_bulks').where('finished_at', '<', before).execute();
    return ids.length === SWEEP_BATCH;
  }

  /** Releases the next job of the bulk after a pause, or ends the bulk when nothing is left. */
  async #advanceBulk(trx: Transaction<Database>, tenantId: string, bulkId: string): Promise<void> {
    const now = this.#clock.now();
    const open = await trx
      .selectFrom('send_jobs')
      .select(['id', 'due_at'])
      .where('tenant_id', '=', tenantId)
      .where('bulk_id', '=', bulkId)
      .where('state', 'in', OPEN_STATES)
      .orderBy('position')
      .limit(1)
      .executeTakeFirst();
    const bulk = await trx
      .selectFrom('send_bulks')
      .selectAll()
      .where('tenant_id', '=', tenantId)
      .where('id', '=', bulkId)
      .where('finished_at', 'is', null)
      .executeTakeFirst();
    if (!bulk) return;
    if (open) {
      if (open.due_at < NOT_DUE) return;
      const pause = bulk.least_pause_ms + Math.random() * (bulk.most_pause_ms - bulk.least_pause_ms);
      const at = now + Math.round(pause);
      await trx
        .updateTable('send_jobs')
        .set({ send_at: at, due_at: at })
        .where('tenant_id', '=', tenantId)
        .where('id', '=', open.id)
        .execute();
      return;
    }
    const counts = await countsOf(trx, tenantId, bulkId);
    const state = counts.sent + counts.failed === 0 || counts.cancelled > 0 ? 'cancelled' : 'completed';
    await trx
      .updateTable('send_bulks')
      .set({ state, finished_at: now })
      .where('tenant_id', '=', tenantId)
      .where('id', '=', bulkId)
      .execute();
    await bulkCompleted(trx, this.#events, { ...bulk, state, finished_at: now }, counts);
  }
}

export type BulkCounts = Record<'sent' | 'failed' | 'cancelled' | 'open', number>;

/** How many jobs of a bulk are in which state. */
export async function countsOf(
  db: Kysely<Database> | Transaction<Database>,
  tenantId: string,
  bulkId: string,
): Promise<BulkCounts> {
  const rows = await db
    .selectFrom('send_jobs')
    .select((eb) => ['state', eb.fn.countAll<number>().as('jobs')])
    .where('tenant_id', '=', tenantId)
    .where('bulk_id', '=', bulkId)
    .groupBy('state')
    .execute();
  const counts: BulkCounts = { sent: 0, failed: 0, cancelled: 0, open: 0 };
  for (const { state, jobs } of rows) {
    const name = state === 'sent' || state === 'failed' || state === 'cancelled' ? state : 'open';
    counts[name] += Number(jobs);
  }
  return counts;
}

function context(jobId: string): string {
  return `send_job:${jobId}`;
}
