/** Sends for later, as callers make, list and cancel them. */
import type { Kysely } from 'kysely';
import type { Clock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import type { MessageDevice } from '../../messages/stored-message.ts';
import type { DeviceDirectory } from '../../messages/visible.ts';
import { cursorOf, pageOf, readCursor } from '../../storage/page-cursor.ts';
import type { Database } from '../../storage/schema.ts';
import type { Caller } from '../../tenancy/caller.ts';
import { visibleRows } from '../../tenancy/visibility.ts';
import { accountOf } from '../account.ts';
import type { Claim } from '../delivery.ts';
import type { KeyedAttempt } from '../idempotency.ts';
import type { RecipientAddress } from '../recipients.ts';
import type { JobIntake } from './intake.ts';
import { JOB_COLUMNS, jobFromRow, newId, type SendJob } from './job.ts';
import type { JobState } from './job-state.ts';
import type { JobOutcome, JobStore } from './job-store.ts';
import type { KeptFiles } from './kept-files.ts';
import type { SendOperation } from './operations.ts';

export interface LaterSend {
  operation: SendOperation;
  /** Checked and readable. */
  body: Record<string, unknown>;
  address: RecipientAddress;
  deviceId?: string | undefined;
  /** The attempt of a request with an `Idempotency-Key`. */
  attempt?: KeyedAttempt | undefined;
}

export interface JobFilter {
  states?: readonly JobState[] | undefined;
  bulkId?: string | undefined;
  deviceId?: string | undefined;
  cursor?: string | undefined;
  limit: number;
}

export interface SendJobsParts {
  db: Kysely<Database>;
  clock: Clock;
  store: JobStore;
  files: KeptFiles;
  intake: JobIntake;
  devices: DeviceDirectory;
  /** Wakes the worker. */
  wake(): void;
}

export class SendJobs {
  readonly #parts: SendJobsParts;

  constructor(parts: SendJobsParts) {
    this.#parts = parts;
  }

  /** The job that an earlier attempt of the request has stored, before its process ended. */
  async earlier(caller: Caller, attempt: KeyedAttempt | undefined): Promise<SendJob | null> {
    return attempt?.resumed ? this.#find(caller, newId('job', attempt.ticket)) : null;
  }

  /** Stores a send for `sendAt` (milliseconds). Throws DEVICE_NOT_FOUND, DEVICE_AMBIGUOUS, INVALID_MEDIA. */
  async schedule(caller: Caller, send: LaterSend, sendAt: number): Promise<SendJob> {
    const { devices, wake } = this.#parts;
    const device = await devices.resolve(caller, send.deviceId);
    const job = this.make(caller, send, { device, state: 'scheduled', at: sendAt });
    await this.#store(job, send);
    wake();
    return job;
  }

  /** Stores a send that is under way. `claimed` tells what it has claimed, once it has. */
  async adopt(caller: Caller, send: LaterSend, claimed: () => Claim | null): Promise<SendJob> {
    const { clock, devices } = this.#parts;
    const claim = claimed();
    const device = await devices.resolve(caller, claim?.deviceId ?? send.deviceId);
    const as = { device, state: 'processing' as const, at: clock.now() };
    const made = this.make(caller, send, as);
    return this.#store(made, send, (job) => {
      const { messageId, account } = claimed() ?? job;
      return { ...job, messageId, account };
    });
  }

  async #store(
    made: SendJob,
    send: LaterSend,
    completed: (job: SendJob) => SendJob = (job) => job,
  ): Promise<SendJob> {
    const { operation, body } = send;
    const [stored] = await this.#parts.intake.take([{ job: made, operation, body }], { completed });
    return stored ?? made;
  }

  /** The job is over. */
  async end(job: SendJob, outcome: JobOutcome): Promise<void> {
    await this.#parts.files.drop(job.tenantId, await this.#parts.store.finish(job, outcome));
  }

  /** A job that is not stored yet. */
  make(
    caller: Caller,
    send: Pick<LaterSend, 'operation' | 'address'> & { attempt?: Pick<KeyedAttempt, 'ticket'> | undefined },
    as: {
      device: MessageDevice;
      state: JobState;
      at: number;
      /** Nobody named the time: it is now. */
      fromNow?: boolean;
      bulkId?: string;
      position?: number;
    },
  ): SendJob {
    const { address, operation, attempt } = send;
    return {
      id: newId('job', attempt?.ticket, as.position),
      tenantId: caller.tenantId,
      deviceId: as.device.id,
      account: accountOf(as.device),
      userId: caller.userId,
      bulkId: as.bulkId ?? null,
      position: as.position ?? 0,
      kind: operation.kind,
      recipient: address.kind === 'chat' ? address.jid : address.digits,
      state: as.state,
      sendAt: as.at,
      dueAt: as.at,
      reckonedAt: as.fromNow ? as.at : null,
      heldUntil: null,
      attempts: as.state === 'processing' ? 1 : 0,
      messageId: null,
      items: null,
      error: null,
      createdAt: this.#parts.clock.now(),
      finishedAt: null,
    };
  }

  /** Throws NOT_FOUND for an id that is unknown, of another tenant, or not the caller's to see. */
  async get(caller: Caller, id: string): Promise<SendJob> {
    const job = await this.#find(caller, id);
    if (!job) throw new AppError('NOT_FOUND', { message: 'job not found' });
    return job;
  }

  /** The newest first. Throws VALIDATION_ERROR for a foreign cursor, DEVICE_NOT_FOUND. */
  async list(caller: Caller, filter: JobFilter): Promise<{ jobs: SendJob[]; nextCursor: string | null }> {
    let query = this.#visible(caller);
    if (filter.deviceId !== undefined) {
      const device = await this.#parts.devices.resolve(caller, filter.deviceId);
      query = query.where('device_id', '=', device.id);
    }
    if (filter.states !== undefined) query = query.where('state', 'in', [...filter.states]);
    if (filter.bulkId !== undefined) query = query.where('bulk_id', '=', filter.bulkId);
    if (filter.cursor !== undefined) {
      const { at, id } = readCursor(filter.cursor);
      query = query.where((is) =>
        is.or([is('created_at', '<', at), is.and([is('created_at', '=', at), is('id', '<', id)])]),
      );
    }
    const rows = await query
      .select(JOB_COLUMNS)
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(filter.limit + 1)
      .execute();
    const { page, last } = pageOf(rows, filter.limit);
    return {
      jobs: page.map(jobFromRow),
      nextCursor: last && cursorOf(last),
    };
  }

  /** Those of one bulk, in their order. */
  async ofBulk(caller: Caller, bulkId: string): Promise<SendJob[]> {
    const rows = await this.#visible(caller)
      .select(JOB_COLUMNS)
      .where('bulk_id', '=', bulkId)
      .orderBy('position')
      .execute();
    return rows.map(jobFromRow);
  }

  /** Throws NOT_FOUND, or NOT_CANCELLABLE once it is under way or over. */
  async cancel(caller: Caller, id: string): Promise<SendJob> {
    const job = await this.get(caller, id);
    const { store, files } = this.#parts;
    const cancelled = await store.cancel(caller.tenantId, { jobId: job.id });
    const now = await this.get(caller, id);
    if (cancelled.jobs === 0) {
      throw new AppError('NOT_CANCELLABLE', {
        message: `the job is ${now.state}: only what waits can be cancelled`,
      });
    }
    await files.drop(caller.tenantId, cancelled.files);
    return now;
  }

  async #find(caller: Caller, id: string): Promise<SendJob | null> {
    const row = await this.#visible(caller).select(JOB_COLUMNS).where('id', '=', id).executeTakeFirst();
    return row ? jobFromRow(row) : null;
  }

  /** Admins and managers see all jobs of the tenant, users those that they made. */
  #visible(caller: Caller) {
    return this.#parts.db.selectFrom('send_jobs').where((is) => is.and(visibleRows(caller)));
  }
}
