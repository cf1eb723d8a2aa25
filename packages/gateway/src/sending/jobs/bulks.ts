/** Many messages as one request: checked as a whole, sent one after the other, each with its outcome. */
import type { Kysely } from 'kysely';
import type { Clock } from '../../clock.ts';
import { AppError } from '../../errors.ts';
import type { DeviceDirectory } from '../../messages/visible.ts';
import type { Database, SendBulksTable } from '../../storage/schema.ts';
import type { Caller } from '../../tenancy/caller.ts';
import { visibleRows } from '../../tenancy/visibility.ts';
import type { KeyedAttempt } from '../idempotency.ts';
import { type BulkCounts, countsOf, NOT_DUE } from './bulk-progress.ts';
import type { JobIntake } from './intake.ts';
import { newId, newTicket } from './job.ts';
import type { JobStore } from './job-store.ts';
import type { KeptFiles } from './kept-files.ts';
import type { LaterSend, SendJobs } from './send-jobs.ts';

export interface NewBulkSend {
  items: Pick<LaterSend, 'operation' | 'body' | 'address'>[];
  deviceId?: string | undefined;
  /** Milliseconds: when the first one is sent. Null: now. */
  startAt: number | null;
  /** Milliseconds between the end of one and the start of the next, chosen anew each time. */
  pause: { least: number; most: number };
  attempt?: KeyedAttempt | undefined;
}

export interface Bulk {
  id: string;
  deviceId: string;
  state: SendBulksTable['state'];
  total: number;
  counts: BulkCounts;
  /** Milliseconds. */
  createdAt: number;
  finishedAt: number | null;
}

export class Bulks {
  readonly #db: Kysely<Database>;
  readonly #devices: DeviceDirectory;
  readonly #jobs: SendJobs;
  readonly #store: JobStore;
  readonly #files: KeptFiles;
  readonly #intake: JobIntake;
  readonly #clock: Clock;
  readonly #wake: () => void;

  constructor(parts: {
    db: Kysely<Database>;
    devices: DeviceDirectory;
    jobs: SendJobs;
    store: JobStore;
    files: KeptFiles;
    intake: JobIntake;
    clock: Clock;
    wake(): void;
  }) {
    this.#db = parts.db;
    this.#devices = parts.devices;
    this.#jobs = parts.jobs;
    this.#store = parts.store;
    this.#files = parts.files;
    this.#intake = parts.intake;
    this.#clock = parts.clock;
    this.#wake = parts.wake;
  }

  /** The bulk that an earlier attempt of the request has stored, before its process ended. */
  async earlier(caller: Caller, attempt: KeyedAttempt | undefined): Promise<Bulk | null> {
    return attempt?.resumed ? this.#find(caller, newId('bulk', attempt.ticket)) : null;
  }

  /** Stores all of it in one commit. Throws DEVICE_NOT_FOUND, DEVICE_AMBIGUOUS, INVALID_MEDIA, QUOTA_EXCEEDED. */
  async create(caller: Caller, bulk: NewBulkSend): Promise<Bulk> {
    const device = await this.#devices.resolve(caller, bulk.deviceId);
    const ticket = bulk.attempt?.ticket ?? newTicket();
    const id = newId('bulk', ticket);
    const fromNow = bulk.startAt === null;
    const at = bulk.startAt ?? this.#clock.now();
    const jobs = bulk.items.map(({ operation, body, address }, position) => {
      const as = { device, state: 'queued' as const, bulkId: id, position, at, fromNow };
      const made = this.#jobs.make(caller, { operation, address, attempt: { ticket } }, as);
      // The first opens the row; each of the others is released by the end of the one before it.
      return { operation, body, job: position === 0 ? made : { ...made, dueAt: NOT_DUE } };
    });
    await this.#intake.take(jobs, {
      bulk: {
        id,
        tenant_id: caller.tenantId,
        device_id: device.id,
        user_id: caller.userId,
        total: jobs.length,
        least_pause_ms: bulk.pause.least,
        most_pause_ms: bulk.pause.most,
      },
    });
    this.#wake();
    return this.get(caller, id);
  }

  /** Throws NOT_FOUND for one that is unknown, of another tenant, or not the caller's to see. */
  async get(caller: Caller, id: string): Promise<Bulk> {
    const bulk = await this.#find(caller, id);
    if (!bulk) throw new AppError('NOT_FOUND', { message: 'bulk not found' });
    return bulk;
  }

  async #find(caller: Caller, id: string): Promise<Bulk | null> {
    const row = await this.#db
      .selectFrom('send_bulks')
      .selectAll()
      .where((is) => is.and(visibleRows(caller)))
      .where('id', '=', id)
      .executeTakeFirst();
    if (!row) return null;
    return {
      id: row.id,
      deviceId: row.device_id,
      state: row.state,
      total: row.total,
      counts: await countsOf(this.#db, caller.tenantId, id),
      createdAt: row.created_at,
      finishedAt: row.finished_at,
    };
  }

  /** Cancels what has not been sent. Throws NOT_FOUND, or NOT_CANCELLABLE when nothing is left to cancel. */
  async cancel(caller: Caller, id: string): Promise<Bulk> {
    const bulk = await this.get(caller, id);
    const cancelled = await this.#store.cancel(caller.tenantId, { bulkId: bulk.id });
    if (cancelled.jobs === 0) {
      throw new AppError('NOT_CANCELLABLE', { message: 'nothing of the bulk is left to cancel' });
    }
    await this.#files.drop(caller.tenantId, cancelled.files);
    return this.get(caller, id);
  }
}
