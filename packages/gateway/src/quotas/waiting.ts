/** Sends that are accepted and not over: how many of a tenant, and how much of the disk they take. */
import type { Kysely } from 'kysely';
import { AppError } from '../errors.ts';
import type { Database } from '../storage/schema.ts';
import type { Usage } from './quotas.ts';

export interface WaitingLimits {
  waitingJobs: number;
  /** Bytes of their requests and files. */
  waitingBytes: number;
}

export type Waiting = keyof WaitingLimits;

/** What a request would store. */
export interface WaitingDemand {
  jobs: number;
  /** Bytes of the jobs' requests. */
  requestBytes: number;
  /** Bytes of their files, by content. */
  files: ReadonlyMap<string, number>;
}

/** What rooms ask before they write anything. */
export interface WaitingPlaces {
  /**
   * Keeps room for what is about to be stored. What is returned gives it back: in the transaction that stores it,
   * for from then on its rows are counted, or when it is not stored. Throws QUOTA_EXCEEDED.
   */
  reserve(tenantId: string, demand: WaitingDemand): Promise<() => void>;
}

interface Stored {
  jobs: number;
  bytes: number;
  /** The files that lie there. */
  files: ReadonlySet<string>;
}

export class WaitingQuota implements WaitingPlaces {
  readonly #db: Kysely<Database>;
  readonly #limits: WaitingLimits;
  /** By tenant: accepted by this process, with no row yet. */
  readonly #reserved = new Map<string, { jobs: number; bytes: number }>();

  constructor(db: Kysely<Database>, limits: WaitingLimits) {
    this.#db = db;
    this.#limits = limits;
  }

  async reserve(tenantId: string, demand: WaitingDemand): Promise<() => void> {
    const stored = await this.#stored(tenantId);
    const { waitingJobs, waitingBytes } = this.#limits;
    const reserved = this.#reserved.get(tenantId) ?? { jobs: 0, bytes: 0 };
    let bytes = demand.requestBytes;
    for (const [sha256, size] of demand.files) if (!stored.files.has(sha256)) bytes += size;
    if (stored.jobs + reserved.jobs + demand.jobs > waitingJobs) {
      throw exceeded(
        `${stored.jobs + reserved.jobs} sends of this tenant wait, and ${waitingJobs} may: ${demand.jobs} more are too many`,
      );
    }
    if (stored.bytes + reserved.bytes + bytes > waitingBytes) {
      throw exceeded(
        `what waits of this tenant takes ${stored.bytes + reserved.bytes} bytes, and may take ${waitingBytes}: ${bytes} more are too many`,
      );
    }
    this.#reserved.set(tenantId, { jobs: reserved.jobs + demand.jobs, bytes: reserved.bytes + bytes });
    let given = false;
    return () => {
      if (!given) this.#giveBack(tenantId, demand.jobs, bytes);
      given = true;
    };
  }

  /** What the tenant has of each, and may have. */
  async usage(tenantId: string): Promise<Record<Waiting, Usage>> {
    const { jobs, bytes } = await this.#stored(tenantId);
    return {
      waitingJobs: { used: jobs, limit: this.#limits.waitingJobs },
      waitingBytes: { used: bytes, limit: this.#limits.waitingBytes },
    };
  }

  #giveBack(tenantId: string, jobs: number, bytes: number): void {
    const reserved = this.#reserved.get(tenantId);
    if (!reserved) return;
    reserved.jobs -= jobs;
    reserved.bytes -= bytes;
    if (reserved.jobs <= 0) this.#reserved.delete(tenantId);
  }

  /** Reads as many entries of two indexes as jobs, and files of jobs, may wait. */
  async #stored(tenantId: string): Promise<Stored> {
    const { jobs, requests } = await this.#db
      .selectFrom('send_jobs')
      .select(({ fn }) => [
        fn.countAll<number | string>().as('jobs'),
        fn.sum<number | string | null>('request_bytes').as('requests'),
      ])
      .where('tenant_id', '=', tenantId)
      .where('finished_at', 'is', null)
      .executeTakeFirstOrThrow();
    const files = await this.#db
      .selectFrom('send_job_files')
      .select(({ fn }) => ['sha256', fn.max('bytes').as('bytes')])
      .where('tenant_id', '=', tenantId)
      .groupBy('sha256')
      .execute();
    const ofFiles = files.reduce((sum, { bytes }) => sum + Number(bytes), 0);
    return {
      jobs: Number(jobs),
      bytes: Number(requests ?? 0) + ofFiles,
      files: new Set(files.map(({ sha256 }) => sha256)),
    };
  }
}

function exceeded(message: string): AppError {
  return new AppError('QUOTA_EXCEEDED', { message: `${message}; cancel some, or ask the operator for more` });
}
