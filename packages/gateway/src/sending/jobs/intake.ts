/** Taking jobs in: all of a request or nothing of it, within what its tenant may have. */
import type { WaitingPlaces } from '../../quotas/waiting.ts';
import type { SendJob } from './job.ts';
import type { JobStore, NewBulk } from './job-store.ts';
import type { KeptFiles, RequestToKeep } from './kept-files.ts';
import type { SendOperation } from './operations.ts';

/** A job that is not stored yet, and what it is to send. */
export interface NewJob {
  job: SendJob;
  operation: SendOperation;
  body: Record<string, unknown>;
}

export interface Taking {
  bulk?: NewBulk;
  /** The job as it is by the time that it is stored. */
  completed?(job: SendJob): SendJob;
}

export class JobIntake {
  readonly #store: JobStore;
  readonly #files: KeptFiles;
  readonly #waiting: WaitingPlaces;

  constructor(parts: { store: JobStore; files: KeptFiles; waiting: WaitingPlaces }) {
    this.#store = parts.store;
    this.#files = parts.files;
    this.#waiting = parts.waiting;
  }

  /**
   * Stores jobs of one tenant: first what they take is read and found to fit, then their files are written, then
   * their rows. Throws INVALID_MEDIA, PAYLOAD_TOO_LARGE, QUOTA_EXCEEDED, and leaves nothing behind.
   */
  async take(jobs: readonly NewJob[], { bulk, completed = (job) => job }: Taking = {}): Promise<SendJob[]> {
    const tenantId = jobs[0]?.job.tenantId;
    if (tenantId === undefined) return [];
    const read = await this.#files.read(jobs);
    const giveBack = await this.#waiting.reserve(tenantId, demandOf(read));
    try {
      return await this.#files.keep(tenantId, read, async () => {
        const rows = jobs.flatMap(({ job }, at) => {
          const request = read[at]?.request;
          return request ? [{ job: completed(job), request }] : [];
        });
        await this.#store.insert(rows, { bulk, stored: giveBack });
        return rows.map(({ job }) => job);
      });
    } finally {
      giveBack();
    }
  }
}

function demandOf(read: readonly RequestToKeep[]) {
  let requestBytes = 0;
  const files = new Map<string, number>();
  for (const { request } of read) {
    requestBytes += Buffer.byteLength(JSON.stringify(request));
    for (const { sha256, size } of request.files) if (sha256 !== undefined) files.set(sha256, size);
  }
  return { jobs: read.length, requestBytes, files };
}
