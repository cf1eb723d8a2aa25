import type { MediaConfig } from '../../config.ts';
import type { Log } from '../../observability/log.ts';

/** What the policy looks at. */
export interface PrefetchCandidate {
  kind: string;
  fileLength: number | null;
}

/** Files that are fetched at the same time; each holds a few hundred KiB of buffers. */
const CONCURRENCY = 4;
/** Beyond this the newest wait until someone asks: memory stays bounded in a flood of messages. */
const MAX_QUEUE = 5000;

/**
 * Does the operator want this file fetched on arrival? The length is what its sender says: a greater one saves
 * the asking, and one that is unknown or a lie ends at the same bound while it is fetched.
 */
export function wantsPrefetch(settings: MediaConfig, candidate: PrefetchCandidate): boolean {
  if (!settings.prefetch) return false;
  if (!settings.prefetchKinds.some((kind) => kind === candidate.kind)) return false;
  return (candidate.fileLength ?? 0) <= settings.prefetchMaxBytes;
}

/** Works through row ids with bounded concurrency. A job that throws is logged and forgotten. */
export class PrefetchQueue {
  readonly #job: (rowId: string) => Promise<void>;
  readonly #log: Log;
  readonly #queue = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  #stopped = false;

  constructor(job: (rowId: string) => Promise<void>, log: Log) {
    this.#job = job;
    this.#log = log;
  }

  /** False when the queue is full or stopped. */
  add(rowId: string): boolean {
    if (this.#stopped || this.#queue.size >= MAX_QUEUE) return false;
    this.#queue.add(rowId);
    this.#fill();
    return true;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#queue.clear();
    await Promise.allSettled(this.#running);
  }

  #fill(): void {
    for (const rowId of this.#queue) {
      if (this.#running.size >= CONCURRENCY) return;
      this.#queue.delete(rowId);
      const run = this.#job(rowId)
        .catch((error) => this.#log.warn({ err: error }, 'media could not be fetched on arrival'))
        .finally(() => {
          this.#running.delete(run);
          this.#fill();
        });
      this.#running.add(run);
    }
  }
}
