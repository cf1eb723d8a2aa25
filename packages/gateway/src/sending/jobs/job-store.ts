/** Jobs and bulks in the database, and the only statements that change their states. */
import { type Kysely, sql, type Transaction, type UpdateObject } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { EventRecorder } from '../../events/recorder.ts';
import type { MessageId, TenantId } from '../../ids.ts';
import type { Database, SendBulksTable } from '../../storage/schema.ts';
import { SEALED } from '../../storage/sealed.ts';
import type { Vault } from '../../storage/vault.ts';
import type { SentItem } from '../albums.ts';
import type { Claim } from '../delivery.ts';
import type { SendFailure } from '../send-failure.ts';
import { advanceBulk, NOT_DUE } from './bulk-progress.ts';
import { JOB_COLUMNS, jobFromRow, type KeptFile, type KeptRequest, type SendJob } from './job.ts';
import { jobCompleted } from './job-events.ts';
import { holdFiles, keepsFile, releaseFiles } from './job-files.ts';
import { type JobEvent, stepOf } from './job-state.ts';

export interface JobStoreParts {
  db: Kysely<Database>;
  vault: Pick<Vault, 'seal' | 'open'>;
  clock: Clock;
  events: EventRecorder;
}

export type NewBulk = Omit<SendBulksTable, 'state' | 'created_at' | 'finished_at'>;
/** How a job ended. `restOfBulk`: what hindered it, when that holds for all that is left of its bulk. */
export type JobOutcome = (
  | { state: 'sent'; messageId: MessageId }
  | { state: 'failed'; error: SendFailure }
) & {
  items?: readonly SentItem[];
  restOfBulk?: SendFailure | null;
};

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

  /**
   * Stores jobs, and the bulk they belong to, in one commit. Those that are there already stay as they are.
   * `stored` is called before the commit.
   */
  async insert(
    jobs: { job: SendJob; request: KeptRequest }[],
    { bulk, stored }: { bulk?: NewBulk | undefined; stored?(): void } = {},
  ): Promise<void> {
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
        const sealed = this.#vault.seal(
          Buffer.from(JSON.stringify(request), 'utf8'),
          SEALED.job.at({ id: job.id }),
        );
        const made = await trx
          .insertInto('send_jobs')
          .values({
            id: job.id,
            tenant_id: job.tenantId,
            device_id: job.deviceId,
            account: job.account,
            user_id: job.userId,
            bulk_id: job.bulkId,
            position: job.position,
            operation: job.kind,
            recipient: job.recipient,
            request: sealed,
            request_bytes: sealed.length,
            state: job.state,
            send_at: job.sendAt,
            due_at: job.dueAt,
            reckoned_at: job.reckonedAt,
            held_until: job.heldUntil,
            attempts: job.attempts,
            message_id: job.messageId,
            items: null,
            error_code: null,
            error_reason: null,
            whatsapp_code: null,
            error: null,
            created_at: job.createdAt,
            finished_at: null,
          })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        // One that was stored before may be over by now, and has let its files go.
        if (made.numInsertedOrUpdatedRows !== 0n) await holdFiles(trx, job, request.files);
      }
      stored?.();
    });
  }

  keepsFile(tenantId: TenantId, sha256: string): Promise<boolean> {
    return keepsFile(this.#db, tenantId, sha256);
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

  /** How many have not ended, by state. */
  async openCounts(): Promise<Record<string, number>> {
    const rows = await this.#db
      .selectFrom('send_jobs')
      .select((eb) => ['state', eb.fn.countAll<number | string>().as('jobs')])
      .where('finished_at', 'is', null)
      .where('state', 'in', ['scheduled', 'queued', 'processing'])
      .groupBy('state')
      .execute();
    const none = { scheduled: 0, queued: 0, processing: 0 };
    return { ...none, ...Object.fromEntries(rows.map(({ state, jobs }) => [state, Number(jobs)])) };
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

  /** Takes the job up; its sealed request. Null when it was cancelled meanwhile. */
  async take(job: SendJob): Promise<Uint8Array | null> {
    const taken = await moving(this.#db, 'take', { attempts: sql`attempts + 1` })
      .where('tenant_id', '=', job.tenantId)
      .where('id', '=', job.id)
      .returning('request')
      .executeTakeFirst();
    return taken?.request ?? null;
  }

  /** The request of a job that was taken up. */
  open(job: Pick<SendJob, 'id'>, sealed: Uint8Array): KeptRequest {
    const opened = this.#vault.open(sealed, SEALED.job.at({ id: job.id }));
    const { file, files, body } = JSON.parse(Buffer.from(opened).toString('utf8')) as KeptRequest & {
      /** As it was stored while a job had one at most. */
      file?: KeptFile | null;
    };
    return { body, files: files ?? (file ? [file] : []) };
  }

  /** Remembers id and account before the stanza leaves. */
  async claim(job: Pick<SendJob, 'tenantId' | 'id'>, claim: Claim): Promise<void> {
    await this.#db
      .updateTable('send_jobs')
      .set({ message_id: claim.messageId, account: claim.account })
      .where('tenant_id', '=', job.tenantId)
      .where('id', '=', job.id)
      .execute();
  }

  /** Remembers how the items of an album stand. */
  async rememberItems(job: Pick<SendJob, 'tenantId' | 'id'>, items: readonly SentItem[]): Promise<void> {
    await this.#db
      .updateTable('send_jobs')
      .set({ items: JSON.stringify(items) })
      .where('tenant_id', '=', job.tenantId)
      .where('id', '=', job.id)
      .execute();
  }

  /** Tries again at `dueAt`; `heldUntil` when WhatsApp named that time. */
  async postpone(
    job: Pick<SendJob, 'tenantId' | 'id'>,
    dueAt: number,
    heldUntil: number | null,
  ): Promise<void> {
    const reckonedAt = heldUntil === dueAt ? null : this.#clock.now();
    await moving(this.#db, 'postpone', { due_at: dueAt, held_until: heldUntil, reckoned_at: reckonedAt })
      .where('tenant_id', '=', job.tenantId)
      .where('id', '=', job.id)
      .execute();
  }

  /** Ends the job, in one commit with its event and with what follows in its bulk. The files that they had. */
  async finish(job: SendJob, outcome: JobOutcome): Promise<string[]> {
    const files = await this.#db.transaction().execute(async (trx) => {
      const { items } = outcome;
      const values = {
        ...(outcome.state === 'sent' ? { message_id: outcome.messageId } : failedWith(outcome.error)),
        ...(items ? { items: JSON.stringify(items) } : {}),
      };
      const [ended] = await this.#ended(trx, outcome.state, values, (query) =>
        query.where('tenant_id', '=', job.tenantId).where('id', '=', job.id),
      );
      if (!ended) return [];
      if (job.bulkId === null) return releaseFiles(trx, job.tenantId, [ended.id]);
      const { tenantId, bulkId } = job;
      const rest = outcome.restOfBulk
        ? await this.#ended(trx, 'abandon', failedWith(outcome.restOfBulk), (query) =>
            query.where('tenant_id', '=', tenantId).where('bulk_id', '=', bulkId),
          )
        : [];
      await this.#advance(trx, tenantId, bulkId);
      const over = [ended, ...rest].map(({ id }) => id);
      return releaseFiles(trx, tenantId, over);
    });
    this.#events.committed();
    return files;
  }

  #advance(trx: Transaction<Database>, tenantId: TenantId, bulkId: string): Promise<void> {
    return advanceBulk(trx, { now: this.#clock.now(), events: this.#events }, { tenantId, bulkId });
  }

  /** Moves jobs to their end, each with its event. */
  async #ended(
    trx: Transaction<Database>,
    event: 'sent' | 'failed' | 'abandon',
    values: UpdateObject<Database, 'send_jobs'>,
    which: (query: ReturnType<typeof moving>) => ReturnType<typeof moving>,
  ): Promise<{ id: string }[]> {
    const query = moving(trx, event, {
      ...values,
      finished_at: this.#clock.now(),
      request: new Uint8Array(0),
    });
    const rows = await which(query)
      .returning([...JOB_COLUMNS])
      .execute();
    for (const row of rows) await jobCompleted(trx, this.#events, jobFromRow(row));
    return rows;
  }

  /** Cancels what has not begun: how many, and the files that they had. */
  async cancel(
    tenantId: TenantId,
    which: { jobId: string } | { bulkId: string },
  ): Promise<{ jobs: number; files: string[] }> {
    const cancelled = await this.#db.transaction().execute(async (trx) => {
      let query = moving(trx, 'cancel', {
        finished_at: this.#clock.now(),
        request: new Uint8Array(0),
      }).where('tenant_id', '=', tenantId);
      query =
        'jobId' in which ? query.where('id', '=', which.jobId) : query.where('bulk_id', '=', which.bulkId);
      const rows = await query.returning(['id', 'bulk_id']).execute();
      const bulks = new Set(rows.flatMap((row) => (row.bulk_id ? [row.bulk_id] : [])));
      for (const bulkId of bulks) await this.#advance(trx, tenantId, bulkId);
      const ids = rows.map(({ id }) => id);
      return { jobs: rows.length, files: await releaseFiles(trx, tenantId, ids) };
    });
    this.#events.committed();
    return cancelled;
  }

  /** After a crash or a stop: what was under way is due again, under the message id it had claimed. */
  async recover(): Promise<number> {
    const now = this.#clock.now();
    const values = { due_at: now, reckoned_at: now };
    const result = await moving(this.#db, 'recover', values).executeTakeFirst();
    return Number(result.numUpdatedRows);
  }

  /**
   * The clock was set back: what was reckoned from a time that is still to come waits as long as it was to wait,
   * counted from now. Times that a caller or WhatsApp named stay. Says how many.
   */
  async followSetBack(): Promise<number> {
    const now = this.#clock.now();
    const result = await this.#db
      .updateTable('send_jobs')
      .set({
        due_at: sql<number>`case when due_at < ${NOT_DUE} then due_at - (reckoned_at - ${now}) else due_at end`,
        // Of one that was not tried yet the pause of its bulk is its time.
        send_at: sql<number>`case attempts when 0 then send_at - (reckoned_at - ${now}) else send_at end`,
        reckoned_at: now,
      })
      .where('finished_at', 'is', null)
      .where('state', 'in', ['scheduled', 'queued'])
      .where('reckoned_at', '>', now)
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
}

function failedWith(failure: SendFailure): UpdateObject<Database, 'send_jobs'> {
  const { code, reason, whatsappCode = null, message } = failure;
  return { error_code: code, error_reason: reason, whatsapp_code: whatsappCode, error: message };
}

/** The only way a job changes its state: an update that finds it in a state that the event may find it in. */
function moving(
  db: Kysely<Database> | Transaction<Database>,
  event: JobEvent,
  values: UpdateObject<Database, 'send_jobs'>,
) {
  const { from, to } = stepOf(event);
  return db
    .updateTable('send_jobs')
    .set(values)
    .set({ state: to })
    .where('state', 'in', [...from])
    .where('finished_at', 'is', null);
}
